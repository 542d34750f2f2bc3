"""Orders and products as CSV."""

import csv
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from fastapi import FastAPI

from api.errors import install
from services.contracts.sellers import SellerProduct
from services.kit.money import inr
from services.sellers.models.spreadsheet import csv_of, product_rows
from services.sellers.routes import routes
from tests.services.sellers.trade import ASHA, Life, line


@pytest.fixture
async def http(sellers):
    app = FastAPI()
    install(app)
    app.include_router(routes(sellers))

    async def authenticate(_request):
        return ASHA

    app.state.authenticate = authenticate
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://shop") as client:
        yield client


def table(answer: httpx.Response) -> list[dict[str, str]]:
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    return list(csv.DictReader(answer.text.splitlines()))


async def test_all_orders_are_in_the_file_not_only_a_page(http, sellers):
    start = datetime(2026, 10, 1, tzinfo=UTC)
    for number in range(130):
        life = Life(f"ord_{number:03}", (line(price=149_905, qty=2),), start + timedelta(hours=number))
        await sellers.take(life.placed().events[0])
    rows = table(await http.get("/seller/dashboard/orders", params={"format": "csv"}))
    assert [row["orderId"] for row in rows] == [f"ord_{number:03}" for number in reversed(range(130))]
    assert (rows[0]["price"], rows[0]["lineTotal"], rows[0]["qty"]) == ("1499.05", "2998.10", "2")


async def test_accept_text_csv_gives_the_file_too_and_format_wins(http, catalog):
    catalog.stock("var_1", product_id="prd_1", seller_id="sel_asha", price=9_900, on_hand=1)
    wish = {"accept": "text/csv"}
    rows = table(await http.get("/seller/dashboard/products", headers=wish))
    assert [(row["variantId"], row["price"], row["available"], row["lowStock"]) for row in rows] == [
        ("var_1", "99.00", "1", "yes")
    ]
    plain = await http.get("/seller/dashboard/products", headers=wish, params={"format": "json"})
    assert plain.headers["content-type"] == "application/json"


async def test_an_empty_list_is_a_file_with_its_head(http):
    answer = await http.get("/seller/dashboard/orders", params={"format": "csv"})
    assert table(answer) == []
    assert answer.text.startswith("orderId,placedAt,")


async def test_a_bad_cursor_is_refused_before_the_file_begins(http):
    refused = await http.get("/seller/dashboard/orders", params={"format": "csv", "cursor": "zzz"})
    assert (refused.status_code, refused.json()["code"]) == (422, "invalid_cursor")


@pytest.mark.parametrize("title", ['=HYPERLINK("http://x")', "+1", "-1", "@SUM(A1)", "\t=1", " =1"])
def test_no_cell_is_a_formula(title):
    product = SellerProduct(
        product_id="prd_1", variant_id="var_1", sku="S", title=title, options={}, price=inr(100), available=-1,
        low_stock=True,
    )  # fmt: skip
    [row] = csv.reader(csv_of(product_rows(product)).decode().splitlines())
    assert (row[3], row[7]) == (f"'{title}", "-1")
