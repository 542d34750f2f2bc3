"""Operators approve and suspend sellers."""

import httpx
import pytest
from fastapi import FastAPI

from api.errors import install
from services.kit.principal import Principal
from services.sellers.routes import operator_routes
from services.sellers.service import SellersService
from tests.services.sellers.trade import ASHA


@pytest.fixture
async def http(sellers):
    app = FastAPI()
    install(app)
    app.include_router(operator_routes(sellers))

    async def authenticate(request):
        return Principal(user_id="usr_olga", roles=frozenset(request.headers.get("x-roles", "admin").split()))

    app.state.authenticate = authenticate
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://shop") as client:
        yield client


async def test_a_new_seller_waits_until_an_operator_approves(http, outbox, accounts, catalog, clock):
    careful = SellersService(outbox, auth=accounts, catalog=catalog, clock=clock, auto_approve=False)
    assert (await careful.profile(ASHA)).status == "pending"
    waiting = (await http.get("/admin/sellers", params={"status": "pending"})).json()
    assert [seller["sellerId"] for seller in waiting["items"]] == ["sel_asha"]
    approved = await http.post("/admin/sellers/sel_asha/approve")
    assert (approved.status_code, approved.json()["status"]) == (200, "approved")
    assert (await careful.profile(ASHA)).status == "approved"
    assert (await http.get("/admin/sellers", params={"status": "pending"})).json()["items"] == []


async def test_a_suspended_sellers_products_are_looked_at_anew_even_on_a_repeat(http, sellers, catalog):
    await sellers.profile(ASHA)
    for _ in range(2):
        assert (await http.post("/admin/sellers/sel_asha/suspend")).json()["status"] == "suspended"
    assert (await http.post("/admin/sellers/sel_asha/approve")).json()["status"] == "approved"
    assert catalog.refreshed == ["sel_asha"] * 3


async def test_all_sellers_are_listed_once_page_by_page(http, sellers, accounts):
    accounts.names = {f"usr_{number}": f"Shop {number}" for number in range(25)}
    await sellers.profiles([f"sel_{number}" for number in range(25)])
    await sellers.set_status(Principal(user_id="usr_olga", roles=frozenset({"admin"})), "sel_7", "suspended")
    seen, cursor, pages = [], None, 0
    while pages == 0 or cursor:
        page = (await http.get("/admin/sellers", params={"limit": 4, **({"cursor": cursor} if cursor else {})})).json()
        seen += [seller["sellerId"] for seller in page["items"]]
        cursor, pages = page["nextCursor"], pages + 1
    assert sorted(seen) == sorted(f"sel_{number}" for number in range(25))
    assert pages == 7
    listed = (await http.get("/admin/sellers", params={"status": "suspended"})).json()
    assert [seller["sellerId"] for seller in listed["items"]] == ["sel_7"]


async def test_a_seller_that_is_not_there_is_not_found(http):
    for step in ("approve", "suspend"):
        assert (await http.post(f"/admin/sellers/sel_nobody/{step}")).status_code == 404


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", ""), ("POST", "/sel_asha/approve"), ("POST", "/sel_asha/suspend")],
)
async def test_sellers_are_managed_by_operators_only(http, sellers, method, path):
    await sellers.profile(ASHA)
    refused = await http.request(method, f"/admin/sellers{path}", headers={"x-roles": "customer seller"})
    assert (refused.status_code, refused.json()["code"]) == (403, "forbidden")
    assert (await sellers.profile(ASHA)).status == "approved"


async def test_a_foreign_cursor_is_refused(http):
    refused = await http.get("/admin/sellers", params={"cursor": "zzz"})
    assert (refused.status_code, refused.json()["code"]) == (422, "invalid_cursor")


async def test_a_renamed_shop_is_shown_by_its_new_name(sellers, catalog):
    from services.contracts.sellers import ProfilePatch

    await sellers.update_profile(ASHA, ProfilePatch(state="Goa"))
    assert catalog.refreshed == []
    await sellers.update_profile(ASHA, ProfilePatch(name="Asha and Daughters"))
    assert catalog.refreshed == ["sel_asha"]
