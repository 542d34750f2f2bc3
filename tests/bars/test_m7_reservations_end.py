"""M7: what is reserved ends, exactly once: by money or by time, never by both."""

import asyncio
from datetime import timedelta

import pytest

from services.contracts.cart import AddItem
from services.contracts.orders import OrderView, PaymentFact, PlaceOrder
from services.kit.principal import SYSTEM
from tests.bars.bar import measured
from tests.bars.shop_world import ShopWorld

SEED = 0
"""Nothing here is drawn: the order of the two is chosen, or both begin at once."""
EXPIRY = timedelta(minutes=30)
WAYS = ("money first", "time first", "at once")
AT_ONCE = 20


class Reservations:
    """One shelf of a world, and orders that reserve of it."""

    def __init__(self, world: ShopWorld, variant_id: str, stock: int) -> None:
        self.world, self.variant_id, self.stock = world, variant_id, stock

    async def order(self) -> OrderView:
        who = self.world.buyer()
        await self.world.cart.add(who, AddItem(variant_id=self.variant_id))
        return await self.world.orders.place(who, PlaceOrder(), self.world.key(who))

    async def orders(self, count: int) -> list[OrderView]:
        placed: list[OrderView] = []
        while len(placed) < count:
            many = min(AT_ONCE, count - len(placed))
            placed += await asyncio.gather(*(self.order() for _ in range(many)))
        return placed

    async def pays(self, order: OrderView) -> bool:
        fact = PaymentFact(payment_id=f"pay_{order.order_id}", order_id=order.order_id, amount=order.total.amount,
                           method="upi")  # fmt: skip
        return (await self.world.orders.mark_paid(SYSTEM, fact)).accepted

    async def meet(self, order: OrderView, way: str) -> bool:
        """Money and time come for the same order at the very moment it expires; whether the money was taken."""
        if way == "at once":
            paid, _ = await asyncio.gather(self.pays(order), self.world.orders.expire_due())
            return paid
        if way == "time first":
            await self.world.orders.expire_due()
        paid = await self.pays(order)
        await self.world.orders.expire_due()
        return paid


@pytest.fixture
async def shelf(mongo, redis_url, clock, ids, tmp_path):
    world = await ShopWorld(mongo, redis_url, clock, ids, tmp_path).prepare()
    _, variant_id = await world.offers(world.seller(), 199, 2_000)
    yield Reservations(world, variant_id, 2_000)
    await world.redis.aclose()


async def abandoned(shelf: Reservations, count: int) -> None:
    placed = await shelf.orders(count)
    held = await shelf.world.levels(shelf.variant_id)
    shelf.world.clock.advance(EXPIRY)
    runs = await asyncio.gather(*(shelf.world.orders.expire_due() for _ in range(3)))
    again = await shelf.world.orders.expire_due()
    events = [event for event in await shelf.world.outboxes["orders"].between(0, 2**40) if "expired" in event.type]
    violations = [] if held == (shelf.stock, count, count) else [f"held before: {held}"]
    violations += [f"{order.order_id} ended otherwise" for order in placed
                   if sum(event.subject == order.order_id for event in events) != 1]  # fmt: skip
    freed = await shelf.world.levels(shelf.variant_id)
    violations += [] if freed == (shelf.stock, 0, 0) else [f"left after: {freed}"]
    violations += [] if (sum(runs), again) == (count, 0) else [f"counted {runs}, then {again}"]
    measured("M7 abandoned", count, violations, SEED)


async def met(shelf: Reservations, rounds: int) -> None:
    violations, sold = [], 0
    for each in range(rounds):
        way = WAYS[each % len(WAYS)]
        order = await shelf.order()
        shelf.world.clock.advance(EXPIRY)
        paid = await shelf.meet(order, way)
        sold += paid
        status = (await shelf.world.orders.get(SYSTEM, order.order_id)).status
        if status != ("confirmed" if paid else "expired") or (way != "at once" and paid is (way == "time first")):
            violations.append(f"round {each}, {way}: paid {paid}, {status}")
        levels = await shelf.world.levels(shelf.variant_id)
        if levels != (shelf.stock - sold, 0, 0):
            violations.append(f"round {each}, {way}: on hand, reserved, held {levels} after {sold} sold")
    measured("M7 at expiry", rounds, violations, SEED, sold=sold)


async def test_a_hundred_abandoned_orders_end_exactly_once(shelf):
    await abandoned(shelf, 100)


async def test_paying_exactly_at_expiry_is_either_sold_or_freed(shelf):
    await met(shelf, 50)


@pytest.mark.full
@pytest.mark.timeout(1_800)
async def test_a_thousand_abandoned_orders_end_exactly_once(shelf):
    await abandoned(shelf, 1_000)


@pytest.mark.full
@pytest.mark.timeout(1_800)
async def test_paying_exactly_at_expiry_five_hundred_times(shelf):
    await met(shelf, 500)
