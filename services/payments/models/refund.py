"""Money on its way back to the buyer."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from services.kit.ids import named_id
from services.payments.models.gateway import GatewayFact
from services.payments.models.payment import LONGEST_WAIT, Payment

RefundStatus = Literal["pending", "processed"]


@dataclass(frozen=True)
class Refund:
    """Money on its way back. `refund_id` is also the gateway's idempotency key, so there is one refund per id."""

    refund_id: str
    payment_id: str
    order_id: str
    transaction_id: str
    amount: int
    reason: str
    created_at: datetime
    status: RefundStatus = "pending"
    gateway_refund_id: str | None = None
    ask_at: datetime | None = None
    asked: int = 0

    def wait_after_failure(self) -> timedelta:
        return min(LONGEST_WAIT, timedelta(minutes=1 << min(self.asked, 16)))


def whole_refund(payment: Payment, reason: str, now: datetime) -> Refund:
    """Whatever is left of the payment; one per transaction, whoever asks for it and however often."""
    transaction = str(payment.transaction_id)
    return _refund_of(payment, transaction, payment.left_to_refund, reason, now)


def stray_refund(payment: Payment, fact: GatewayFact, now: datetime) -> Refund:
    return _refund_of(payment, fact.transaction_id, fact.amount, "charged beside the payment", now)


def _refund_of(payment: Payment, transaction_id: str, amount: int, reason: str, now: datetime) -> Refund:
    return Refund(
        refund_id=named_id("rfd", transaction_id, "whole"),
        payment_id=payment.payment_id,
        order_id=payment.order_id,
        transaction_id=transaction_id,
        amount=amount,
        reason=reason,
        created_at=now,
        ask_at=now,
    )
