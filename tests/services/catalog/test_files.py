import csv
import io

import orjson
import pytest

from services.contracts.catalog import ProductPatch
from tests.services.catalog.conftest import OTHER_SELLER, SELLER, World

AS_SELLER = {"x-as": "seller"}
TYPES = {"ndjson": "application/x-ndjson", "csv": "text/csv; charset=utf-8"}


async def _export(world: World, form: str) -> bytes:
    answer = await world.api.get("/products/export", params={"format": form}, headers=AS_SELLER)
    assert (answer.status_code, answer.headers["content-type"]) == (200, TYPES[form])
    assert f'filename="products.{form}"' in answer.headers["content-disposition"]
    return answer.content


async def _import(world: World, form: str, content: bytes) -> dict:
    headers = {**AS_SELLER, "content-type": TYPES[form]}
    answer = await world.api.post("/products/import", content=content, headers=headers)
    assert answer.status_code == 200, answer.text
    return answer.json()


def _counts(report: dict) -> tuple[int, int, int, int]:
    return report["created"], report["updated"], report["unchanged"], report["failed"]


async def _offer_all_kinds(world: World) -> None:
    await world.offer(
        title="=cmd|' /C calc'!A0", description='Two\nlines, "quoted"', price="1999.50", stock=3, brand="@me"
    )
    sizes = [
        {"options": {"size": size, "colour": "Red"}, "price": 10 * n + 5, "compareAtPrice": 99, "stock": n, "sku": size}
        for n, size in enumerate("SML")
    ]
    await world.offer(title="Shirt", variants=sizes)
    await world.offer(
        title="'-quoted", external_id="x1", attributes={"a.b": "-1", "c": True}, images=["/a.png"], stock=1
    )
    await world.offer(title="Draft", status="draft", compareAtPrice=5000)
    view = await world.offer(title="Archived", variants=[{"sku": "OLD", "stock": 2}])
    await world.catalog.archive(SELLER, view.product_id)
    await world.offer(OTHER_SELLER, title="Theirs")
    await world.settle()


@pytest.mark.parametrize("form", ["ndjson", "csv"])
async def test_an_export_that_is_imported_again_changes_nothing(world: World, form: str) -> None:
    await _offer_all_kinds(world)
    told = len(world.bus.seen)
    content = await _export(world, form)
    assert b"Theirs" not in content
    assert _counts(await _import(world, form, content)) == (0, 0, 5, 0)
    assert await _export(world, form) == content
    await world.settle()
    assert len(world.bus.seen) == told


@pytest.mark.parametrize("form", ["ndjson", "csv"])
async def test_an_export_fills_an_empty_shop_and_stays_the_same_from_then_on(world: World, form: str) -> None:
    await _offer_all_kinds(world)
    content = await _export(world, form)
    headers = {"x-as": "other", "content-type": TYPES[form]}
    first = await world.api.post("/products/import", content=content, headers=headers)
    again = await world.api.post("/products/import", content=content, headers=headers)
    assert (_counts(first.json()), _counts(again.json())) == ((5, 0, 0, 0), (0, 0, 5, 0))
    assert await _export(world, form) == content


async def test_no_cell_of_an_export_is_a_formula(world: World) -> None:
    await _offer_all_kinds(world)
    rows = list(csv.DictReader(io.StringIO((await _export(world, "csv")).decode(), newline="")))
    assert len(rows) == 5
    assert not [cell for row in rows for cell in row.values() if cell[:1] in {"=", "+", "-", "@"}]
    assert {"'=cmd|' /C calc'!A0", "''-quoted"} <= {row["title"] for row in rows}


async def test_a_changed_cell_is_the_only_change(world: World) -> None:
    view = await world.offer(title="Shirt", price=100, stock=4)
    content = (await _export(world, "csv")).replace(b"100.00", b"120")
    assert _counts(await _import(world, "csv", content)) == (0, 1, 0, 0)
    after = await world.catalog.get(view.product_id)
    assert (after.price.amount, after.available, after.variants[0].variant_id) == (
        12_000,
        4,
        view.variants[0].variant_id,
    )


async def test_bad_rows_are_reported_with_their_line_and_the_others_count(world: World) -> None:
    lines = [
        "\ufefftitle,price,category,stock,attributes,unknown",
        'Good,"1,5",Shoes,1,,',
        '"Two\nlines",15,Shoes,2,"{""colour"":""Red""}",x',
        "",
        "Bad,15,Shoes,1,{,",
        "Many,15,Shoes,1,,,,",
        ",15,Shoes,,,",
        "Last,15.5,Shoes,7",
    ]
    report = await _import(world, "csv", "\r\n".join(lines).encode())
    assert _counts(report) == (2, 0, 0, 4)
    assert [problem["line"] for problem in report["problems"]] == [2, 6, 7, 8]
    latin = await _import(world, "csv", b"title,price,category\nCaf\xe9,1,Food\n")
    assert latin["problems"][0]["line"] == 2
    endless = await _import(world, "csv", b'title,price,category\n"' + b"never closed\n" * 40_000 + b'"\nA,1,B\n')
    assert endless["failed"] >= 1


async def test_a_foreign_product_id_never_touches_the_foreign_product(world: World) -> None:
    theirs = await world.offer(OTHER_SELLER, title="Theirs", price=100)
    mine = {"productId": theirs.product_id, "title": "Mine", "price": 1, "category": "C", "externalId": "m"}
    assert _counts(await _import(world, "ndjson", orjson.dumps(mine))) == (1, 0, 0, 0)
    assert (await world.catalog.get(theirs.product_id)).title == "Theirs"


async def test_only_sellers_export_and_other_types_are_refused(world: World) -> None:
    statuses = [(await world.api.get("/products/export", headers={"x-as": who})).status_code for who in ("", "buyer")]
    assert statuses == [401, 403]
    assert (await world.api.get("/products/export?format=xml", headers=AS_SELLER)).status_code == 422
    xml = await world.api.post("/products/import", content=b"x", headers={**AS_SELLER, "content-type": "text/xml"})
    assert xml.status_code == 415


async def test_stock_that_was_sold_since_is_set_to_what_the_file_says(world: World) -> None:
    view = await world.offer(stock=4)
    content = await _export(world, "ndjson")
    await world.catalog.update(SELLER, view.product_id, ProductPatch(stock=2))
    assert _counts(await _import(world, "ndjson", content)) == (0, 1, 0, 0)
    assert (await world.catalog.get(view.product_id)).available == 4
