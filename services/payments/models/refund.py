"""Money on its way back to the buyer, and which lines of the order it belongs to."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from services.contracts.payments import RefundLine, RefundStatus, RefundView
from services.kit.ids import named_id
from services.kit.money import Money, split_by_largest_remainder
from services.payments.models.gateway import GatewayFact
from services.payments.models.payment import LONGEST_WAIT, Payment

_SHIPPING = "shipping:"


@dataclass(frozen=True)
class Share:
    """Paise of one line, or of a part's shipping, that a refund gives back."""

    line_id: str
    seller_id: str
    amount: int


@dataclass(frozen=True)
class Refund:
    """Money on its way back. `refund_id` is also the gateway's idempotency key, so there is one refund per id.

    `shares` add up to the amount, or are empty for money that no order took.
    """

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
    shares: tuple[Share, ...] = ()

    def wait_after_failure(self) -> timedelta:
        return min(LONGEST_WAIT, timedelta(minutes=1 << min(self.asked, 16)))

    def view(self, currency: str) -> RefundView:
        return RefundView(
            refund_id=self.refund_id,
            payment_id=self.payment_id,
            order_id=self.order_id,
            amount=Money(amount=self.amount, currency=currency),
            lines=tuple(
                RefundLine(
                    line_id=share.line_id,
                    seller_id=share.seller_id,
                    amount=Money(amount=share.amount, currency=currency),
                )
                for share in self.shares
            ),
            status=self.status,
            reason=self.reason,
            gateway_refund_id=self.gateway_refund_id,
            created_at=self.created_at,
        )


def shipping_line(seller_id: str) -> str:
    """The name under which a part's shipping is refunded."""
    return _SHIPPING + seller_id


def wanted_by_line(refunds: Iterable[Refund]) -> Counter[str]:
    """What was ever asked to go back of each line."""
    wanted: Counter[str] = Counter()
    for refund in refunds:
        for share in refund.shares:
            wanted[share.line_id] += share.amount
    return wanted


def left_of(shares: Iterable[Share], wanted: Mapping[str, int]) -> list[Share]:
    """What of each share is not asked back yet."""
    left = [Share(each.line_id, each.seller_id, each.amount - wanted.get(each.line_id, 0)) for each in shares]
    return [each for each in left if each.amount > 0]


def split(amount: int, over: Sequence[Share]) -> tuple[Share, ...]:
    """`amount` over what is left of the lines, exactly and in proportion; empty when they do not hold as much."""
    if amount > sum(each.amount for each in over):
        return ()
    parts = split_by_largest_remainder(amount, [each.amount for each in over])
    made = (Share(each.line_id, each.seller_id, part) for each, part in zip(over, parts, strict=True))
    return tuple(share for share in made if share.amount)


def refund_of(
    payment: Payment, refund_id: str, amount: int, reason: str, now: datetime, shares: tuple[Share, ...] = ()
) -> Refund:
    """Cash goes back by the hand that holds it; everything else by the gateway."""
    return Refund(
        refund_id=refund_id,
        payment_id=payment.payment_id,
        order_id=payment.order_id,
        transaction_id=payment.transaction_id or "",
        amount=amount,
        reason=reason,
        created_at=now,
        status="by_hand" if payment.is_cod else "pending",
        ask_at=None if payment.is_cod else now,
        shares=shares,
    )


def whole_refund(payment: Payment, reason: str, now: datetime, shares: tuple[Share, ...] = ()) -> Refund:
    """Whatever is left of the payment; one per transaction, whoever asks for it and however often."""
    refund_id = _whole_id(str(payment.transaction_id))
    return refund_of(payment, refund_id, payment.left_to_refund, reason, now, shares)


def stray_refund(payment: Payment, fact: GatewayFact, now: datetime) -> Refund:
    """Money beside the payment, all of it."""
    return Refund(
        refund_id=_whole_id(fact.transaction_id),
        payment_id=payment.payment_id,
        order_id=payment.order_id,
        transaction_id=fact.transaction_id,
        amount=fact.amount,
        reason="charged beside the payment",
        created_at=now,
        ask_at=now,
    )


def _whole_id(transaction_id: str) -> str:
    return named_id("rfd", transaction_id, "whole")
