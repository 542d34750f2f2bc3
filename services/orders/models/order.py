"""An order and its life. Pure: every step gives a new order with the next version."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Literal, TypeVar

from services.contracts.auth import Address
from services.contracts.catalog import LineIn
from services.contracts.events import OrderEvent, OrderLineFact, OrderPartFact
from services.contracts.orders import (
    OrderStatus,
    OrderView,
    Part,
    PaymentFact,
    PaymentStatus,
    TimelineEntry,
)
from services.kit.money import inr
from services.kit.wire import Wire
from services.orders.models.billing import Bill, SoldLine

Stock = Literal["held", "committed", "released", "restocked"]
StockStep = Literal["commit", "release", "restock"]
Kind = TypeVar("Kind", bound=OrderEvent)

LEGAL_MOVES: Mapping[OrderStatus, frozenset[OrderStatus]] = {
    "pending": frozenset({"confirmed", "cancelled", "expired"}),
    "confirmed": frozenset({"shipped", "cancelled"}),
    "shipped": frozenset({"delivered", "returned"}),
    "delivered": frozenset({"returned"}),
    "cancelled": frozenset(),
    "expired": frozenset(),
    "returned": frozenset(),
}
AFTER_STEP: Mapping[StockStep, Stock] = {"commit": "committed", "release": "released", "restock": "restocked"}


class IllegalMove(Exception):
    """A step the table does not allow; a bug of the caller, who checks first."""


class Order(Wire):
    """Amounts in paise. `stock_due` is the step the catalogue still has to take for this order."""

    order_id: str
    user_id: str
    status: OrderStatus
    payment_status: PaymentStatus
    payment_method: str
    lines: tuple[SoldLine, ...]
    parts: tuple[Part, ...]
    timeline: tuple[TimelineEntry, ...]
    address: Address
    cart_id: str
    cart_version: int
    subtotal: int
    discount: int
    shipping: int
    tax: int
    total: int
    payment_id: str | None = None
    paid: int = 0
    refunded: int = 0
    created_at: datetime
    expires_at: datetime | None = None
    version: int = 1
    stock: Stock = "held"
    stock_due: StockStep | None = None

    @classmethod
    def placed(
        cls,
        order_id: str,
        bill: Bill,
        *,
        user_id: str,
        address: Address,
        payment_method: str,
        cart_id: str,
        cart_version: int,
        now: datetime,
        expires_at: datetime | None,
    ) -> "Order":
        return cls(
            order_id=order_id,
            user_id=user_id,
            status="pending",
            payment_status="unpaid",
            payment_method=payment_method,
            lines=bill.lines,
            parts=bill.parts,
            timeline=(TimelineEntry(status="pending", at=now),),
            address=address,
            cart_id=cart_id,
            cart_version=cart_version,
            subtotal=bill.subtotal,
            discount=bill.discount,
            shipping=bill.shipping,
            tax=bill.tax,
            total=bill.total,
            created_at=now,
            expires_at=expires_at,
        )

    @property
    def wanted(self) -> list[LineIn]:
        return [LineIn(variant_id=line.variant_id, qty=line.qty) for line in self.lines]

    @property
    def cancellable(self) -> bool:
        return self.status in {"pending", "confirmed"} and all(
            part.status in {"pending", "confirmed", "cancelled"} for part in self.parts
        )

    def confirmed(self, now: datetime, note: str = "") -> "Order":
        return self._moved("confirmed", now, note, stock_due="commit", expires_at=None)

    def paid_by(self, fact: PaymentFact, now: datetime) -> "Order":
        paid = {"payment_status": "paid", "payment_id": fact.payment_id, "paid": fact.amount}
        return self.confirmed(now, f"paid by {fact.method}").model_copy(update=paid)

    def expired(self, now: datetime) -> "Order":
        return self._moved("expired", now, "not paid in time", stock_due="release")

    def cancelled(self, now: datetime, reason: str) -> "Order":
        """Of a confirmed order the goods must have been committed before."""
        return self._moved("cancelled", now, reason, stock_due="release" if self.stock == "held" else "restock")

    def with_stock_settled(self) -> "Order":
        """As it is once the catalogue has taken the step that was due."""
        if self.stock_due is None:
            return self
        return self.model_copy(update={"stock": AFTER_STEP[self.stock_due], "stock_due": None})

    def refunded_to(self, amount: int, now: datetime) -> "Order":
        """`amount` paise have gone back in all."""
        whole = amount >= self.paid
        entry = TimelineEntry(status="refunded" if whole else "partially_refunded", at=now, note=inr(amount).text())
        return self.model_copy(
            update={
                "payment_status": entry.status,
                "refunded": amount,
                "timeline": (*self.timeline, entry),
                "version": self.version + 1,
            }
        )

    def _moved(self, status: OrderStatus, now: datetime, note: str, **more: Any) -> "Order":
        if status not in LEGAL_MOVES[self.status]:
            raise IllegalMove(f"{self.order_id}: {self.status} → {status}")
        return self.model_copy(
            update={
                "status": status,
                "parts": parts_at(self.parts, status),
                "timeline": (*self.timeline, TimelineEntry(status=status, at=now, note=note)),
                "version": self.version + 1,
                **more,
            }
        )

    def view(self) -> OrderView:
        return OrderView(
            order_id=self.order_id,
            user_id=self.user_id,
            status=self.status,
            payment_status=self.payment_status,
            payment_method=self.payment_method,
            items=tuple(line.shown() for line in self.lines),
            subtotal=inr(self.subtotal),
            total=inr(self.total),
            tax=inr(self.tax),
            shipping=inr(self.shipping),
            discount=inr(self.discount),
            parts=self.parts,
            timeline=self.timeline,
            shipping_address=self.address,
            cart_id=self.cart_id,
            cart_version=self.cart_version,
            payment_id=self.payment_id,
            refunded=inr(self.refunded),
            created_at=self.created_at,
            expires_at=self.expires_at,
            version=self.version,
        )

    def fact(self, kind: type[Kind], **more: Any) -> Kind:
        """The order as of now as an event of that kind, without personal data."""
        return kind(
            order_id=self.order_id,
            user_id=self.user_id,
            cart_id=self.cart_id,
            cart_version=self.cart_version,
            status=self.status,
            payment_status=self.payment_status,
            payment_method=self.payment_method,
            total=self.total,
            tax=self.tax,
            shipping=self.shipping,
            discount=self.discount,
            city=self.address.city,
            state=self.address.state,
            lines=tuple(_fact(line) for line in self.lines),
            parts=tuple(
                OrderPartFact(seller_id=part.seller_id, status=part.status, shipping=part.shipping.amount)
                for part in self.parts
            ),
            placed_at=self.created_at,
            confirmed_at=next((entry.at for entry in self.timeline if entry.status == "confirmed"), None),
            version=self.version,
            **more,
        )


def parts_at(parts: Sequence[Part], status: OrderStatus) -> tuple[Part, ...]:
    """The parts when the order as a whole has moved; what was cancelled stays so."""
    whole = "cancelled" if status == "expired" else status
    return tuple(part if part.status == "cancelled" else part.model_copy(update={"status": whole}) for part in parts)


def _fact(line: SoldLine) -> OrderLineFact:
    return OrderLineFact(
        line_id=line.line_id,
        product_id=line.product_id,
        variant_id=line.variant_id,
        seller_id=line.seller_id,
        title=line.title,
        category=line.category,
        brand=line.brand,
        qty=line.qty,
        unit_price=line.price.amount,
        discount=line.discount.amount,
        net=line.line_total.amount,
        tax=line.tax.total,
        commission=line.commission,
    )
