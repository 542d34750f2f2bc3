"""Orders in memory with the true rules of money: payable while pending, paid once, refused when closed."""

import asyncio
from collections.abc import Mapping, Sequence

from services.contracts.auth import Address
from services.contracts.events import OrderEvent, OrderLineFact, OrderPartFact
from services.contracts.orders import (
    CancelOrder,
    MarkPaid,
    OrderClosed,
    OrderLine,
    OrderView,
    Part,
    PaymentFact,
    PlaceOrder,
    Quote,
    QuoteRequest,
    TaxSplit,
)
from services.kit.clock import Clock
from services.kit.errors import NotFound, Unavailable
from services.kit.idempotency import CommandKey
from services.kit.ids import Ids
from services.kit.money import inr
from services.kit.principal import Principal
from services.kit.wire import Page


class FakeOrders:
    """`away` makes every call fail as an unreachable service does; `facts` keeps what payments told."""

    def __init__(self, ids: Ids, clock: Clock) -> None:
        self.known: dict[str, OrderView] = {}
        self.facts: list[PaymentFact] = []
        self.away = False
        self._ids = ids
        self._clock = clock

    def has(self, who: Principal, total: int = 149_900, method: str = "razorpay") -> OrderView:
        """A pending order of this buyer."""
        order = OrderView(
            order_id=self._ids.new("ord"),
            user_id=who.user_id,
            status="pending",
            payment_status="unpaid",
            payment_method=method,
            items=(),
            subtotal=inr(total),
            total=inr(total),
            tax=inr(0),
            shipping=inr(0),
            discount=inr(0),
            parts=(),
            timeline=(),
            shipping_address=Address(
                address_id="adr_1", name="A", phone="+919800000000", street="1 Lane", city="Pune", state="Maharashtra",
                country="IN", zip_code="411001",
            ),
            cart_id="crt_1",
            cart_version=1,
            refunded=inr(0),
            created_at=self._clock.now(),
            version=1,
        )  # fmt: skip
        self.known[order.order_id] = order
        return order

    def has_sold(
        self, who: Principal, lines: Sequence[OrderLine], shipping: dict[str, int], method: str = "razorpay"
    ) -> OrderView:
        """A pending order of these lines; `shipping` in paise by seller."""
        goods = sum(line.line_total.amount for line in lines)
        order = self.has(who, goods + sum(shipping.values()), method)
        parts = tuple(
            Part(
                seller_id=seller_id,
                status="pending",
                subtotal=inr(sum(line.line_total.amount for line in lines if line.seller_id == seller_id)),
                shipping=inr(cost),
                line_ids=tuple(line.line_id for line in lines if line.seller_id == seller_id),
            )
            for seller_id, cost in shipping.items()
        )
        return self._set(order.order_id, items=tuple(lines), parts=parts, shipping=inr(sum(shipping.values())))

    def set_paid(self, order_id: str) -> None:
        """Cash was collected."""
        self._set(order_id, payment_status="paid", status="delivered")

    def set_part(self, order_id: str, seller_id: str, status: str) -> None:
        parts = self.known[order_id].parts
        changed = (p.model_copy(update={"status": status}) if p.seller_id == seller_id else p for p in parts)
        self._set(order_id, parts=tuple(changed))

    def close(self, order_id: str, status: str) -> None:
        """Expired, cancelled: money is no longer accepted."""
        self._set(order_id, status=status)

    def _set(self, order_id: str, **changes: object) -> OrderView:
        order = self.known[order_id]
        self.known[order_id] = order.model_copy(update={**changes, "version": order.version + 1})
        return self.known[order_id]

    async def payable(self, who: Principal, order_id: str) -> OrderView:
        order = await self.get(who, order_id)
        if order.status != "pending" or order.payment_status != "unpaid":
            raise OrderClosed("closed", details={"status": order.status})
        return order

    async def get(self, who: Principal, order_id: str) -> OrderView:
        await self._reached()
        order = self.known.get(order_id)
        if order is None or (order.user_id != who.user_id and not who.is_admin):
            raise NotFound.of("order")
        return order

    async def mark_paid(self, who: Principal, fact: PaymentFact) -> MarkPaid:
        assert who.service
        await self._reached()
        self.facts.append(fact)
        order = self.known.get(fact.order_id)
        if order is None:
            raise NotFound.of("order")
        if order.payment_id == fact.payment_id:
            return MarkPaid(accepted=True, order=order)
        if order.status != "pending" or fact.amount != order.total.amount:
            return MarkPaid(accepted=False, order=order)
        paid = self._set(order.order_id, status="confirmed", payment_status="paid", payment_id=fact.payment_id)
        return MarkPaid(accepted=True, order=paid)

    async def mark_refunded(self, who: Principal, order_id: str, refunded: int) -> OrderView:
        assert who.service
        await self._reached()
        return self._set(order_id, refunded=inr(refunded), payment_status="refunded")

    async def quote(self, who: Principal, request: QuoteRequest) -> Quote:
        raise NotFound.of("cart")

    async def place(self, who: Principal, command: PlaceOrder, key: CommandKey) -> OrderView:
        raise NotFound.of("cart")

    async def mine(self, who: Principal, limit: int = 20, cursor: str | None = None) -> Page[OrderView]:
        own = [order for order in self.known.values() if order.user_id == who.user_id]
        return Page(items=own[:limit])

    async def cancel(
        self, who: Principal, order_id: str, command: CancelOrder, key: CommandKey | None = None
    ) -> OrderView:
        await self.get(who, order_id)
        return self._set(order_id, status="cancelled")

    async def expire_due(self) -> int:
        return 0

    async def _reached(self) -> None:
        await asyncio.sleep(0)
        if self.away:
            raise Unavailable("orders are away", retry_after=1)


def sold_line(line_id: str, seller_id: str, total: int) -> OrderLine:
    """One piece for `total` paise."""
    return OrderLine(
        line_id=line_id, product_id=f"prd_{line_id}", variant_id=f"var_{line_id}", seller_id=seller_id, title=line_id,
        category="Men", qty=1, price=inr(total), discount=inr(0), line_total=inr(total), tax=TaxSplit(rate=5),
    )  # fmt: skip


def event_of(kind: type[OrderEvent], order: OrderView, due: Mapping[str, int] | None = None) -> OrderEvent:
    """The event orders would send of this order as it is now; 8 % commission.

    `due` are paise to be back with the buyer, by line or `shipping:<sellerId>`.
    """
    due = due or {}
    return kind(
        order_id=order.order_id,
        user_id=order.user_id,
        cart_id=order.cart_id,
        cart_version=order.cart_version,
        status={"order.cancelled": "cancelled", "order.expired": "expired"}.get(kind.TYPE, order.status),
        payment_status=order.payment_status,
        payment_method=order.payment_method,
        total=order.total.amount,
        tax=order.tax.amount,
        shipping=order.shipping.amount,
        discount=order.discount.amount,
        city=order.shipping_address.city,
        state=order.shipping_address.state,
        lines=tuple(
            OrderLineFact(
                line_id=line.line_id, product_id=line.product_id, variant_id=line.variant_id,
                seller_id=line.seller_id, title=line.title, category=line.category, qty=line.qty,
                unit_price=line.price.amount, net=line.line_total.amount, tax=0,
                commission=line.line_total.amount * 8 // 100, refund_due=due.get(line.line_id, 0),
            )
            for line in order.items
        ),
        parts=tuple(
            OrderPartFact(
                seller_id=part.seller_id, status=part.status, shipping=part.shipping.amount,
                shipping_refund_due=due.get(f"shipping:{part.seller_id}", 0),
            )
            for part in order.parts
        ),
        placed_at=order.created_at,
        version=order.version,
    )  # fmt: skip
