"""An order and its life. Pure: every step gives a new order with the next version."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, Literal, TypeVar

from services.contracts.auth import Address
from services.contracts.catalog import LineIn
from services.contracts.events import OrderEvent, OrderLineFact, OrderPartFact
from services.contracts.orders import (
    OrderStatus,
    OrderView,
    Part,
    PartStatus,
    PaymentFact,
    PaymentStatus,
    Return,
    SellerPart,
    TimelineEntry,
)
from services.kit.money import inr
from services.kit.wire import Wire
from services.orders.models.billing import Bill, SoldLine, taxed_for
from services.orders.models.parts import (
    ENDED,
    PART_MOVES,
    IllegalMove,
    Issuer,
    TakeBack,
    parts_at,
    status_of,
    with_part,
)
from services.orders.models.returns import with_pieces_back

Stock = Literal["held", "committed", "released", "restocked"]
StockStep = Literal["commit", "release", "restock", "take_back"]
Kind = TypeVar("Kind", bound=OrderEvent)

LEGAL_MOVES: Mapping[OrderStatus, frozenset[OrderStatus]] = {
    "pending": frozenset({"confirmed", "cancelled", "expired"}),
    "confirmed": frozenset({"shipped", "delivered", "returned", "cancelled"}),
    "shipped": frozenset({"delivered", "returned"}),
    "delivered": frozenset({"returned"}),
    "cancelled": frozenset(),
    "expired": frozenset(),
    "returned": frozenset(),
}
"""Where an order as a whole may go; it skips a step when the part that was behind is cancelled."""
AFTER_STEP: Mapping[StockStep, Stock] = {
    "commit": "committed",
    "release": "released",
    "restock": "restocked",
    "take_back": "committed",
}
SMALLEST_REFUND = 100
"""Paise; less is not moved by a gateway, so an order does not wait for it."""


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
    taking_back: TakeBack | None = None
    coupon: str | None = None
    issuers: tuple[Issuer, ...] = ()
    returns: tuple[Return, ...] = ()
    confirmed_at: datetime | None = None
    completed_at: datetime | None = None

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
        coupon: str | None = None,
        issuers: tuple[Issuer, ...] = (),
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
            coupon=coupon,
            issuers=issuers,
        )

    @property
    def wanted(self) -> list[LineIn]:
        return [LineIn(variant_id=line.variant_id, qty=line.qty) for line in self.lines]

    @property
    def cancellable(self) -> bool:
        return self.status in {"pending", "confirmed"} and all(
            part.status in {"pending", "confirmed", "cancelled"} for part in self.parts
        )

    @property
    def frees_coupon(self) -> bool:
        """It ended without being paid."""
        return self.status in {"expired", "cancelled"} and self.payment_status == "unpaid"

    @property
    def refund_due(self) -> int:
        """Paise that have to be back with the buyer in all, as far as the order was paid."""
        shipping = sum(part.shipping_refund_due.amount for part in self.parts)
        return shipping + sum(line.refund_due.amount for line in self.lines)

    def part_of(self, seller_id: str) -> Part | None:
        return next((part for part in self.parts if part.seller_id == seller_id), None)

    def lines_of(self, seller_ids: Collection[str]) -> list[SoldLine]:
        return [line for line in self.lines if line.seller_id in seller_ids]

    def confirmed(self, now: datetime, note: str = "") -> "Order":
        return self._moved("confirmed", now, note, stock_due="commit", expires_at=None, confirmed_at=now)

    def paid_by(self, fact: PaymentFact, now: datetime) -> "Order":
        paid = {"payment_status": "paid", "payment_id": fact.payment_id, "paid": fact.amount}
        return self.confirmed(now, f"paid by {fact.method}").model_copy(update=paid)

    def expired(self, now: datetime) -> "Order":
        return self._moved("expired", now, "not paid in time", stock_due="release")

    def cancelled(self, now: datetime, reason: str) -> "Order":
        """Of a confirmed order the goods must have been committed before."""
        live = {part.seller_id for part in self.parts if part.status == "confirmed"}
        step: StockStep = "release" if self.stock == "held" else "restock"
        return self._moved("cancelled", now, reason, stock_due=step).owing_back(live)

    def owing_back(self, seller_ids: Collection[str]) -> "Order":
        """All that these sellers' parts cost, goods and shipping, is due back."""
        lines = tuple(_due_whole(line) if line.seller_id in seller_ids else line for line in self.lines)
        parts = tuple(
            part.model_copy(update={"shipping_refund_due": part.shipping}) if part.seller_id in seller_ids else part
            for part in self.parts
        )
        return self.model_copy(update={"lines": lines, "parts": parts})

    def part_moved(self, seller_id: str, to: PartStatus, now: datetime, note: str = "", **changes: Any) -> "Order":
        """One seller's part goes on; the order follows its least advanced live part. Raises IllegalMove."""
        part = self.part_of(seller_id)
        if part is None or to not in PART_MOVES[part.status]:
            raise IllegalMove(f"{self.order_id}, {seller_id}: {part.status if part else None} → {to}")
        parts = with_part(self.parts, part.model_copy(update={"status": to, **changes}))
        entry = TimelineEntry(status=to, at=now, note=note, seller_id=seller_id)
        return self._changed(entry, parts=parts, status=status_of(parts))

    def part_cancelled(self, seller_id: str, now: datetime, reason: str) -> "Order":
        """The goods must have been committed before."""
        lines = tuple(LineIn(variant_id=line.variant_id, qty=line.qty) for line in self.lines_of({seller_id}))
        back = TakeBack(reference=self.order_id, lines=lines)
        moved = self.part_moved(seller_id, "cancelled", now, reason).owing_back({seller_id})
        return moved.model_copy(update={"stock_due": "take_back", "taking_back": back})

    def collected(self, seller_id: str, now: datetime) -> "Order":
        """The cash of this part is here; the order is paid once that of every part is."""
        part = self.part_of(seller_id)
        if part is None:
            raise IllegalMove(f"{self.order_id}, {seller_id}: cash of no part")
        parts = with_part(self.parts, part.model_copy(update={"cod_collected_at": now}))
        amount = part.subtotal + part.shipping
        whole = all(each.status == "cancelled" or each.cod_collected_at for each in parts)
        entry = TimelineEntry(status="cash_collected", at=now, note=amount.text(), seller_id=seller_id)
        status = "paid" if whole else self.payment_status
        return self._changed(entry, parts=parts, paid=self.paid + amount.amount, payment_status=status)

    def delivered_to(self, address: Address, states: Mapping[str, str], now: datetime) -> "Order":
        """Another address: the tax is split anew, every amount stays."""
        lines = tuple(taxed_for(line, states.get(line.seller_id), address) for line in self.lines)
        entry = TimelineEntry(status="address_changed", at=now)
        return self._changed(entry, lines=lines, address=address)

    def with_returns(self, asked: Sequence[Return], now: datetime) -> "Order":
        entries = [TimelineEntry(status="return_requested", at=now, seller_id=each.seller_id) for each in asked]
        return self._changed(*entries, returns=(*self.returns, *asked))

    def return_refused(self, which: Return, note: str, now: datetime) -> "Order":
        entry = TimelineEntry(status="return_refused", at=now, note=note, seller_id=which.seller_id)
        decided = which.model_copy(update={"status": "refused", "note": note, "decided_at": now})
        return self._changed(entry, returns=self._returns_with(decided))

    def return_approved(self, which: Return, note: str, now: datetime, *, restock: bool) -> "Order":
        """The lines are returned and their money is due back; a part with nothing left is returned as a whole."""
        pieces = {line.line_id: line.qty for line in which.lines}
        lines = tuple(with_pieces_back(line, pieces.get(line.line_id, 0)) for line in self.lines)
        done = {"status": "approved", "note": note, "decided_at": now, "restocked": restock}
        entry = TimelineEntry(status="return_approved", at=now, note=note, seller_id=which.seller_id)
        after = self._changed(entry, lines=lines, returns=self._returns_with(which.model_copy(update=done)))
        if restock:
            after = after.model_copy(update={"stock_due": "take_back", "taking_back": self._goods_of(which)})
        if all(line.returned_qty == line.qty for line in after.lines_of({which.seller_id})):
            moved = after.part_moved(which.seller_id, "returned", now)
            return moved.model_copy(update={"version": after.version})
        return after

    def _returns_with(self, decided: Return) -> tuple[Return, ...]:
        return tuple(decided if each.return_id == decided.return_id else each for each in self.returns)

    def _goods_of(self, which: Return) -> TakeBack:
        variants = {line.line_id: line.variant_id for line in self.lines}
        lines = tuple(LineIn(variant_id=variants[line.line_id], qty=line.qty) for line in which.lines)
        return TakeBack(reference=which.return_id, lines=lines)

    @property
    def is_complete(self) -> bool:
        """All parts have ended, one at least with the buyer, and the money is where it belongs."""
        if self.completed_at or not all(part.status in ENDED for part in self.parts):
            return False
        if self.payment_status == "unpaid" or all(part.status == "cancelled" for part in self.parts):
            return False
        return self.payment_method == "cod" or self.refund_due - self.refunded < SMALLEST_REFUND

    def completed(self, now: datetime) -> "Order":
        return self._changed(TimelineEntry(status="completed", at=now), completed_at=now)

    def numbered(self, numbers: Mapping[str, str]) -> "Order":
        """With the invoice numbers of its parts."""
        parts = tuple(
            part.model_copy(update={"invoice_number": numbers.get(part.seller_id, part.invoice_number)})
            for part in self.parts
        )
        return self.model_copy(update={"parts": parts})

    def with_stock_settled(self) -> "Order":
        """As it is once the catalogue has taken the step that was due."""
        if self.stock_due is None:
            return self
        return self.model_copy(update={"stock": AFTER_STEP[self.stock_due], "stock_due": None, "taking_back": None})

    def refunded_to(self, amount: int, now: datetime) -> "Order":
        """`amount` paise have gone back in all."""
        whole = amount >= self.paid
        entry = TimelineEntry(status="refunded" if whole else "partially_refunded", at=now, note=inr(amount).text())
        return self._changed(entry, payment_status=entry.status, refunded=amount)

    def _moved(self, status: OrderStatus, now: datetime, note: str, **more: Any) -> "Order":
        if status not in LEGAL_MOVES[self.status]:
            raise IllegalMove(f"{self.order_id}: {self.status} → {status}")
        entry = TimelineEntry(status=status, at=now, note=note)
        return self._changed(entry, status=status, parts=parts_at(self.parts, status), **more)

    def _changed(self, *entries: TimelineEntry, **changes: Any) -> "Order":
        timeline = (*self.timeline, *entries)
        return self.model_copy(update={**changes, "timeline": timeline, "version": self.version + 1})

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
            coupon=self.coupon,
            returns=self.returns,
            confirmed_at=self.confirmed_at,
            completed_at=self.completed_at,
        )

    def seller_view(self, part: Part) -> SellerPart:
        own = part.seller_id
        return SellerPart(
            order_id=self.order_id,
            status=part.status,
            payment_status=self.payment_status,
            payment_method=self.payment_method,
            part=part,
            items=tuple(line.shown() for line in self.lines_of({own})),
            returns=tuple(each for each in self.returns if each.seller_id == own),
            timeline=tuple(entry for entry in self.timeline if entry.seller_id in {None, own}),
            ship_to=self.address if part.status in {"confirmed", "shipped", "delivered"} else _where(self.address),
            total=part.subtotal + part.shipping,
            created_at=self.created_at,
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
            parts=tuple(_part_fact(part) for part in self.parts),
            placed_at=self.created_at,
            confirmed_at=self.confirmed_at,
            coupon=self.coupon,
            version=self.version,
            **more,
        )


def _due_whole(line: SoldLine) -> SoldLine:
    return line.model_copy(update={"refund_due": line.line_total})


def _where(address: Address) -> Address:
    """No more than the place."""
    hidden = {"name": "", "phone": "", "street": "", "zip_code": ""}
    return address.model_copy(update=hidden)


def _part_fact(part: Part) -> OrderPartFact:
    return OrderPartFact(
        seller_id=part.seller_id,
        status=part.status,
        shipping=part.shipping.amount,
        shipping_refund_due=part.shipping_refund_due.amount,
    )


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
        refund_due=line.refund_due.amount,
    )
