"""Orders: created, attempted once a payment was tried, paid once one was captured."""

from typing import Any

from services.payments.adapters.sandbox import checks
from services.payments.adapters.sandbox.desk import Desk, Plan
from services.payments.adapters.sandbox.entities import Entity, Record, collection, new_order
from services.payments.adapters.sandbox.errors import RazorpayError, receipt_taken

_LISTED = 10
_MOST_LISTED = 100


class Orders:
    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def create(self, body: Entity) -> Entity:
        """A new order; with `unique_receipt` the one that already has this receipt, if amount and currency agree."""
        amount, receipt, notes = checks.order_amount(body), checks.receipt(body), checks.notes(body)
        checks.currency(body)
        manual = _captures_by_hand(body)
        unique = receipt is not None and checks.truth(body.get("unique_receipt"))

        async def work_out() -> Plan:
            if unique and (known := await self._desk.list_by("orders", str(receipt))):
                return _repeated(known[0], amount)
            order = new_order(self._desk.new_id("order_"), amount, receipt, notes, self._desk.now())
            writes = [self._desk.record("orders", order, manual_capture=manual)]
            if unique:
                writes.append(self._desk.record("keys", {"id": f"receipt:{receipt}", "order_id": order["id"]}))
            return Plan(order, writes)

        return await self._desk.settle(work_out)

    async def fetch(self, order_id: str) -> Entity:
        return (await self._desk.get("orders", order_id, "order_")).entity

    async def list_all(self, receipt: str | None, count: int = _LISTED, skip: int = 0) -> Entity:
        """The orders of one receipt, newest first. The sandbox lists by receipt only."""
        if receipt is None:
            raise RazorpayError("receipt: is required to list orders.", field="receipt")
        found = [record.entity for record in await self._desk.list_by("orders", receipt)][::-1]
        return collection(found[skip : skip + min(count, _MOST_LISTED)])

    async def payments(self, order_id: str) -> Entity:
        """Every attempt to pay this order, newest first."""
        await self._desk.get("orders", order_id, "order_")
        return collection([record.entity for record in await self._desk.list_by("payments", order_id)][::-1])


def _captures_by_hand(body: Entity) -> bool | None:
    """What the order says of capture; None: what the account says."""
    asked: Any = body.get("payment_capture")
    if asked is not None:
        return not checks.truth(asked)
    settings = body.get("payment") or {}
    if not isinstance(settings, dict):
        raise RazorpayError("The payment must be an object.", field="payment")
    return settings["capture"] == "manual" if "capture" in settings else None


def _repeated(known: Record, amount: int) -> Plan:
    if known.entity["amount"] != amount:
        raise receipt_taken(known.id)
    return Plan(known.entity)
