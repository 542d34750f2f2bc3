import httpx
import pytest
from fastapi import FastAPI

from api.errors import install
from services.cart.routes import routes
from services.kit.principal import Principal


@pytest.fixture
async def http(cart, catalog):
    app = FastAPI()
    install(app)
    app.include_router(routes(cart))

    async def authenticate(request):
        user = request.headers.get("x-user")
        return Principal(user_id=user) if user else None

    app.state.authenticate = authenticate
    catalog.stock("var_a", price=149_900)
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://cart", headers={"x-user": "usr_1"}) as client:
        yield client


async def test_a_line_goes_in_changes_and_comes_out_over_http(http):
    added = await http.post("/cart/items", json={"variantId": "var_a", "quantity": 2})
    assert added.status_code == 200
    assert added.json()["items"][0]["lineTotal"] == {"amount": 299_800, "currency": "INR"}
    changed = await http.patch("/cart/items/var_a", json={"qty": 1})
    assert changed.json()["total"]["amount"] == 149_900
    assert (await http.delete("/cart/items/var_a")).json()["items"] == []
    assert (await http.get("/cart")).json()["version"] == 3
    assert (await http.delete("/cart")).status_code == 200


async def test_a_guest_has_a_cart_too(http):
    headers = {"x-user": "gst_1"}
    assert (await http.post("/cart/items", json={"productId": "prd_var_a"}, headers=headers)).status_code == 200
    assert len((await http.get("/cart", headers=headers)).json()["items"]) == 1


async def test_an_idempotency_key_adds_once(http):
    for _ in range(2):
        added = await http.post("/cart/items", json={"variantId": "var_a"}, headers={"Idempotency-Key": "k"})
    assert added.json()["items"][0]["qty"] == 1


@pytest.mark.parametrize("qty", [0, -1, 10**9, "many", None])
async def test_a_senseless_quantity_is_refused_with_its_field(http, qty):
    answer = await http.post("/cart/items", json={"variantId": "var_a", "qty": qty})
    assert (answer.status_code, answer.json()["code"], answer.json()["field"]) == (422, "invalid", "qty")


async def test_an_unknown_product_is_a_problem_document(http):
    answer = await http.post("/cart/items", json={"productId": "prd_x"})
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"


async def test_nobody_gets_a_cart_without_saying_who(http):
    assert (await http.get("/cart", headers={"x-user": ""})).status_code == 401
