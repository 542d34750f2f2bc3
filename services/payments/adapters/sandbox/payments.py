"""Payments: what the buyer does at checkout, and capture."""

import hashlib
import hmac

from services.payments.adapters.sandbox import checks
from services.payments.adapters.sandbox.desk import Desk, Plan
from services.payments.adapters.sandbox.entities import Entity, Event, Record, fee_of, new_payment
from services.payments.adapters.sandbox.errors import (
    RazorpayError,
    order_already_paid,
    payment_failed,
    vpa_invalid,
)

SUCCESS = "success@razorpay"
FAILURE = "failure@razorpay"


class Payments:
    """`auto_capture` is the account's setting; an order may say otherwise."""

    def __init__(self, desk: Desk, key_secret: str, *, auto_capture: bool) -> None:
        self._desk = desk
        self._key_secret = key_secret
        self.auto_capture = auto_capture

    async def fetch(self, payment_id: str) -> Entity:
        return (await self._desk.get("payments", payment_id, "pay_")).entity

    async def check_out(self, order_id: str, vpa: str) -> Entity:
        """The buyer pays the order: ids and signature as Razorpay's checkout hands them to its caller.

        Raises RazorpayError if the payment fails (it is recorded), or if the order is paid already.
        """

        async def work_out() -> Plan:
            order = await self._desk.get("orders", order_id, "order_")
            if order.entity["status"] == "paid":
                raise order_already_paid(order_id)
            if vpa not in (SUCCESS, FAILURE):
                raise vpa_invalid(order_id)
            return self._authorised(order) if vpa == SUCCESS else self._failed(order)

        return await self._desk.settle(work_out)

    async def authorise_late(self, payment_id: str) -> Entity:
        """A failed payment the bank confirms after all, as happens within days; captured like any other."""

        async def work_out() -> Plan:
            payment = await self._desk.get("payments", payment_id, "pay_")
            if payment.entity["status"] != "failed":
                raise RazorpayError("Only failed payments can be authorized late")
            order = await self._desk.get("orders", payment.entity["order_id"], "order_")
            cleared = {f"error_{name}": None for name in ("code", "description", "source", "step", "reason")}
            return self._settled(payment.changed(status="authorized", **cleared), order)

        return await self._desk.settle(work_out)

    async def capture(self, payment_id: str, body: Entity) -> Entity:
        amount = checks.whole_amount(body)

        async def work_out() -> Plan:
            payment = await self._desk.get("payments", payment_id, "pay_")
            order = await self._desk.get("orders", payment.entity["order_id"], "order_")
            _check_capture(payment.entity, order.entity, amount, body.get("currency"))
            captured, paid, events = _captured(payment, order)
            return Plan(captured.entity, [captured, paid], events)

        return await self._desk.settle(work_out)

    def _authorised(self, order: Record) -> Plan:
        attempted = _attempted(order)
        return self._settled(self._new(attempted, SUCCESS), attempted)

    def _settled(self, payment: Record, order: Record) -> Plan:
        """An authorised payment, captured at once unless somebody wants to do that by hand or another was faster."""
        events = [Event("payment.authorized", {"payment": payment.entity}, order.id)]
        manual = order.hidden["manual_capture"]
        if (self.auto_capture if manual is None else not manual) and order.entity["status"] != "paid":
            payment, order, further = _captured(payment, order)
            events += further
        return Plan(self._handed_over(payment), [payment, order], events)

    def _failed(self, order: Record) -> Plan:
        attempted = _attempted(order)
        new = self._new(attempted, FAILURE)
        refusal = payment_failed(order.id, new.id)
        error = refusal.body()["error"]
        payment = new.changed(
            status="failed",
            **{f"error_{name}": error[name] for name in ("code", "description", "source", "step", "reason")},
        )
        event = Event("payment.failed", {"payment": payment.entity}, order.id)
        return Plan({}, [payment, attempted], [event], refusal)

    def _new(self, order: Record, vpa: str) -> Record:
        payment_id = self._desk.new_id("pay_")
        rrn = str(int(hashlib.sha256(payment_id.encode()).hexdigest(), 16) % 10**12).zfill(12)
        return self._desk.record("payments", new_payment(payment_id, order.entity, vpa, rrn, self._desk.now()))

    def _handed_over(self, payment: Record) -> Entity:
        signed = f"{payment.entity['order_id']}|{payment.id}".encode()
        return {
            "razorpay_order_id": payment.entity["order_id"],
            "razorpay_payment_id": payment.id,
            "razorpay_signature": hmac.new(self._key_secret.encode(), signed, hashlib.sha256).hexdigest(),
        }


def _attempted(order: Record) -> Record:
    return order.changed(status="attempted", attempts=order.entity["attempts"] + 1)


def _captured(payment: Record, order: Record) -> tuple[Record, Record, list[Event]]:
    amount = payment.entity["amount"]
    fee, tax = fee_of(amount)
    captured = payment.changed(status="captured", captured=True, fee=fee, tax=tax)
    paid = order.changed(status="paid", amount_paid=amount, amount_due=0)
    return (
        captured,
        paid,
        [
            Event("payment.captured", {"payment": captured.entity}, order.id),
            Event("order.paid", {"payment": captured.entity, "order": paid.entity}, order.id),
        ],
    )


def _check_capture(payment: Entity, order: Entity, amount: int, currency: object) -> None:
    if payment["captured"]:
        raise RazorpayError("This payment has already been captured")
    if payment["status"] != "authorized":
        raise RazorpayError("Only payments which have been authorized and not yet captured can be captured")
    if order["status"] == "paid":
        raise order_already_paid(order["id"])
    if currency not in (None, payment["currency"]):
        raise RazorpayError("Capture request currency must be same as payment currency.", field="currency")
    if amount != payment["amount"]:
        raise RazorpayError("Capture amount must be equal to the amount authorized", field="amount")
