"""What is known of a seller's part of an order, and what it adds to the figures of a day. Pure.

A fact is joined from events: the newest version gives the state of the order, `order.confirmed` or any later event the
moment that counts. Joining is associative, commutative and idempotent: any order and number of deliveries gives the
same.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import date, datetime

from services.contracts.events import OrderConfirmed, OrderEvent, OrderLineFact
from services.contracts.sellers import SellerOrder, SellerOrderLine
from services.kit.events import Envelope
from services.kit.money import inr
from services.sellers.models.periods import indian_day

_SOLD = frozenset({"confirmed", "shipped", "delivered", "returned"})


@dataclass(frozen=True, slots=True)
class Line:
    """Amounts in paise; `net` after discount, GST included."""

    product_id: str
    variant_id: str
    title: str
    qty: int
    unit_price: int
    net: int

    @classmethod
    def of(cls, line: OrderLineFact) -> "Line":
        return cls(line.product_id, line.variant_id, line.title, line.qty, line.unit_price, line.net)

    def view(self) -> SellerOrderLine:
        return SellerOrderLine(
            product_id=self.product_id,
            variant_id=self.variant_id,
            title=self.title,
            qty=self.qty,
            price=inr(self.unit_price),
            line_total=inr(self.net),
        )


@dataclass(frozen=True, slots=True)
class OrderFact:
    """One seller's part of one order as of `version`."""

    order_id: str
    seller_id: str
    version: int
    status: str
    payment_status: str
    placed_at: datetime
    city: str
    state: str
    lines: tuple[Line, ...]
    confirmed_at: datetime | None = None

    @property
    def key(self) -> str:
        return fact_key(self.order_id, self.seller_id)

    @property
    def placed_on(self) -> date:
        return indian_day(self.placed_at)

    @property
    def counts_on(self) -> date | None:
        """The day this part counts for; None while it was not confirmed.

        As long as the confirmation itself has not arrived, an order that must have been confirmed counts for the day
        it was placed.
        """
        if self.confirmed_at:
            return indian_day(self.confirmed_at)
        return self.placed_on if self.status in _SOLD else None

    @property
    def net(self) -> int:
        return sum(line.net for line in self.lines)

    def joined(self, other: "OrderFact") -> "OrderFact":
        newest = other if other.version > self.version else self
        moments = [fact.confirmed_at for fact in (self, other) if fact.confirmed_at]
        return replace(newest, confirmed_at=min(moments, default=None))

    def view(self) -> SellerOrder:
        return SellerOrder(
            order_id=self.order_id,
            status=self.status,
            payment_status=self.payment_status,
            placed_at=self.placed_at,
            city=self.city,
            state=self.state,
            lines=tuple(line.view() for line in self.lines),
            total=inr(self.net),
        )


def fact_key(order_id: str, seller_id: str) -> str:
    return f"{order_id}:{seller_id}"


def facts_of(envelope: Envelope) -> list[OrderFact]:
    """What one order event says about each seller in it."""
    event = OrderEvent.from_wire(envelope.data)
    confirmed_at = event.confirmed_at or (envelope.time if envelope.type == OrderConfirmed.TYPE else None)
    return [
        OrderFact(
            order_id=event.order_id,
            seller_id=seller_id,
            version=event.version,
            status=_status(event, seller_id),
            payment_status=event.payment_status,
            placed_at=event.placed_at,
            city=event.city,
            state=event.state,
            lines=tuple(Line.of(line) for line in event.lines if line.seller_id == seller_id),
            confirmed_at=confirmed_at,
        )
        for seller_id in sorted({line.seller_id for line in event.lines})
    ]


def _status(event: OrderEvent, seller_id: str) -> str:
    """Where this seller's part stands; an order that expired has no parts that were called off."""
    if event.status == "expired":
        return event.status
    return next((part.status for part in event.parts if part.seller_id == seller_id), event.status)


def join_all(facts: Iterable[OrderFact]) -> dict[str, OrderFact]:
    joined: dict[str, OrderFact] = {}
    for fact in facts:
        known = joined.get(fact.key)
        joined[fact.key] = known.joined(fact) if known else fact
    return joined


@dataclass(slots=True)
class Tally:
    """Sums over the parts that count for one day: revenue in paise, and per product revenue and units."""

    revenue: int = 0
    orders: int = 0
    units: int = 0
    cancellations: int = 0
    returns: int = 0
    product_revenue: Counter[str] = field(default_factory=Counter)
    product_units: Counter[str] = field(default_factory=Counter)

    def add(self, fact: OrderFact, sign: int = 1) -> None:
        """Count a confirmed part in, or with sign -1 out again. Cancelled ones are counted as such and nothing else."""
        if fact.status == "cancelled":
            self.cancellations += sign
            return
        self.orders += sign
        self.returns += sign * (fact.status == "returned")
        for line in fact.lines:
            self.revenue += sign * line.net
            self.units += sign * line.qty
            self.product_revenue[line.product_id] += sign * line.net
            self.product_units[line.product_id] += sign * line.qty

    def add_all(self, other: "Tally") -> None:
        self.revenue += other.revenue
        self.orders += other.orders
        self.units += other.units
        self.cancellations += other.cancellations
        self.returns += other.returns
        self.product_revenue.update(other.product_revenue)
        self.product_units.update(other.product_units)

    @property
    def empty(self) -> bool:
        return not self.orders and not self.cancellations
