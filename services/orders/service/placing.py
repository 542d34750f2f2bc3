"""From cart to order: record, hold, save; every step can be repeated with the same order id."""

from datetime import timedelta
from typing import NoReturn

from services.contracts.cart import CartPort, CouponRefused
from services.contracts.catalog import CatalogPort, OutOfStock, ProductGone
from services.contracts.events import OrderConfirmed, OrderCreated, OrderEvent
from services.contracts.orders import CartAlreadyOrdered, OrderClosed, OrderView, PlaceOrder, QuoteChanged
from services.kit.clock import Clock
from services.kit.errors import Conflict, InFlight, NotFound
from services.kit.faults import CrashPoints
from services.kit.idempotency import Attempt, CommandKey, Idempotency
from services.kit.mongo import DuplicateKey
from services.kit.outbox import Outbox, Unit
from services.kit.principal import Principal
from services.orders.models.order import Order
from services.orders.repository import OrderRepository
from services.orders.service.changing import OrderChanges
from services.orders.service.numbering import InvoiceNumbers
from services.orders.service.quoting import Quoting


class Placing:
    """The use case behind POST /orders."""

    def __init__(
        self,
        repository: OrderRepository,
        outbox: Outbox,
        idempotency: Idempotency,
        clock: Clock,
        *,
        quoting: Quoting,
        changes: OrderChanges,
        numbers: InvoiceNumbers,
        cart: CartPort,
        catalog: CatalogPort,
        expiry: timedelta,
        crash: CrashPoints,
    ) -> None:
        self._orders = repository
        self._outbox = outbox
        self._idempotency = idempotency
        self._quoting = quoting
        self._changes = changes
        self._numbers = numbers
        self._cart = cart
        self._catalog = catalog
        self._clock = clock
        self._expiry = expiry
        self._crash = crash

    async def place(self, who: Principal, command: PlaceOrder, key: CommandKey) -> OrderView:
        async with self._idempotency.attempt(key, "ord") as attempt:
            if attempt.answer is not None:
                return OrderView.from_wire(attempt.answer).as_replayed()
            self._crash.reach("orders.place.begun")
            order, events = await self._drawn_up(who, command, attempt.new_id)
            await self._hold(order, attempt)
            self._crash.reach("orders.place.reserved")
            order = await self._keep(order, events, attempt)
        self._crash.reach("orders.place.saved")
        await self._changes.settle_stock(order)
        return order.view()

    async def _drawn_up(self, who: Principal, command: PlaceOrder, order_id: str) -> tuple[Order, list[OrderEvent]]:
        """The order as it will be saved, and what is to be told of it."""
        draft = await self._quoting.draft(who, command.address_id, command.payment_method)
        if command.quote_hash is not None:
            fresh = self._quoting.quote(who, draft, command.payment_method)
            changes = self._quoting.changes(who, command.quote_hash, fresh)
            if changes:
                raise QuoteChanged(
                    f"the quote no longer holds ({', '.join(changes)}); look at the new one and order with its hash",
                    field="quoteHash",
                    details={"changes": changes, "quote": fresh.to_wire()},
                )
        now = self._clock.now()
        on_delivery = command.payment_method == "cod"
        order = Order.placed(
            order_id,
            draft.bill,
            user_id=who.user_id,
            address=draft.address,
            payment_method=command.payment_method,
            cart_id=draft.cart.cart_id,
            cart_version=draft.cart.version,
            now=now,
            expires_at=None if on_delivery else now + self._expiry,
            issuers=draft.issuers,
            coupon=draft.coupon,
        )
        created = order.fact(OrderCreated)
        if not on_delivery:
            return order, [created]
        confirmed = order.confirmed(now, "cash on delivery")
        return confirmed, [created, confirmed.fact(OrderConfirmed)]

    async def _hold(self, order: Order, attempt: Attempt) -> None:
        if attempt.resumed:
            await self._free_other_holds(order)
        try:
            await self._catalog.reserve(order.order_id, order.wanted)
        except (OutOfStock, ProductGone):
            await self._require_cart_unordered(order)
            raise
        if order.coupon:
            await self._redeem(order, order.coupon)

    async def _redeem(self, order: Order, code: str) -> None:
        """Held goods are what a sweep finds if this breaks off, so they are held first and freed last."""
        try:
            await self._cart.redeem(order.user_id, code, order.order_id)
        except (CouponRefused, NotFound):
            await self._catalog.release(order.order_id, order.wanted)
            await self._require_cart_unordered(order)
            raise
        self._crash.reach("orders.place.redeemed")

    async def _free_other_holds(self, order: Order) -> None:
        """The try that broke off may have held or redeemed what the cart no longer says."""
        await self._cart.release_coupon(order.order_id)
        held = dict(await self._catalog.holds_older_than(self._clock.now() + self._expiry))
        others = [line for line in held.get(order.order_id, []) if line not in order.wanted]
        if others:
            await self._catalog.release(order.order_id, others)

    async def _keep(self, order: Order, events: list[OrderEvent], attempt: Attempt) -> Order:
        """Save, or free the hold. A later request that took this id over goes on with its hold."""
        self._crash.reach("orders.place.saving")
        try:
            return await self._save(order, events, attempt)
        except InFlight:
            raise
        except Conflict:
            if order.coupon:
                await self._cart.release_coupon(order.order_id)
            await self._catalog.release(order.order_id, order.wanted)
            raise

    async def _save(self, order: Order, events: list[OrderEvent], attempt: Attempt) -> Order:
        """The order as it was saved: if it is confirmed, with its invoice numbers."""

        async def work(unit: Unit) -> Order:
            saved = await self._numbers.assign(order, unit)
            await self._orders.insert(saved, unit)
            for event in events:
                unit.record(event, sequence=event.version)
            await self._idempotency.complete(attempt, saved.view(), unit)
            return saved

        await self._orders.open_day(order.created_at)
        try:
            async with self._numbers.turn(order):
                return await self._outbox.transact(work)
        except DuplicateKey:
            await self._explain_duplicate(order)

    async def _explain_duplicate(self, order: Order) -> NoReturn:
        if await self._orders.is_buried(order.order_id):
            raise OrderClosed(
                "this order was given up before it was complete; place it anew with a new Idempotency-Key",
                details={"status": "expired"},
            ) from None
        await self._require_cart_unordered(order)
        raise InFlight("this order is being placed by another request; retry shortly", retry_after=1) from None

    async def _require_cart_unordered(self, order: Order) -> None:
        other = await self._orders.order_of_cart(order.cart_id, order.cart_version)
        if other not in {None, order.order_id}:
            raise CartAlreadyOrdered("this cart is an order already", details={"orderId": other}) from None
