"""Orders in memory with the true rules of money: payable while pending, paid once, refused when closed."""

import asyncio

from services.contracts.auth import Address
from services.contracts.events import OrderEvent
from services.contracts.orders import (
    CancelOrder,
    MarkPaid,
    OrderClosed,
    OrderView,
    PaymentFact,
    PlaceOrder,
    Quote,
    QuoteRequest,
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


def event_of(kind: type[OrderEvent], order: OrderView) -> OrderEvent:
    """The event orders would send of this order as it is now."""
    return kind(
        order_id=order.order_id,
        user_id=order.user_id,
        cart_id=order.cart_id,
        cart_version=order.cart_version,
        status=order.status,
        payment_status=order.payment_status,
        payment_method=order.payment_method,
        total=order.total.amount,
        tax=order.tax.amount,
        shipping=order.shipping.amount,
        discount=order.discount.amount,
        city=order.shipping_address.city,
        state=order.shipping_address.state,
        lines=(),
        placed_at=order.created_at,
        version=order.version,
    )
