from datetime import timedelta
from random import Random

import structlog

from services.contracts.catalog import LineIn, ProductPatch, StockBelowReserved
from services.kit.errors import CohortError
from tests.services.catalog.conftest import SELLER, World, line, product_in

AS_SELLER = {"x-as": "seller"}


async def _change(world: World, product_id: str, headers: dict[str, str] = AS_SELLER, **body: object):
    return await world.api.post(f"/products/{product_id}/stock", json={"reason": "counted", **body}, headers=headers)


async def _ledger(world: World, product_id: str, limit: int = 100, cursor: str | None = None) -> dict:
    params = {"limit": limit, **({"cursor": cursor} if cursor else {})}
    answer = await world.api.get(f"/products/{product_id}/stock", params=params, headers=AS_SELLER)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_every_change_has_its_reason_and_its_reference(world: World) -> None:
    view = await world.offer(stock=10)
    variant_id = view.variants[0].variant_id
    await world.catalog.reserve("ord_1", [line(variant_id, 3)])
    await world.catalog.commit("ord_1", [line(variant_id, 3)])
    await world.catalog.restock("ret_1", [line(variant_id, 1)])
    await world.catalog.reserve("ord_2", [line(variant_id, 3)])
    await world.catalog.release("ord_2", [line(variant_id, 3)])
    changed = await _change(world, view.product_id, change=-2, reason="<b>broken</b> in the rain")
    await world.catalog.update(SELLER, view.product_id, ProductPatch(stock=20))

    assert changed.status_code == 201
    assert changed.json()["level"]["onHand"] == 6
    for _ in range(2):
        found = await _ledger(world, view.product_id)
        assert [(e["change"], e["reason"], e["reference"], e["note"]) for e in found["items"]] == [
            (14, "edited", f"{view.product_id}:2", ""),
            (-2, "adjusted", None, "broken in the rain"),
            (1, "returned", "ret_1", ""),
            (-3, "sold", "ord_1", ""),
            (10, "opening", None, ""),
        ]
        assert [(each["onHand"], each["reserved"]) for each in found["levels"]] == [(20, 0)]
        await world.catalog.flush_inventory()


async def test_the_changes_of_any_history_add_up_to_what_is_on_hand(world: World) -> None:
    draw = Random(7)
    sizes = [{"options": {"size": size}, "stock": 9} for size in "SML"]
    view = await world.offer(variants=sizes, external_id="x")
    variants = [variant.variant_id for variant in view.variants]

    async def step(number: int) -> None:
        world.clock.advance(timedelta(milliseconds=1))
        lines = [LineIn(variant_id=draw.choice(variants), qty=draw.randint(1, 4))]
        order, action = f"ord_{draw.randint(0, number)}", draw.randrange(6)
        if action == 0:
            await world.catalog.flush_inventory()
        elif action == 1:
            await _change(world, view.product_id, variantId=draw.choice(variants), change=draw.randint(-5, 5))
        elif action == 2:
            await world.catalog.restock(order, lines)
        else:
            await world.catalog.reserve(order, lines)
            await (world.catalog.commit if draw.random() < 0.7 else world.catalog.release)(order, lines)

    for number in range(40):
        try:
            await step(number)
        except CohortError:
            continue
    items, cursor = [], None
    while True:
        page = await _ledger(world, view.product_id, 7, cursor)
        items, cursor = items + page["items"], page["nextCursor"]
        if cursor is None:
            break
        assert len(page["items"]) == 7
    assert len({each["entryId"] for each in items}) == len(items) > 20
    for level in page["levels"]:
        assert level["onHand"] == sum(each["change"] for each in items if each["variantId"] == level["variantId"])


async def test_a_repeated_key_changes_the_stock_once(world: World) -> None:
    view = await world.offer(stock=10)
    headers = {**AS_SELLER, "Idempotency-Key": "k"}
    answers = [await _change(world, view.product_id, headers, change=5) for _ in range(2)]
    assert answers[0].content == answers[1].content
    assert answers[1].headers["idempotent-replayed"] == "true"
    assert answers[0].json()["level"]["onHand"] == 15


async def test_a_change_that_makes_no_sense_is_refused(world: World) -> None:
    view = await world.offer(stock=5)
    several = await world.offer(title="Several", variants=[{"options": {"size": size}, "stock": 1} for size in "SM"])
    await world.catalog.reserve("ord_1", [line(view.variants[0].variant_id, 3)])
    below = await _change(world, view.product_id, onHand=2)
    assert (below.status_code, below.json()["code"]) == (409, StockBelowReserved.code)
    for body in ({}, {"change": 1, "onHand": 1}, {"change": -6}, {"change": 1, "reason": "<i></i>"}):
        assert (await _change(world, view.product_id, **body)).status_code == 422, body
    assert (await _change(world, several.product_id, change=1)).status_code == 422
    for who, status in {"": 401, "buyer": 403, "other": 404}.items():
        assert (await _change(world, view.product_id, {"x-as": who}, change=1)).status_code == status
    assert (await world.api.get(f"/products/{view.product_id}/stock", headers={"x-as": "other"})).status_code == 404
    bad = await world.api.get(f"/products/{view.product_id}/stock", params={"cursor": "x"}, headers=AS_SELLER)
    assert bad.json()["code"] == "invalid_cursor"


async def test_what_an_import_changes_is_in_the_ledger(world: World) -> None:
    await world.catalog.import_lines(SELLER.seller_id, _lines(stock=5))
    await world.catalog.import_lines(SELLER.seller_id, _lines(stock=8))
    await world.settle()
    [card] = (await world.catalog.of_seller(SELLER, 5, None)).items
    found = await _ledger(world, card.product_id)
    assert [(each["change"], each["reason"]) for each in found["items"]] == [(3, "imported"), (5, "opening")]


async def _lines(**fields: object):
    yield 1, product_in(external_id="x", **fields)


async def test_a_sale_that_was_never_held_is_said_in_the_log_and_a_repeated_one_is_not(world: World) -> None:
    view = await world.offer(stock=5)
    sold = [line(view.variants[0].variant_id, 2)]
    await world.catalog.reserve("ord_1", sold)
    with structlog.testing.capture_logs() as logs:
        for _ in range(2):
            await world.catalog.commit("ord_1", sold)
            await world.catalog.flush_inventory()
        await world.catalog.commit("ord_unknown", sold)
    said = [entry["order_id"] for entry in logs if entry["event"] == "commit_without_hold"]
    assert said == ["ord_unknown"]
    assert (await world.levels(sold[0].variant_id))[0] == 3
