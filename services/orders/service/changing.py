"""How an order changes: one conditional write with its event, and the stock that follows."""

from collections.abc import Awaitable, Callable
from datetime import datetime

from services.contracts.cart import CartPort
from services.contracts.catalog import CatalogPort
from services.contracts.events import OrderCompleted, OrderEvent
from services.kit.errors import CohortError, NotFound, Unavailable
from services.kit.log import get_logger
from services.kit.outbox import Outbox, Unit
from services.orders.models.order import Order
from services.orders.repository import OrderRepository
from services.orders.service.numbering import InvoiceNumbers

ATTEMPTS = 20
Also = Callable[[Unit, Order], Awaitable[None]]
"""Given the order as it is written."""
Decide = Callable[[Order], Awaitable["Step | None"]]

log = get_logger("orders")


class Step:
    """The order as it shall be, the events that say so, and what belongs into the same write."""

    def __init__(self, after: Order, event: OrderEvent, also: Also | None = None, *, number: bool = False) -> None:
        self.after = after
        self.events = [event]
        self.also = also
        self.number = number

    def completing(self, now: datetime) -> "Step":
        """With the end of the order, if this step was the last thing it needed."""
        if self.after.is_complete:
            self.after = self.after.completed(now)
            self.events.append(self.after.fact(OrderCompleted))
        return self


class _Moved(Exception):
    pass


class OrderChanges:
    """Decides on the order as it is, writes only if it still is so, and else decides anew."""

    def __init__(
        self,
        repository: OrderRepository,
        outbox: Outbox,
        catalog: CatalogPort,
        cart: CartPort,
        numbers: InvoiceNumbers,
    ) -> None:
        self._orders = repository
        self._outbox = outbox
        self._catalog = catalog
        self._cart = cart
        self._numbers = numbers

    async def change(self, order_id: str, decide: Decide, *, stock_first: bool = False) -> Order:
        """The order after the step, or as it is when `decide` sees nothing to do. Raises NotFound.

        With `stock_first` a stock step that is still due is taken before anything is decided.
        """
        for _ in range(ATTEMPTS):
            before = await self._orders.find(order_id)
            if before is None:
                raise NotFound.of("order")
            if stock_first and before.stock_due:
                await self.take_stock_step(before)
                before = before.with_stock_settled()
            step = await decide(before)
            if step is None:
                return before
            written = await self._write(before, step)
            if written:
                return await self.settle_stock(written)
        raise Unavailable("this order is being changed from too many places at once", retry_after=1)

    async def _write(self, before: Order, step: Step) -> Order | None:
        """None when the order moved since `before` was read."""

        async def work(unit: Unit) -> Order:
            after = await self._numbers.assign(step.after, unit) if step.number else step.after
            if not await self._orders.replace(before, after, unit):
                raise _Moved
            for event in step.events:
                unit.record(event, sequence=event.version)
            if step.also:
                await step.also(unit, after)
            return after

        try:
            if not step.number:
                return await self._outbox.transact(work)
            async with self._numbers.turn(step.after):
                return await self._outbox.transact(work)
        except _Moved:
            return None

    async def settle_stock(self, order: Order) -> Order:
        """Take the step the catalogue owes this order. If it cannot be taken now, the sweep takes it."""
        try:
            await self.take_stock_step(order)
        except CohortError as error:
            log.warning("stock_step_later", order=order.order_id, step=order.stock_due, error=error.message)
        return order

    async def take_stock_step(self, order: Order) -> None:
        """Repeatable; raises when the catalogue is away."""
        if order.stock_due is None:
            return
        if order.coupon and order.frees_coupon:
            await self._cart.release_coupon(order.order_id)
        if order.stock_due == "take_back":
            await self._take_back(order)
        else:
            take = {"commit": self._catalog.commit, "release": self._catalog.release, "restock": self._catalog.restock}
            await take[order.stock_due](order.order_id, order.wanted)
        await self._orders.stock_settled(order.order_id, order.stock_due)

    async def _take_back(self, order: Order) -> None:
        if order.taking_back:
            await self._catalog.restock(order.taking_back.reference, order.taking_back.lines)
