import asyncio
from collections.abc import AsyncIterator

import orjson
import pytest

from services.contracts.catalog import ImportReport, ProductIn, ProductQuery, SeedProduct, SeedVariant
from tests.conftest import START
from tests.services.catalog.conftest import BUYER, SELLER, World, line, product_in


async def _lines(*items: ProductIn | str) -> AsyncIterator[tuple[int, ProductIn | str]]:
    for number, item in enumerate(items, 1):
        yield number, item


def _item(number: int, **fields: object) -> ProductIn:
    return product_in(title=f"Thing {number}", external_id=f"x{number}", stock=5, **fields)


async def _import(world: World, *items: ProductIn | str) -> ImportReport:
    report = await world.catalog.import_lines(SELLER.seller_id, _lines(*items))
    await world.settle()
    return report


def _counts(report: ImportReport) -> tuple[int, int, int, int]:
    return report.created, report.updated, report.unchanged, report.failed


async def test_a_batch_is_told_by_one_event_and_found_at_once(world: World) -> None:
    report = await _import(world, *(_item(number) for number in range(30)))
    assert _counts(report) == (30, 0, 0, 0)
    [told] = world.bus.of("product.created")
    assert len(told.data["productIds"]) == 30
    assert len((await world.catalog.search(ProductQuery(q="thing", limit=100))).items) == 30
    assert (await world.catalog.index_status()).points == 30


async def test_a_repeated_import_changes_only_what_differs(world: World) -> None:
    await _import(world, *(_item(number) for number in range(5)))
    report = await _import(world, *(_item(number, price=42 if number == 3 else 1999) for number in range(6)))
    assert _counts(report) == (1, 1, 4, 0)
    cheap = await world.catalog.search(ProductQuery(max_price=4_200))
    assert [card.title for card in cheap.items] == ["Thing 3"]
    assert len(world.bus.of("product.updated")) == 1


async def test_a_changed_line_keeps_ids_and_holds_and_drops_variants_that_are_gone(world: World) -> None:
    sizes = [{"options": {"size": "8"}, "stock": 5}, {"options": {"size": "9"}, "stock": 5}]
    await _import(world, _item(1, variants=sizes))
    [card] = (await world.catalog.search(ProductQuery())).items
    before = await world.catalog.get(card.product_id)
    await world.catalog.reserve("ord_1", [line(before.variants[0].variant_id, 2)])

    other = [{"options": {"size": "8"}, "stock": 9}, {"options": {"size": "10"}, "stock": 1}]
    assert _counts(await _import(world, _item(1, variants=other))) == (0, 1, 0, 0)

    after = await world.catalog.get(card.product_id)
    assert [(v.options["size"], v.available) for v in after.variants] == [("8", 7), ("10", 1)]
    assert after.variants[0].variant_id == before.variants[0].variant_id
    assert (await world.catalog.price([before.variants[1].variant_id]))[before.variants[1].variant_id].active is False


async def test_bad_lines_are_named_and_the_others_count(world: World) -> None:
    report = await _import(world, _item(1), "not JSON", _item(2), product_in(title="No level", category=">"))
    assert _counts(report) == (2, 0, 0, 2)
    assert [(problem.line, problem.reason) for problem in report.problems] == [
        (2, "not JSON"),
        (4, "a category is a name or a path such as `Shoes > Sneakers`"),
    ]


async def test_a_line_whose_sku_is_taken_fails_alone(world: World) -> None:
    await world.offer(variants=[{"sku": "TAKEN"}])
    items = [_item(number, variants=[{"sku": "TAKEN" if number == 4 else f"S{number}"}]) for number in range(9)]
    report = await _import(world, *items)
    assert _counts(report) == (8, 0, 0, 1)
    assert report.problems[0].line == 5


async def test_stock_below_what_orders_hold_fails_that_line(world: World) -> None:
    await _import(world, _item(1), _item(2))
    [held] = (await world.catalog.search(ProductQuery(q="1", limit=1))).items
    variant_id = (await world.catalog.get(held.product_id)).variants[0].variant_id
    await world.catalog.reserve("ord_1", [line(variant_id, 4)])
    report = await _import(world, *(product_in(title=f"Thing {n}", external_id=f"x{n}", stock=3) for n in (1, 2)))
    assert _counts(report) == (0, 1, 0, 1)
    assert "held for orders" in report.problems[0].reason


async def test_the_same_line_twice_in_a_file_ends_as_the_later_one(world: World) -> None:
    report = await _import(world, _item(1), _item(1, price=7))
    assert _counts(report) == (1, 1, 0, 0)
    [card] = (await world.catalog.search(ProductQuery())).items
    assert card.price.amount == 700


async def test_an_interrupted_import_goes_on_where_it_stopped(world: World) -> None:
    reached = asyncio.Event()

    async def interrupted() -> AsyncIterator[tuple[int, ProductIn | str]]:
        for number in range(501):
            yield number + 1, _item(number)
        reached.set()
        await asyncio.Event().wait()

    running = asyncio.create_task(world.catalog.import_lines(SELLER.seller_id, interrupted()))
    await reached.wait()
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)

    report = await _import(world, *(_item(number) for number in range(520)))
    assert _counts(report) == (20, 0, 500, 0)


async def test_a_file_over_http_reports_each_bad_line(world: World) -> None:
    good = orjson.dumps({"title": "A", "price": 10, "category": "C", "externalId": "1"})
    long = orjson.dumps({"title": "B", "price": 10, "category": "C", "description": "x" * 300_000})
    body = b"\n".join([good, b"{broken", b"", orjson.dumps({"title": "C", "category": "D"}), long, b""])
    headers = {"x-as": "seller", "content-type": "application/x-ndjson; charset=utf-8"}

    answer = await world.api.post("/products/import", content=body, headers=headers)

    report = answer.json()
    assert (report["read"], report["created"], report["failed"]) == (4, 1, 3)
    assert [problem["line"] for problem in report["problems"]] == [2, 4, 5]
    assert report["problems"][1]["reason"] == "price: Field required"


@pytest.mark.parametrize(("who", "kind", "status"), [
    ("", "application/x-ndjson", 401), ("buyer", "application/x-ndjson", 403),
    ("pending", "application/x-ndjson", 403), ("seller", "text/html", 415),
])  # fmt: skip
async def test_an_import_needs_an_approved_seller_and_lines_of_json(
    world: World, who: str, kind: str, status: int
) -> None:
    answer = await world.api.post("/products/import", content=b"", headers={"x-as": who, "content-type": kind})
    assert answer.status_code == status


def _seed(number: int) -> SeedProduct:
    variant = SeedVariant(f"var_{number}", f"S{number}", {"Color": "Red"}, 10_000 + number, None, 3)
    return SeedProduct(
        product_id=f"prd_{number}",
        seller_id=SELLER.seller_id,
        title=f"Seed {number}",
        description="",
        category="Shoes > Sneakers",
        brand="Acme",
        attributes={},
        images=(),
        variants=(variant,),
        rating_average=4.0,
        rating_count=number,
        created_at=START,
    )


async def test_ready_products_are_loaded_once_without_events(world: World) -> None:
    seeds = [_seed(number) for number in range(20)]
    assert await world.catalog.backfill(seeds[:15]) == 15
    assert await world.catalog.backfill(seeds) == 5
    await world.settle()
    assert world.bus.seen == []
    page = await world.catalog.search(ProductQuery(colour=("red",), min_rating=4, in_stock=True, limit=100))
    assert len(page.items) == 20
    assert (page.items[0].title, page.items[0].rating.count) == ("Seed 19", 19)
    assert (await world.catalog.get("prd_3", BUYER)).variants[0].options == {"colour": "Red"}
