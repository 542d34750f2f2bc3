import asyncio
from datetime import timedelta

import pytest

from services.contracts.catalog import OutOfStock
from services.contracts.orders import CartAlreadyOrdered, CartEmpty, OrderClosed
from services.kit.errors import IdempotencyConflict, InFlight
from services.kit.faults import CrashPoints

POINTS = ("orders.place.begun", "orders.place.reserved", "orders.place.saving", "orders.place.saved")


class Crash(BaseException):
    """Stands for the death of the process: nothing below catches it."""


class CrashAt(CrashPoints):
    def __init__(self, point: str) -> None:
        super().__init__(None)
        self._point = point

    def reach(self, name: str) -> None:
        if name == self._point:
            raise Crash


async def test_an_order_holds_its_stock_and_is_told(shop):
    shop.catalog.stock("var_a", on_hand=5)
    who = shop.buyer(var_a=2)
    order = await shop.place(who)
    assert (order.status, order.payment_status, order.version) == ("pending", "unpaid", 1)
    assert order.expires_at == shop.clock.now() + timedelta(minutes=30)
    assert (shop.catalog.shelves["var_a"].available, shop.catalog.shelves["var_a"].on_hand) == (3, 5)
    assert await shop.event_types() == ["order.created"]
    assert await shop.orders.get(who, order.order_id) == order


async def test_the_event_carries_every_fact_and_nothing_personal(shop):
    shop.catalog.stock("var_a", price=100_000, category="Phones")
    await shop.place(shop.buyer(var_a=1))
    [envelope] = await shop.events()
    assert envelope.data["lines"][0]["commission"] == 8_000
    assert envelope.data["lines"][0]["tax"] == 15_254
    assert envelope.data["city"] == "Pune"
    assert not any(word in str(envelope.data) for word in ("Asha", "+91", "MG Road"))


async def test_cash_on_delivery_is_confirmed_at_once_and_its_stock_is_sold(shop):
    shop.catalog.stock("var_a", on_hand=5)
    who = shop.buyer(var_a=2)
    order = await shop.place(who, payment_method="cod")
    assert (order.status, order.payment_status, order.expires_at) == ("confirmed", "unpaid", None)
    assert [p.status for p in order.parts] == ["confirmed"]
    assert [(e.type, e.sequence) for e in await shop.events()] == [("order.created", 1), ("order.confirmed", 2)]
    assert (shop.catalog.shelves["var_a"].on_hand, shop.catalog.shelves["var_a"].holds) == (3, {})
    shop.clock.advance(timedelta(days=9))
    assert await shop.orders.expire_due() == 0


async def test_a_hundred_buyers_of_ten_units_make_exactly_ten_orders(shop):
    shop.catalog.stock("var_a", on_hand=10)
    buyers = [shop.buyer(var_a=1) for _ in range(100)]
    answers = await asyncio.gather(*(shop.place(who) for who in buyers), return_exceptions=True)
    placed = [a for a in answers if not isinstance(a, Exception)]
    assert len(placed) == 10
    assert {type(a) for a in answers if isinstance(a, Exception)} == {OutOfStock}
    assert set(shop.catalog.shelves["var_a"].holds) == {order.order_id for order in placed}
    assert await shop.event_types() == ["order.created"] * 10


async def test_the_same_key_twenty_times_at_once_is_one_order(shop):
    shop.catalog.stock("var_a")
    who = shop.buyer(var_a=1)
    together = asyncio.Barrier(20)

    async def insist():
        await together.wait()
        while True:
            try:
                return await shop.place(who)
            except InFlight:
                await asyncio.sleep(0.005)

    orders = await asyncio.gather(*(insist() for _ in range(20)))
    assert len({order.to_json() for order in orders}) == 1
    assert sorted(order.replayed for order in orders) == [False] + [True] * 19
    assert await shop.event_types() == ["order.created"]
    assert shop.catalog.shelves["var_a"].available == 9


async def test_the_same_key_with_another_body_is_a_conflict(shop):
    shop.catalog.stock("var_a")
    who = shop.buyer(var_a=1)
    await shop.place(who)
    with pytest.raises(IdempotencyConflict):
        await shop.place(who, payment_method="cod")


async def test_a_refusal_is_given_again_for_the_same_key(shop):
    shop.catalog.stock("var_a", on_hand=0)
    who = shop.buyer(var_a=1)
    with pytest.raises(OutOfStock):
        await shop.place(who)
    shop.catalog.shelves["var_a"].on_hand = 5
    with pytest.raises(OutOfStock) as again:
        await shop.place(who)
    assert again.value.replayed
    assert (await shop.place(who, key="new")).status == "pending"


async def test_a_cart_version_is_ordered_once(shop):
    shop.catalog.stock("var_a")
    who = shop.buyer(var_a=1)
    first = await shop.place(who, key="k1")
    with pytest.raises(CartAlreadyOrdered) as raised:
        await shop.place(who, key="k2")
    assert raised.value.details == {"orderId": first.order_id}
    assert set(shop.catalog.shelves["var_a"].holds) == {first.order_id}


async def test_two_orders_of_one_cart_at_once_are_one_order(shop):
    shop.catalog.stock("var_a", on_hand=20)
    who = shop.buyer(var_a=2)
    answers = await asyncio.gather(*(shop.place(who, key=f"k{n}") for n in range(8)), return_exceptions=True)
    assert sum(not isinstance(a, Exception) for a in answers) == 1
    assert {type(a) for a in answers if isinstance(a, Exception)} == {CartAlreadyOrdered}
    assert shop.catalog.shelves["var_a"].available == 18
    assert len(await shop.event_types()) == 1


async def test_a_second_click_on_the_last_piece_is_told_of_the_order_not_of_the_stock(shop):
    shop.catalog.stock("var_a", on_hand=1)
    who = shop.buyer(var_a=1)
    await shop.place(who, key="k1")
    with pytest.raises(CartAlreadyOrdered):
        await shop.place(who, key="k2")


async def test_the_cart_of_an_expired_order_can_be_ordered_again(shop):
    shop.catalog.stock("var_a")
    who = shop.buyer(var_a=1)
    await shop.place(who, key="k1")
    shop.clock.advance(timedelta(minutes=31))
    await shop.orders.expire_due()
    assert (await shop.place(who, key="k2")).status == "pending"


async def test_an_empty_cart_is_refused(shop):
    with pytest.raises(CartEmpty):
        await shop.place(shop.buyer())


@pytest.mark.parametrize("point", POINTS)
@pytest.mark.parametrize("method", ["razorpay", "cod"])
async def test_a_retry_after_a_crash_gives_one_order_and_the_right_stock(shop, point, method):
    shop.catalog.stock("var_a", on_hand=1)
    who = shop.buyer(var_a=1)
    with pytest.raises(Crash):
        await shop.place(who, service=shop.service(CrashAt(point)), payment_method=method)
    order = await shop.place(who, payment_method=method)
    await shop.orders.expire_due()
    shelf = shop.catalog.shelves["var_a"]
    assert (shelf.available, shelf.on_hand) == (0, 0 if method == "cod" else 1)
    assert [o.order_id for o in (await shop.orders.mine(who)).items] == [order.order_id]
    assert len(await shop.events()) == (2 if method == "cod" else 1)


async def test_a_retry_after_a_crash_holds_what_the_cart_says_now(shop):
    shop.catalog.stock("var_a")
    shop.catalog.stock("var_b")
    who = shop.buyer(var_a=1, var_b=1)
    with pytest.raises(Crash):
        await shop.place(who, service=shop.service(CrashAt("orders.place.reserved")))
    shop.cart.put(who, var_a=3)
    order = await shop.place(who)
    assert shop.catalog.shelves["var_a"].holds[order.order_id][0] == 3
    assert shop.catalog.shelves["var_b"].holds == {}
    shop.clock.advance(timedelta(minutes=11))
    await shop.orders.expire_due()
    assert (shop.catalog.shelves["var_a"].available, shop.catalog.shelves["var_b"].available) == (7, 10)


@pytest.mark.parametrize("point", POINTS[1:3])
async def test_a_hold_nobody_comes_back_for_is_freed_and_its_order_can_never_be_saved(shop, point):
    shop.catalog.stock("var_a", on_hand=1)
    who = shop.buyer(var_a=1)
    with pytest.raises(Crash):
        await shop.place(who, service=shop.service(CrashAt(point)))
    shop.clock.advance(timedelta(minutes=11))
    assert await shop.orders.expire_due() == 1
    assert shop.catalog.shelves["var_a"].available == 1
    with pytest.raises(OrderClosed):
        await shop.place(who)
    assert shop.catalog.shelves["var_a"].available == 1
    assert (await shop.orders.mine(who)).items == []
    assert (await shop.place(who, key="new")).status == "pending"


async def test_the_sweep_leaves_the_holds_of_saved_orders_alone(shop):
    shop.catalog.stock("var_a")
    await shop.place(shop.buyer(var_a=1))
    shop.clock.advance(timedelta(minutes=11))
    assert await shop.orders.expire_due() == 0
    assert shop.catalog.shelves["var_a"].available == 9
