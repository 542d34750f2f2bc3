import httpx
import pytest
from fastapi import FastAPI

from api.errors import install
from services.kit.principal import Principal
from services.orders.routes import routes


@pytest.fixture
async def http(shop):
    app = FastAPI()
    install(app)
    app.include_router(routes(shop.orders))

    async def authenticate(request):
        user = request.headers.get("x-user")
        return Principal(user_id=user) if user else None

    app.state.authenticate = authenticate
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://orders") as client:
        yield client


@pytest.fixture
async def asha(shop, http):
    """A buyer with two of var_a in the cart, whose calls these are."""
    shop.catalog.stock("var_a")
    who = shop.buyer(var_a=2)
    http.headers["x-user"] = who.user_id
    return who


async def test_an_order_is_quoted_placed_read_and_cancelled_over_http(http, asha):
    quote = (await http.post("/orders/quote", json={})).json()
    body = {"quoteHash": quote["quoteHash"], "paymentMethod": "razorpay"}
    placed = await http.post("/orders", json=body, headers={"Idempotency-Key": "k"})
    assert placed.status_code == 201
    order = placed.json()
    assert order["total"] == quote["total"] == {"amount": 24_900, "currency": "INR"}
    assert "commission" not in placed.text
    assert (await http.get(f"/orders/{order['orderId']}")).json() == order
    assert [o["orderId"] for o in (await http.get("/orders/me")).json()["items"]] == [order["orderId"]]
    cancelled = await http.post(f"/orders/{order['orderId']}/cancel")
    assert (cancelled.status_code, cancelled.json()["status"]) == (200, "cancelled")


async def test_a_repeat_is_byte_equal_and_says_so(http, asha):
    headers = {"Idempotency-Key": "k"}
    first = await http.post("/orders", json={}, headers=headers)
    again = await http.post("/orders", json={}, headers=headers)
    assert (again.status_code, again.content) == (201, first.content)
    assert again.headers["Idempotent-Replayed"] == "true"
    assert "Idempotent-Replayed" not in first.headers


async def test_an_order_needs_its_key(http, asha):
    answer = await http.post("/orders", json={})
    assert (answer.status_code, answer.json()["code"]) == (400, "idempotency_key_required")


async def test_one_persons_key_is_not_anothers(http, shop, asha):
    headers = {"Idempotency-Key": "k"}
    first = await http.post("/orders", json={}, headers=headers)
    other = shop.buyer(var_a=1)
    second = await http.post("/orders", json={}, headers={**headers, "x-user": other.user_id})
    assert second.status_code == 201
    assert first.json()["orderId"] != second.json()["orderId"]


async def test_identity_and_prices_in_the_body_are_not_used(http, asha):
    body = {"userId": "usr_other", "total": 1, "items": []}
    order = (await http.post("/orders", json=body, headers={"Idempotency-Key": "k"})).json()
    assert (order["userId"], order["total"]["amount"]) == (asha.user_id, 24_900)


async def test_a_stale_quote_is_a_problem_with_the_fresh_one(http, shop, asha):
    quote = (await http.post("/orders/quote", json={})).json()
    shop.catalog.shelves["var_a"].price += 100
    answer = await http.post("/orders", json={"quoteHash": quote["quoteHash"]}, headers={"Idempotency-Key": "k"})
    assert (answer.status_code, answer.json()["code"]) == (409, "quote_changed")
    assert answer.json()["details"]["quote"]["total"]["amount"] == quote["total"]["amount"] + 200


async def test_guests_are_asked_to_log_in(http):
    for user in ("gst_1", ""):
        answer = await http.post("/orders/quote", json={}, headers={"x-user": user})
        assert answer.status_code == 401


async def test_a_method_that_is_never_offered_is_invalid(http, asha):
    answer = await http.post("/orders/quote", json={"paymentMethod": "paypal"})
    assert (answer.status_code, answer.json()["field"]) == (422, "paymentMethod")
