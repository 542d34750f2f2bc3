"""What a seller gets of a captured payment, and what of it is taken back. Pure; amounts in paise."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from services.contracts.events import OrderEvent, PayoutChanged
from services.kit.ids import named_id
from services.kit.money import round_half_up
from services.payments.models.payment import LONGEST_WAIT, Payment
from services.payments.models.refund import shipping_line

SMALLEST = 100
"""The least amount a gateway moves."""
LEASE = timedelta(minutes=1)
"""How long one worker has a payout to itself while it talks to the gateway."""


@dataclass(frozen=True)
class Transferred:
    """A transfer as the gateway has it."""

    transfer_id: str
    amount: int
    reversed: int


@dataclass(frozen=True)
class SoldShare:
    """A line as it was sold: `net` after discount, and the commission frozen with it."""

    line_id: str
    net: int
    commission: int

    def clawed_back(self, refunded: int) -> int:
        """The seller's share of a refund: the commission on it is given back to the seller."""
        return refunded - round_half_up(self.commission * refunded, self.net) if self.net else 0


@dataclass(frozen=True)
class Payout:
    """One seller's money out of one payment. `sent` and `reversed` are what the gateway confirmed.

    `ask_at` is when there is something to move; None: nothing until a refund changes it.
    """

    payout_id: str
    payment_id: str
    order_id: str
    user_id: str
    seller_id: str
    currency: str
    method: str
    lines: tuple[SoldShare, ...]
    shipping: int
    created_at: datetime
    in_cash: bool = False
    refunds: int = 0
    transfer_id: str | None = None
    sent: int = 0
    reversed: int = 0
    ask_at: datetime | None = None
    asked: int = 0
    version: int = 1

    @property
    def goods(self) -> int:
        return sum(line.net for line in self.lines)

    @property
    def commission(self) -> int:
        return sum(line.commission for line in self.lines)

    @property
    def net(self) -> int:
        return self.goods + self.shipping - self.commission - self.refunds

    @property
    def to_send(self) -> int:
        """0 when it was sent, is cash, or is less than a gateway moves."""
        wanted = not self.in_cash and self.transfer_id is None and self.net >= SMALLEST
        return self.net if wanted else 0

    @property
    def to_reverse(self) -> int:
        """What is to be with the marketplace again in all, as far as a gateway moves it."""
        back = self.sent - self.net if self.transfer_id else 0
        return back if back - self.reversed >= SMALLEST else self.reversed

    @property
    def status(self) -> str:
        if self.in_cash:
            return "collected"
        if self.transfer_id is None:
            return "due" if self.net > 0 else "cancelled"
        if not self.reversed:
            return "transferred"
        return "reversed" if self.reversed >= self.sent else "partially_reversed"

    def with_refunds(self, refunded: Mapping[str, int], now: datetime) -> "Payout":
        """As these refunds (paise by line, all there ever were) leave it; the same object when nothing changes.

        A worker that has it keeps it: the time of its look is never brought forward.
        """
        refunds = sum(line.clawed_back(refunded.get(line.line_id, 0)) for line in self.lines)
        refunds += refunded.get(shipping_line(self.seller_id), 0)
        if refunds == self.refunds:
            return self
        movable = self.transfer_id is not None or self.ask_at is not None
        look = max(now, self.ask_at or now) if movable else None
        return replace(self, refunds=refunds, ask_at=look, version=self.version + 1)

    def leased(self, now: datetime) -> "Payout":
        return replace(self, ask_at=now + LEASE, version=self.version + 1)

    def moved(self, transfer: Transferred, now: datetime) -> "Payout":
        after = replace(
            self,
            transfer_id=transfer.transfer_id,
            sent=transfer.amount,
            reversed=transfer.reversed,
            asked=0,
            version=self.version + 1,
        )
        return replace(after, ask_at=now if after.to_reverse > after.reversed else None)

    def rested(self) -> "Payout":
        return replace(self, ask_at=None, version=self.version + 1)

    def postponed(self, now: datetime) -> "Payout":
        wait = min(LONGEST_WAIT, LEASE * (1 << min(self.asked, 16)))
        return replace(self, ask_at=now + wait, asked=self.asked + 1, version=self.version + 1)

    def fact(self) -> PayoutChanged:
        return PayoutChanged(
            payment_id=self.payment_id,
            order_id=self.order_id,
            user_id=self.user_id,
            amount=self.goods + self.shipping,
            currency=self.currency,
            method=self.method,
            transaction_id=self.transfer_id,
            payout_id=self.payout_id,
            seller_id=self.seller_id,
            goods=self.goods,
            shipping=self.shipping,
            commission=self.commission,
            refunds=self.refunds,
            net=self.net,
            status=self.status,
            version=self.version,
        )


def payouts_of(payment: Payment, event: OrderEvent, now: datetime, *, transfers: bool) -> list[Payout]:
    """One per seller of the order, as it was sold. Without `transfers` they stay due and are paid by other means."""
    shipping = {part.seller_id: part.shipping for part in event.parts}
    return [
        Payout(
            payout_id=named_id("pyt", payment.payment_id, seller_id),
            payment_id=payment.payment_id,
            order_id=payment.order_id,
            user_id=payment.user_id,
            seller_id=seller_id,
            currency=payment.currency,
            method=payment.method,
            lines=tuple(
                SoldShare(line.line_id, line.net, line.commission)
                for line in event.lines
                if line.seller_id == seller_id
            ),
            shipping=shipping.get(seller_id, 0),
            created_at=now,
            in_cash=payment.is_cod,
            ask_at=now if transfers and not payment.is_cod else None,
        )
        for seller_id in dict.fromkeys(line.seller_id for line in event.lines)
    ]
