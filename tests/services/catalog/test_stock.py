import asyncio
from collections import Counter
from datetime import timedelta

import pytest

from services.contracts.catalog import HoldDiffers, OutOfStock, ProductGone, ProductPatch, StockBelowReserved
from services.kit.errors import Invalid
from tests.services.catalog.conftest import SELLER, World, line


async def _variant(world: World, stock: int, **fields: object) -> str:
    return (await world.offer(stock=stock, **fields)).variants[0].variant_id


async def test_a_hundred_buyers_of_the_last_ten_get_exactly_ten(world: World) -> None:
    variant_id = await _variant(world, 10)

    async def buy(number: int) -> str:
        try:
            await world.catalog.reserve(f"ord_{number}", [line(variant_id)])
        except OutOfStock:
            return "refused"
        return "held"

    outcomes = Counter(await asyncio.gather(*(buy(number) for number in range(100))))

    assert outcomes == {"held": 10, "refused": 90}
    assert await world.levels(variant_id) == (10, 10, 10)


async def test_pairs_bought_in_opposite_order_end_without_waiting_for_each_other(world: World) -> None:
    first, second = await _variant(world, 20, title="A"), await _variant(world, 20, title="B")

    async def buy(number: int) -> bool:
        wanted = [line(first), line(second)]
        try:
            await world.catalog.reserve(f"ord_{number}", wanted if number % 2 else wanted[::-1])
        except OutOfStock:
            return False
        return True

    won = await asyncio.wait_for(asyncio.gather(*(buy(number) for number in range(60))), 30)

    assert sum(won) == 20
    assert await world.levels(first) == await world.levels(second) == (20, 20, 20)


async def test_a_repeated_reservation_holds_once(world: World) -> None:
    variant_id = await _variant(world, 5)
    for _ in range(3):
        await world.catalog.reserve("ord_1", [line(variant_id, 2)])
    assert await world.levels(variant_id) == (5, 2, 2)


async def test_lines_of_the_same_variant_are_held_together(world: World) -> None:
    variant_id = await _variant(world, 5)
    await world.catalog.reserve("ord_1", [line(variant_id, 2), line(variant_id, 1)])
    assert await world.levels(variant_id) == (5, 3, 3)


async def test_another_quantity_under_the_same_order_is_refused(world: World) -> None:
    variant_id = await _variant(world, 5)
    await world.catalog.reserve("ord_1", [line(variant_id, 2)])
    with pytest.raises(HoldDiffers):
        await world.catalog.reserve("ord_1", [line(variant_id, 3)])
    with pytest.raises(HoldDiffers):
        await world.catalog.commit("ord_1", [line(variant_id, 3)])


async def test_a_line_that_is_out_of_stock_frees_the_lines_before_it(world: World) -> None:
    plenty, scarce = await _variant(world, 5, title="A"), await _variant(world, 1, title="B")
    with pytest.raises(OutOfStock) as refused:
        await world.catalog.reserve("ord_1", [line(plenty, 2), line(scarce, 2)])
    assert refused.value.details == {"variantId": scarce, "title": "B", "available": 1}
    assert [(await world.levels(v))[1:] for v in (plenty, scarce)] == [(0, 0), (0, 0)]


async def test_sold_goods_leave_the_shelf_once(world: World) -> None:
    variant_id = await _variant(world, 5)
    await world.catalog.reserve("ord_1", [line(variant_id, 2)])
    for _ in range(3):
        await world.catalog.commit("ord_1", [line(variant_id, 2)])
    assert await world.levels(variant_id) == (3, 0, 0)


async def test_released_goods_are_free_again_once(world: World) -> None:
    variant_id = await _variant(world, 5)
    await world.catalog.release("ord_1", [line(variant_id, 2)])
    await world.catalog.reserve("ord_1", [line(variant_id, 2)])
    for _ in range(3):
        await world.catalog.release("ord_1", [line(variant_id, 2)])
    assert await world.levels(variant_id) == (5, 0, 0)


async def test_an_order_brings_its_goods_back_once(world: World) -> None:
    variant_id = await _variant(world, 5)
    await world.catalog.reserve("ord_1", [line(variant_id, 2)])
    await world.catalog.commit("ord_1", [line(variant_id, 2)])
    await asyncio.gather(*(world.catalog.restock("ord_1", [line(variant_id, 2)]) for _ in range(5)))
    assert await world.levels(variant_id) == (5, 0, 0)


@pytest.mark.parametrize("qty", [0, -1])
async def test_a_quantity_below_one_is_invalid(world: World, qty: int) -> None:
    with pytest.raises(Invalid):
        await world.catalog.reserve("ord_1", [line("var_1", qty)])


async def test_an_enormous_quantity_is_out_of_stock(world: World) -> None:
    variant_id = await _variant(world, 5)
    with pytest.raises(OutOfStock):
        await world.catalog.reserve("ord_1", [line(variant_id, 10**9)])


async def test_an_archived_product_and_an_unknown_variant_cannot_be_held(world: World) -> None:
    view = await world.offer(stock=5)
    await world.catalog.archive(SELLER, view.product_id)
    with pytest.raises(ProductGone):
        await world.catalog.reserve("ord_1", [line(view.variants[0].variant_id)])
    with pytest.raises(ProductGone):
        await world.catalog.reserve("ord_1", [line("var_unknown")])


async def test_goods_held_before_the_archiving_can_still_be_sold(world: World) -> None:
    view = await world.offer(stock=5)
    variant_id = view.variants[0].variant_id
    await world.catalog.reserve("ord_1", [line(variant_id)])
    await world.catalog.archive(SELLER, view.product_id)
    await world.catalog.commit("ord_1", [line(variant_id)])
    assert await world.levels(variant_id) == (4, 0, 0)


async def test_old_holds_are_found_by_order(world: World) -> None:
    first, second = await _variant(world, 5, title="A"), await _variant(world, 5, title="B")
    await world.catalog.reserve("ord_old", [line(first), line(second, 2)])
    world.clock.advance(timedelta(minutes=30))
    await world.catalog.reserve("ord_new", [line(first)])
    await world.catalog.flush_inventory()

    [(order_id, lines)] = await world.catalog.holds_older_than(world.clock.now() - timedelta(minutes=10))

    assert order_id == "ord_old"
    assert {(each.variant_id, each.qty) for each in lines} == {(first, 1), (second, 2)}
    await world.catalog.release("ord_old", lines)
    assert await world.catalog.holds_older_than(world.clock.now() - timedelta(minutes=10)) == []


async def test_many_movements_are_told_by_one_event_with_the_stock_of_now(world: World) -> None:
    view = await world.offer(stock=50)
    for number in range(7):
        await world.catalog.reserve(f"ord_{number}", [line(view.variants[0].variant_id)])

    assert await world.catalog.flush_inventory() == 1
    assert await world.catalog.flush_inventory() == 0
    await world.settle()

    [told] = world.bus.of("inventory.updated")
    assert told.data["available"] == 43
    assert told.subject == view.product_id


async def test_a_movement_during_the_telling_is_told_the_next_time(world: World) -> None:
    variant_id = await _variant(world, 50)
    await world.catalog.reserve("ord_1", [line(variant_id)])
    [seen] = await world.stock.dirty()
    await world.catalog.reserve("ord_2", [line(variant_id)])
    await world.stock.told([(seen, False)])
    assert await world.catalog.flush_inventory() == 1


async def test_low_stock_is_told_when_it_is_reached_and_again_after_a_refill(world: World) -> None:
    view = await world.offer(stock=7)
    variant_id = view.variants[0].variant_id

    async def low_events_after(order: str, qty: int) -> int:
        await world.catalog.reserve(order, [line(variant_id, qty)])
        await world.catalog.flush_inventory()
        await world.settle()
        return len(world.bus.of("inventory.low"))

    assert await low_events_after("ord_1", 1) == 0
    assert await low_events_after("ord_2", 1) == 1
    assert await low_events_after("ord_3", 1) == 1
    await world.catalog.update(SELLER, view.product_id, ProductPatch(stock=30))
    await world.catalog.flush_inventory()
    assert await low_events_after("ord_4", 25) == 2


async def test_stock_is_never_set_below_what_orders_hold(world: World) -> None:
    view = await world.offer(stock=5)
    variant_id = view.variants[0].variant_id
    await world.catalog.reserve("ord_1", [line(variant_id, 3)])
    with pytest.raises(StockBelowReserved) as refused:
        await world.catalog.update(SELLER, view.product_id, ProductPatch(stock=2))
    assert refused.value.details == {"variantId": variant_id, "reserved": 3}
    await world.catalog.update(SELLER, view.product_id, ProductPatch(stock=3))
    assert await world.levels(variant_id) == (3, 3, 3)


async def test_counting_the_shelf_anew_among_buyers_loses_no_hold(world: World) -> None:
    view = await world.offer(stock=40)
    variant_id = view.variants[0].variant_id
    buying = [world.catalog.reserve(f"ord_{number}", [line(variant_id)]) for number in range(30)]
    counting = [world.catalog.update(SELLER, view.product_id, ProductPatch(stock=40 + n)) for n in range(1, 4)]
    await asyncio.gather(*buying, *counting)
    on_hand, reserved, held = await world.levels(variant_id)
    assert on_hand in {41, 42, 43}
    assert reserved == held == 30
