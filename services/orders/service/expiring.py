"""The end of what was not finished: unpaid orders, stock steps cut short, holds whose order was never saved."""

from datetime import timedelta

from services.contracts.cart import CartPort
from services.contracts.catalog import CatalogPort, LineIn
from services.contracts.events import OrderExpired
from services.kit.clock import Clock
from services.orders.models.order import Order
from services.orders.repository import OrderRepository
from services.orders.service.changing import OrderChanges, Step


class Expiring:
    """Run regularly; any number of processes may."""

    def __init__(
        self,
        repository: OrderRepository,
        changes: OrderChanges,
        catalog: CatalogPort,
        cart: CartPort,
        clock: Clock,
        *,
        orphan: timedelta,
    ) -> None:
        self._orders = repository
        self._changes = changes
        self._catalog = catalog
        self._cart = cart
        self._clock = clock
        self._orphan = orphan

    async def expire_due(self) -> int:
        ended = 0
        for order_id in await self._orders.due_to_expire(self._clock.now()):
            ended += await self._expire(order_id)
        await self._finish_stock_steps()
        freed = await self._free_orphans()
        await self._free_coupons()
        return ended + freed

    async def _expire(self, order_id: str) -> bool:
        now = self._clock.now()
        expired = False

        async def decide(order: Order) -> Step | None:
            nonlocal expired
            expired = order.status == "pending" and order.expires_at is not None and order.expires_at <= now
            if not expired:
                return None
            after = order.expired(now)
            return Step(after, after.fact(OrderExpired))

        await self._changes.change(order_id, decide)
        return expired

    async def _finish_stock_steps(self) -> None:
        for order_id in await self._orders.with_stock_due():
            order = await self._orders.find(order_id)
            if order is not None:
                await self._changes.settle_stock(order)

    async def _free_orphans(self) -> int:
        held = await self._catalog.holds_older_than(self._clock.now() - self._orphan)
        known = await self._orders.many([order_id for order_id, _ in held])
        freed = 0
        for order_id, lines in held:
            order = known.get(order_id)
            if order is None:
                freed += await self._bury(order_id, lines)
            else:
                await self._release_surplus(order, lines)
        return freed

    async def _bury(self, order_id: str, lines: list[LineIn]) -> bool:
        """First make a late save impossible, then free the goods."""
        if not await self._orders.bury(order_id, self._clock.now()):
            return False
        await self._cart.release_coupon(order_id)
        await self._catalog.release(order_id, lines)
        return True

    async def _free_coupons(self) -> None:
        """Of orders that were never saved, or ended unpaid."""
        order_ids = await self._cart.redemptions_before(self._clock.now() - self._orphan)
        known = await self._orders.many(order_ids)
        for order_id in order_ids:
            order = known.get(order_id)
            gone = order.frees_coupon if order else await self._orders.bury(order_id, self._clock.now())
            if gone:
                await self._cart.release_coupon(order_id)

    async def _release_surplus(self, order: Order, lines: list[LineIn]) -> None:
        """What a try that broke off held beyond what the order needs held."""
        needed = {line.variant_id for line in order.wanted} if order.stock == "held" else set()
        surplus = [line for line in lines if line.variant_id not in needed]
        if surplus:
            await self._catalog.release(order.order_id, surplus)
