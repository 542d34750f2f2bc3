from datetime import timedelta

import httpx
import pytest
from fastapi import FastAPI

from api.errors import install
from services.cart.consumers import subscription
from services.cart.routes import routes
from services.contracts.cart import CouponRefused
from services.contracts.events import OrderCreated, OrderExpired
from services.kit.events import envelope_of
from services.kit.ids import RandomIds
from services.kit.inbox import Inbox
from services.kit.principal import Principal
from tests.services.cart.test_cart_consumer import order

SELLER, OTHER = "usr_a", "usr_b"


@pytest.fixture
async def http(cart, catalog):
    """The routes, called by whoever `as_` names; sel_a sells var_a at 100 rupees and sel_b var_b at 50."""
    app = FastAPI()
    install(app)
    app.include_router(routes(cart))

    async def authenticate(request):
        user = request.headers["x-user"]
        return Principal(user_id=user, roles=frozenset({"seller"} if user in {SELLER, OTHER} else {"customer"}))

    app.state.authenticate = authenticate
    catalog.stock("var_a", seller_id="sel_a")
    catalog.stock("var_b", price=5_000, seller_id="sel_b")
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://cart") as client:
        client.headers["x-user"] = "usr_buyer"
        yield client


async def made(http, code="TEN", by=SELLER, **fields) -> dict:
    body = {"code": code, **({"percent": 10} if "amount" not in fields else {}), **fields}
    answer = await http.post("/seller/coupons", json=body, headers={"x-user": by})
    assert answer.status_code == 201, answer.text
    return answer.json()


async def filled(http, **quantities: int) -> None:
    for variant_id, qty in quantities.items():
        await http.post("/cart/items", json={"variantId": variant_id, "qty": qty})


async def test_a_coupon_takes_its_share_off_its_sellers_goods(http):
    await made(http)
    await filled(http, var_a=2, var_b=1)
    seen = (await http.post("/cart/coupon", json={"code": "ten"})).json()
    assert (seen["coupon"], seen["discount"]["amount"], seen["total"]["amount"]) == ("TEN", 2_000, 23_000)
    assert (await http.get("/cart")).json() == seen
    without = (await http.delete("/cart/coupon")).json()
    assert (without["coupon"], without["discount"]["amount"], without["total"]["amount"]) == (None, 0, 25_000)


@pytest.mark.parametrize(
    ("fields", "discount"),
    [
        ({"percent": 50, "cap": 30}, 3_000),
        ({"amount": "15.50"}, 1_550),
        ({"amount": 5_000}, 19_900),
        ({"percent": 100}, 19_900),
        ({"percent": 10, "minimum": 200}, 2_000),
    ],
)
async def test_caps_amounts_and_minimums_hold(http, fields, discount):
    await made(http, **fields)
    await filled(http, var_a=2)
    assert (await http.post("/cart/coupon", json={"code": "TEN"})).json()["discount"]["amount"] == discount


async def refusal(http) -> str:
    answer = await http.post("/cart/coupon", json={"code": "TEN"})
    assert (answer.status_code, answer.json()["code"]) == (422, "coupon_refused")
    return answer.json()["details"]["reason"]


async def test_a_coupon_below_its_minimum_or_for_other_goods_is_refused(http):
    await made(http, minimum=150)
    await filled(http, var_a=1, var_b=5)
    assert await refusal(http) == "minimum"
    await http.delete("/cart/items/var_a")
    await made(http, code="FREE", by=OTHER)
    assert (await http.post("/cart/coupon", json={"code": "FREE"})).status_code == 200


async def test_an_expired_or_ended_coupon_is_refused_and_leaves_carts_with_a_notice(http, clock):
    await made(http, expiresAt=(clock.now() + timedelta(days=1)).isoformat())
    await filled(http, var_a=1)
    assert (await http.post("/cart/coupon", json={"code": "TEN"})).status_code == 200
    clock.advance(timedelta(days=1))
    seen = (await http.get("/cart")).json()
    assert (seen["discount"]["amount"], seen["notices"][0]["code"]) == (0, "coupon_refused")
    assert await refusal(http) == "expired"
    ended = await http.post("/seller/coupons/TEN/end", headers={"x-user": SELLER})
    assert ended.json()["endedAt"]
    assert await refusal(http) == "ended"


async def test_an_unknown_code_is_not_there(http):
    await filled(http, var_a=1)
    assert (await http.post("/cart/coupon", json={"code": "NOPE"})).status_code == 404


async def test_a_single_use_coupon_is_refused_to_who_used_it(http, cart):
    await made(http)
    await filled(http, var_a=1)
    await cart.redeem("usr_buyer", "TEN", "ord_1")
    await cart.redeem("usr_buyer", "TEN", "ord_1")
    assert await refusal(http) == "used"
    with pytest.raises(CouponRefused):
        await cart.redeem("usr_buyer", "TEN", "ord_2")
    await cart.redeem("usr_other", "TEN", "ord_3")
    await cart.release_coupon("ord_1")
    assert (await http.post("/cart/coupon", json={"code": "TEN"})).status_code == 200


async def test_a_coupon_for_many_uses_is_used_many_times(http, cart):
    await made(http, singleUse=False)
    for n in range(3):
        await cart.redeem("usr_buyer", "TEN", f"ord_{n}")


async def test_sellers_list_and_end_only_their_own(http):
    await made(http)
    await made(http, code="NEW")
    assert (await http.post("/seller/coupons", json={"code": "ten", "percent": 5}, headers={"x-user": OTHER})).json()[
        "code"
    ] == "coupon_code_taken"
    listed = (await http.get("/seller/coupons?limit=1", headers={"x-user": SELLER})).json()
    assert len(listed["items"]) == 1
    rest = await http.get(f"/seller/coupons?cursor={listed['nextCursor']}", headers={"x-user": SELLER})
    assert {listed["items"][0]["code"], rest.json()["items"][0]["code"]} == {"TEN", "NEW"}
    assert (await http.get("/seller/coupons", headers={"x-user": OTHER})).json()["items"] == []
    assert (await http.post("/seller/coupons/TEN/end", headers={"x-user": OTHER})).status_code == 404
    assert (await http.post("/seller/coupons", json={"code": "MINE", "percent": 5})).status_code == 403


@pytest.mark.parametrize("fields", [{}, {"percent": 5, "amount": 5}, {"amount": 5, "cap": 5}, {"percent": 101}])
async def test_a_coupon_is_one_thing(http, fields):
    answer = await http.post("/seller/coupons", json={"code": "TEN", **fields}, headers={"x-user": SELLER})
    assert answer.status_code == 422


async def test_an_order_takes_the_coupon_along_and_an_unpaid_end_brings_it_back(http, cart, outbox, clock):
    inbox = Inbox(outbox, "cart-queue", clock)
    await inbox.prepare()
    consumer = subscription(cart, inbox)
    who = Principal(user_id="usr_buyer", roles=frozenset({"customer"}))
    await made(http)
    await filled(http, var_a=1)
    await http.post("/cart/coupon", json={"code": "TEN"})
    view = await cart.get(who)
    await cart.redeem(who.user_id, "TEN", "ord_1")
    clock.advance(timedelta(hours=1))
    assert await cart.redemptions_before(clock.now()) == ["ord_1"]
    for kind, coupon in ((OrderCreated, None), (OrderExpired, "TEN")):
        event = order(kind, view, who).model_copy(update={"coupon": "TEN"})
        await consumer.handle(envelope_of(event, ids=RandomIds(), now=clock.now(), source="orders"))
        assert (await cart.get(who)).coupon == coupon
    assert await cart.redemptions_before(clock.now()) == []
