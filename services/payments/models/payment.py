"""Payments as facts move them: pure rules, no input or output.

A payment belongs to one order and is opened once. `Payment.after` is the only place where facts become states.
Amounts are paise.
"""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from services.contracts.events import PaymentEvent, PaymentFailed, PaymentRefunded, PaymentSucceeded
from services.contracts.orders import PaymentFact
from services.contracts.payments import GatewayOrder, PaymentView, Status
from services.kit.ids import named_id
from services.kit.money import Money
from services.payments.models.gateway import Entity, GatewayFact, State

LATE_AUTHORISATION = timedelta(days=3)
"""How long a failed attempt may still be authorised by the buyer's bank, and how long the gateway is asked."""
FIRST_ASKED_AFTER = timedelta(minutes=15)
SETTLED_WITHIN = timedelta(seconds=30)
"""An order not told of its money by then is told again; a gateway that did not answer is asked again."""
LONGEST_WAIT = timedelta(hours=6)
UNCHOSEN = "razorpay"
"""The method of a payment whose buyer has not chosen one in the gateway's checkout yet."""

_MOVES: dict[tuple[Status, State], Status] = {
    ("pending", "authorized"): "authorized",
    ("pending", "captured"): "completed",
    ("pending", "failed"): "failed",
    ("pending", "lapsed"): "failed",
    ("failed", "authorized"): "authorized",
    ("failed", "captured"): "completed",
    ("failed", "failed"): "failed",
    ("authorized", "captured"): "completed",
    ("authorized", "lapsed"): "failed",
}
"""Every legal move; completed ⇔ captured. A failure told late never takes an authorisation back, a lapse does."""


@dataclass(frozen=True)
class Payment:
    """`refund_wanted` counts what was ever asked to go back, `amount_refunded` what the gateway confirmed.

    `ask_at` is when this payment needs a look: the gateway to be asked, or the order to be told; None: never again.
    """

    payment_id: str
    order_id: str
    user_id: str
    amount: int
    currency: str
    method: str
    created_at: datetime
    status: Status = "pending"
    version: int = 1
    amount_refunded: int = 0
    refund_wanted: int = 0
    transaction_id: str | None = None
    razorpay_order_id: str | None = None
    raw: Entity = field(default_factory=dict)
    order_told: bool = False
    ask_at: datetime | None = None
    asked: int = 0

    @property
    def is_cod(self) -> bool:
        return self.method == "cod"

    @property
    def is_open(self) -> bool:
        return self.status in {"pending", "authorized", "failed"}

    @property
    def is_unsettled(self) -> bool:
        """The money is here and the order has not been told."""
        return self.status == "completed" and not self.order_told

    @property
    def left_to_refund(self) -> int:
        return self.amount - max(self.refund_wanted, self.amount_refunded)

    def after(self, fact: GatewayFact, now: datetime) -> "Outcome":
        """The payment as this fact leaves it, and the events of the change; the same object when nothing moved."""
        if fact.state == "captured" and self._is_stray(fact):
            return Outcome(self, stray=fact)
        if fact.amount != self.amount or fact.currency != self.currency:
            return Outcome(self)
        moved = self._moved(fact, now)
        after = moved.giving_back(fact)
        if after is self:
            return Outcome(self)
        stored = replace(after, version=self.version + 1)
        return Outcome(stored, events=_events(self, moved, stored, fact))

    def _is_stray(self, fact: GatewayFact) -> bool:
        """Money beside the payment: charged a second time, or another sum than the order's."""
        if (fact.amount, fact.currency) != (self.amount, self.currency):
            return True
        return not self.is_open and fact.transaction_id != self.transaction_id

    def _moved(self, fact: GatewayFact, now: datetime) -> "Payment":
        status = _MOVES.get((self.status, fact.state))
        repeated = status == "failed" and fact.transaction_id == self.transaction_id and self.status == "failed"
        foreign = fact.state == "lapsed" and self.transaction_id not in {None, fact.transaction_id}
        too_late = fact.state == "authorized" and now > self.created_at + LATE_AUTHORISATION
        if status is None or repeated or foreign or too_late:
            return self
        return replace(
            self,
            status=status,
            transaction_id=fact.transaction_id,
            method=fact.method,
            raw=fact.raw,
            ask_at=self._next_look(status, now),
        )

    def _next_look(self, status: Status, now: datetime) -> datetime | None:
        if status == "authorized":
            return now
        return now + SETTLED_WITHIN if status == "completed" else self.ask_at

    def giving_back(self, fact: GatewayFact) -> "Payment":
        if fact.transaction_id != self.transaction_id or fact.refunded <= self.amount_refunded or self.is_open:
            return self
        status: Status = "refunded" if fact.refunded >= self.amount else self.status
        return replace(
            self,
            status=status,
            amount_refunded=fact.refunded,
            refund_wanted=max(self.refund_wanted, fact.refunded),
            raw=fact.raw,
            ask_at=None if status == "refunded" else self.ask_at,
        )

    def looked_at(self, now: datetime) -> "Payment":
        """The gateway was asked and nothing moved: ask again later, less and less often, for three days."""
        if now >= self.created_at + LATE_AUTHORISATION:
            ended: Status = "failed" if self.status == "pending" else self.status
            return replace(self, status=ended, ask_at=None, version=self.version + 1)
        wait = min(LONGEST_WAIT, FIRST_ASKED_AFTER * 2**self.asked)
        return replace(self, ask_at=now + wait, asked=self.asked + 1, version=self.version + 1)

    def postponed(self, now: datetime) -> "Payment":
        """Whoever was asked did not answer."""
        return replace(self, ask_at=now + SETTLED_WITHIN, version=self.version + 1)

    def told(self) -> "Payment":
        return replace(self, order_told=True, ask_at=None, version=self.version + 1)

    def called_off(self) -> "Payment":
        """Cash that will not be collected."""
        return replace(self, status="failed", version=self.version + 1)

    def collected(self) -> "Payment":
        """Cash that the seller has; the order knows."""
        return replace(self, status="completed", order_told=True, version=self.version + 1)

    def success(self) -> PaymentSucceeded:
        return PaymentSucceeded(**self.told_fields())

    def stray_went_back(self, transaction_id: str, amount: int, refund_id: str) -> PaymentRefunded:
        """Money beside this payment is with the buyer again."""
        told = {**self.told_fields(), "transaction_id": transaction_id}
        return PaymentRefunded(**told, refund_id=refund_id, refunded=self.amount_refunded, stray=amount)

    def told_fields(self) -> dict[str, Any]:
        """What every event of this payment carries."""
        return {
            "payment_id": self.payment_id,
            "order_id": self.order_id,
            "user_id": self.user_id,
            "amount": self.amount,
            "currency": self.currency,
            "method": self.method,
            "transaction_id": self.transaction_id,
        }

    def wanting_back(self, amount: int) -> "Payment":
        return replace(self, refund_wanted=self.refund_wanted + amount, version=self.version + 1)

    def paid_fact(self) -> PaymentFact:
        return PaymentFact(payment_id=self.payment_id, order_id=self.order_id, amount=self.amount, method=self.method)

    def view(self) -> PaymentView:
        return PaymentView(
            payment_id=self.payment_id,
            order_id=self.order_id,
            user_id=self.user_id,
            amount=Money(amount=self.amount, currency=self.currency),
            amount_refunded=Money(amount=self.amount_refunded, currency=self.currency),
            method=self.method,
            status=self.status,
            transaction_id=self.transaction_id,
            gateway={} if self.is_cod else {"razorpayOrderId": self.razorpay_order_id, "raw": self.raw},
            created_at=self.created_at,
            version=self.version,
        )

    def gateway_order(self, key_id: str) -> GatewayOrder:
        return GatewayOrder(
            payment_id=self.payment_id,
            order_id=self.order_id,
            razorpay_order_id=str(self.razorpay_order_id),
            key_id=key_id,
            amount=self.amount,
            currency=self.currency,
        )


@dataclass(frozen=True)
class Outcome:
    """`stray` is captured money that belongs to no open payment: it goes back."""

    payment: Payment
    events: tuple[PaymentEvent, ...] = ()
    stray: GatewayFact | None = None


def payment_id_of(order_id: str) -> str:
    """An order has one payment, so that its id is known before anything is written."""
    return named_id("pay", order_id)


def _events(before: Payment, moved: Payment, stored: Payment, fact: GatewayFact) -> tuple[PaymentEvent, ...]:
    told = stored.told_fields()
    events: list[PaymentEvent] = []
    if before.is_open and moved.status == "completed":
        events.append(PaymentSucceeded(**told))
    if moved is not before and moved.status == "failed":
        events.append(PaymentFailed(**told, reason=fact.reason))
    if stored.amount_refunded > before.amount_refunded:
        refund_id = fact.refund_id or fact.transaction_id
        events.append(PaymentRefunded(**told, refund_id=refund_id, refunded=stored.amount_refunded))
    return tuple(events)
