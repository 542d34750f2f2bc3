import httpx
import pytest
from fastapi import FastAPI

from api.errors import install
from services.kit.principal import Principal
from services.sellers.routes import routes
from tests.services.sellers.trade import Life, line


@pytest.fixture
async def http(sellers):
    app = FastAPI()
    install(app)
    app.include_router(routes(sellers))

    async def authenticate(request):
        user = request.headers.get("x-user")
        roles = frozenset(request.headers.get("x-roles", "").split())
        return Principal(user_id=user, roles=roles) if user else None

    app.state.authenticate = authenticate
    headers = {"x-user": "usr_asha", "x-roles": "customer seller"}
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://shop", headers=headers) as client:
        yield client


async def test_the_dashboard_over_http(http, sellers):
    for event in Life("ord_1", (line(price=149_900, qty=2),)).placed().confirmed().events:
        await sellers.take(event)
    shown = (await http.get("/seller/dashboard/metrics", params={"period": "last_7_days", "grain": "week"})).json()
    assert shown["figures"]["revenue"] == {"amount": 299_800, "currency": "INR"}
    assert shown["figures"]["averageOrderValue"]["amount"] == 299_800
    assert shown["period"] == {"start": "2026-10-26", "end": "2026-11-01"}
    assert shown["previousPeriod"] == {"start": "2026-10-19", "end": "2026-10-25"}
    assert shown["topProducts"][0]["units"] == 2
    alone = (await http.get("/seller/dashboard/metrics", params={"compare": "none"})).json()
    assert alone["previous"] is None
    listed = (await http.get("/seller/dashboard/orders", params={"status": "confirmed"})).json()
    assert [order["orderId"] for order in listed["items"]] == ["ord_1"]


async def test_low_stock_over_http(http, sellers, catalog):
    catalog.stock("var_1", product_id="prd_1", seller_id="sel_asha", on_hand=1)
    catalog.stock("var_2", product_id="prd_2", seller_id="sel_asha", on_hand=100)
    await sellers.check_stock(["prd_1", "prd_2"])
    whole = (await http.get("/seller/dashboard/products")).json()
    assert [each["lowStock"] for each in whole["items"]] == [True, False]
    low = (await http.get("/seller/dashboard/products", params={"lowStock": "true"})).json()
    assert [each["variantId"] for each in low["items"]] == ["var_1"]


async def test_the_profile_over_http(http):
    assert (await http.get("/seller/profile")).json()["status"] == "approved"
    changed = await http.patch("/seller/profile", json={"state": "Goa", "status": "suspended", "sellerId": "sel_ravi"})
    assert changed.json().items() >= {
        "sellerId": "sel_asha", "name": "Asha Stores", "status": "approved", "state": "Goa", "gstin": None,
    }.items()  # fmt: skip


@pytest.mark.parametrize(
    ("path", "params", "code", "field"),
    [
        ("metrics", {"period": "tomorrow"}, "invalid_period", "period"),
        ("metrics", {"grain": "hour"}, "invalid", "grain"),
        ("metrics", {"compare": "last_year"}, "invalid", "compare"),
        ("orders", {"status": "lost"}, "invalid", "status"),
        ("orders", {"cursor": "zzz"}, "invalid_cursor", "cursor"),
        ("orders", {"limit": 0}, "invalid", "limit"),
        ("products", {"limit": 101}, "invalid", "limit"),
        ("products", {"cursor": "zzz"}, "invalid_cursor", "cursor"),
    ],
)
async def test_a_senseless_question_is_a_problem_with_its_field(http, path, params, code, field):
    refused = await http.get(f"/seller/dashboard/{path}", params=params)
    assert refused.headers["content-type"] == "application/problem+json"
    assert (refused.status_code, refused.json()["code"], refused.json()["field"]) == (422, code, field)


@pytest.mark.parametrize("gstin", ["", "29ABCDE", "29abcde1234f1z5", "x" * 10_000])
async def test_a_gstin_has_the_form_of_one(http, gstin):
    refused = await http.patch("/seller/profile", json={"gstin": gstin})
    assert (refused.status_code, refused.json()["field"]) == (422, "gstin")


@pytest.mark.parametrize(
    "path", ["/seller/profile", "/seller/dashboard/metrics", "/seller/dashboard/orders", "/seller/dashboard/products"]
)
async def test_the_dashboard_is_for_sellers_only(http, path):
    assert (await http.get(path, headers={"x-user": ""})).status_code == 401
    assert (await http.get(path, headers={"x-roles": "customer"})).status_code == 403
    assert (await http.get(path, headers={"x-user": "gst_1", "x-roles": ""})).status_code == 401
