"""Bad input gets a clear error and loses nothing: over HTTP, and in the chat."""

import asyncio
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from tests.processes import CohortProcess
from tests.shopper import Shopper, eventually, of_type

pytestmark = pytest.mark.processes
LONG = "x" * 65_536
NOBODY = "prd_" + "0" * 32


def refused(answer: httpx.Response, status: int, code: str, field: str | None = None) -> dict[str, Any]:
    """An answer that is a problem of this kind."""
    problem: dict[str, Any] = answer.json()
    assert (answer.status_code, problem["code"]) == (status, code), answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert problem["requestId"] == answer.headers["x-request-id"]
    assert problem["detail"]
    assert field is None or problem["field"] == field
    return problem


async def cart_of(who: Shopper) -> list[tuple[str, int]]:
    return [(line["productId"], line["qty"]) for line in (await who.get("/cart"))["items"]]


async def lamp_in_cart(who: Shopper, seller: Shopper, stock: int = 5, qty: int = 2) -> dict[str, Any]:
    lamp: dict[str, Any] = await seller.offer(stock)
    await who.made("/cart/items", {"productId": lamp["productId"], "qty": qty})
    return lamp


async def test_an_unknown_product_is_not_found(asha: Shopper) -> None:
    refused(await asha.http.get(f"/products/{NOBODY}"), 404, "not_found")
    refused(await asha.post("/cart/items", {"productId": NOBODY, "qty": 1}), 404, "not_found")
    refused(await asha.http.get("/products/%00%ff"), 404, "not_found")
    assert await cart_of(asha) == []


@pytest.mark.parametrize("qty", [0, -1, 10**9, 10**30, 1.5, "many", None])
async def test_a_quantity_that_makes_no_sense_is_named(asha: Shopper, seller: Shopper, qty: object) -> None:
    lamp = await lamp_in_cart(asha, seller)
    refused(await asha.post("/cart/items", {"productId": lamp["productId"], "qty": qty}), 422, "invalid", "qty")
    assert await cart_of(asha) == [(lamp["productId"], 2)]


async def test_more_than_there_is_says_what_is_left(asha: Shopper, seller: Shopper) -> None:
    lamp = await lamp_in_cart(asha, seller)
    problem = refused(await asha.post("/cart/items", {"productId": lamp["productId"], "qty": 9}), 409, "out_of_stock")
    assert problem["details"]["available"] == 5
    assert await cart_of(asha) == [(lamp["productId"], 2)]


@pytest.mark.parametrize("said", ["add 0 of them", "add -1 of the first one", "add 1000000000 of the first one"])
async def test_a_senseless_quantity_in_the_chat_changes_no_cart(asha: Shopper, said: str) -> None:
    async with asha.chat() as chat:
        assert of_type(await chat.say("backpacks under 3000"), "products")["items"]
        assert of_type(await chat.say(said), "answer")["text"]
    assert await cart_of(asha) == []


async def test_64_kilobytes_of_text_are_refused_and_the_next_message_is_heard(asha: Shopper, seller: Shopper) -> None:
    product = {"title": LONG, "description": "d", "price": 10, "category": "Home", "stock": 1}
    refused(await seller.post("/products", product), 422, "invalid", "title")
    async with asha.chat() as chat:
        frames = await chat.say("y" * 60_000)
        assert (frames[-1]["code"], frames[-1]["field"]) == ("invalid", "text")
        assert of_type(await chat.say("hello"), "answer")["text"]
    async with asha.chat() as chat:
        with pytest.raises(ConnectionClosed) as closed:
            await chat.say(LONG)
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1009


async def test_a_body_of_more_than_a_megabyte_is_refused(asha: Shopper) -> None:
    answer = await asha.http.post("/cart/items", content=b"x" * 1_100_000, headers={"content-type": "application/json"})
    refused(answer, 413, "too_large")


async def test_broken_json_is_said_to_be_broken(asha: Shopper) -> None:
    for body in (b"{", b"", b"\xff\xfe", b"[1, 2", b'{"productId": NaN'):
        answer = await asha.http.post("/cart/items", content=body, headers={"content-type": "application/json"})
        refused(answer, 422, "invalid")
    async with asha.chat() as chat:
        for raw in ("{", "[]", "null", '{"type": "dance"}', '{"type": "message"}'):
            await chat.socket.send(raw)
            assert (await chat.reply())["type"] == "error"
        await chat.send(type="ping")
        assert (await chat.reply())["type"] == "pong"


async def test_tokens_that_are_expired_or_foreign_open_nothing(asha: Shopper, cohort: CohortProcess) -> None:
    for token in (*_bad_tokens(asha.token, cohort.home / "keys"), "nonsense"):
        bad = {"Authorization": f"Bearer {token}"}
        for method, path in (("GET", "/auth/me"), ("GET", "/cart"), ("GET", "/orders/me"), ("POST", "/chat/tickets")):
            refused(await asha.http.request(method, path, headers=bad), 401, "unauthenticated")
    url = cohort.url.replace("http", "ws")
    with pytest.raises(InvalidStatus) as denied:
        async with connect(f"{url}/chat/ws?ticket=nonsense"):
            pass
    assert denied.value.response.status_code == 401


def _bad_tokens(token: str, keys: Path) -> list[str]:
    """Genuine but expired; right in every claim but signed by another; another's claims under our signature."""
    header = jwt.get_unverified_header(token)
    claims = jwt.decode(token, options={"verify_signature": False})
    ours = load_pem_private_key((keys / f"{header['kid']}.pem").read_bytes(), password=None)
    assert isinstance(ours, Ed25519PrivateKey)
    an_hour_ago = int((datetime.now(UTC) - timedelta(hours=1)).timestamp())
    expired = {**claims, "iat": an_hour_ago - 900, "nbf": an_hour_ago - 900, "exp": an_hour_ago}
    head, body, signature = token.split(".")
    return [
        jwt.encode(expired, ours, algorithm="EdDSA", headers=header),
        jwt.encode(claims, Ed25519PrivateKey.generate(), algorithm="EdDSA", headers=header),
        jwt.encode({**claims, "aud": "another-shop"}, ours, algorithm="EdDSA", headers=header),
        jwt.encode(claims, "secret-of-thirty-two-bytes-or-more", "HS256", {**header, "alg": "HS256"}),
        f"{head}.{jwt.encode({**claims, 'sub': 'usr_' + '0' * 32}, 'x' * 32).split('.')[1]}.{signature}",
        f"{head}.{body}.",
    ]


async def test_what_is_anothers_looks_like_what_is_not_there(asha: Shopper, seller: Shopper) -> None:
    await lamp_in_cart(asha, seller)
    order = await asha.place(await asha.add_address())
    missing = f"ord_{'0' * 32}"
    theirs, nothing = await seller.http.get(f"/orders/{order['orderId']}"), await seller.http.get(f"/orders/{missing}")
    first, second = refused(theirs, 404, "not_found"), refused(nothing, 404, "not_found")
    assert first | {"requestId": ""} == second | {"requestId": ""}


async def test_a_product_archived_after_the_search_is_not_added(asha: Shopper, seller: Shopper) -> None:
    name = f"zephyrine{uuid.uuid4().hex[:8]}"
    lamp = await seller.offer(5, f"{name} lamp")

    async def findable() -> None:
        found = (await asha.get("/products", q=name))["items"]
        assert found[0]["productId"] == lamp["productId"]

    await eventually(findable)
    async with asha.chat() as chat:
        shown = of_type(await chat.say(f"show me {name} lamp"), "products")["items"]
        assert shown[0]["productId"] == lamp["productId"]
        archived = await seller.http.patch(f"/products/{lamp['productId']}", json={"status": "archived"})
        assert archived.status_code == 200, archived.text
        refused(await asha.post("/cart/items", {"productId": lamp["productId"], "qty": 1}), 404, "not_found")
        frames = await chat.say("add the first one")
        assert [f["ok"] for f in frames if f["type"] == "tool_end"] == [False]
        assert of_type(frames, "answer")["text"]
    assert await cart_of(asha) == []


async def test_a_price_that_changed_since_the_quote_is_never_charged_silently(asha: Shopper, seller: Shopper) -> None:
    lamp = await lamp_in_cart(asha, seller)
    wish = {"addressId": await asha.add_address(), "paymentMethod": "razorpay"}
    quote = await asha.made("/orders/quote", wish)
    await _reprice(seller, lamp, 1999)

    async def refused_by_the_new_price() -> None:
        told = refused(await asha.post("/orders", {**wish, "quoteHash": quote["quoteHash"]}), 409, "quote_changed")
        assert told["details"]["quote"]["lines"][0]["price"]["amount"] == 199_900

    await refused_by_the_new_price()
    assert (await asha.get("/orders/me"))["items"] == []
    assert await cart_of(asha) == [(lamp["productId"], 2)]


async def test_a_price_that_changed_during_the_approval_is_asked_again(asha: Shopper, seller: Shopper) -> None:
    lamp = await lamp_in_cart(asha, seller)
    await asha.add_address()
    async with asha.chat() as chat:
        approval = of_type(await chat.say("checkout"), "approval_request")
        await _reprice(seller, lamp, 1999)
        frames = await chat.decide(approval["approvalId"])
        assert of_type(frames, "approval_closed")["reason"] == "changed"
        again = [frame for frame in frames if frame["type"] == "approval_request"]
        assert all(frame["quote"]["lines"][0]["price"]["amount"] == 199_900 for frame in again)
        assert not [frame for frame in frames if frame["type"] == "payment_request"]
    assert (await asha.get("/orders/me"))["items"] == []


async def _reprice(seller: Shopper, lamp: dict[str, Any], price: int) -> None:
    changed = await seller.http.patch(f"/products/{lamp['productId']}", json={"price": price})
    assert changed.status_code == 200, changed.text


async def test_stock_that_is_gone_at_the_order_names_what_is_left(
    asha: Shopper, seller: Shopper, cohort: CohortProcess
) -> None:
    lamp = await lamp_in_cart(asha, seller, stock=3, qty=2)
    wish = {"addressId": await asha.add_address(), "paymentMethod": "cod"}
    await asha.made("/orders/quote", wish)
    faster = await Shopper.register(cohort.url, "Faster")
    await faster.made("/cart/items", {"productId": lamp["productId"], "qty": 2})
    assert (await faster.place(await faster.add_address(), "cod"))["status"] == "confirmed"
    await faster.leave()

    problem = refused(await asha.post("/orders", wish), 409, "out_of_stock")
    assert problem["details"]["available"] == 1
    assert await cart_of(asha) == [(lamp["productId"], 2)]
    assert [n["code"] for n in (await asha.get("/cart"))["notices"]] == ["qty_over_stock"]


async def test_a_wrong_signature_confirms_nothing_and_the_right_one_still_does(asha: Shopper, seller: Shopper) -> None:
    order, paid = await _paid_at_the_gateway(asha, seller)
    forged = {**paid, "razorpay_signature": "0" * 64}
    refused(await asha.post("/payments/verify", forged), 422, "signature_invalid")
    unsigned = await asha.http.post("/payments/razorpay/webhook", json={"event": "payment.captured"})
    refused(unsigned, 422, "signature_invalid")
    assert (await asha.made("/payments/verify", paid))["status"] == "completed"
    assert (await asha.get(f"/orders/{order['orderId']}"))["paymentStatus"] == "paid"


async def test_a_payment_confirmed_twice_counts_once(asha: Shopper, seller: Shopper) -> None:
    order, paid = await _paid_at_the_gateway(asha, seller)
    key = str(uuid.uuid4())
    first, *others = await asyncio.gather(*(asha.post("/payments/verify", paid, key=k) for k in (key, None, None)))
    assert {answer.status_code for answer in (first, *others)} <= {200, 409}
    again = await asha.post("/payments/verify", paid, key=key)
    assert (again.status_code, again.headers.get("idempotent-replayed")) == (200, "true")
    now = await asha.get(f"/orders/{order['orderId']}")
    assert (now["status"], now["paymentStatus"], now["refunded"]["amount"]) == ("confirmed", "paid", 0)
    assert [step["status"] for step in now["timeline"]] == ["pending", "confirmed"]


async def _paid_at_the_gateway(asha: Shopper, seller: Shopper) -> tuple[dict[str, Any], dict[str, Any]]:
    """An order, and what the checkout handed over for it."""
    await lamp_in_cart(asha, seller)
    order = await asha.place(await asha.add_address())
    opened = await asha.made("/payments/razorpay/order", {"orderId": order["orderId"]})
    return order, await asha.check_out(opened["razorpayOrderId"])


async def test_a_refused_card_leaves_the_order_unpaid_and_payable(asha: Shopper, seller: Shopper) -> None:
    await lamp_in_cart(asha, seller)
    order = await asha.place(await asha.add_address())
    opened = await asha.made("/payments/razorpay/order", {"orderId": order["orderId"]})
    failed = {"order_id": opened["razorpayOrderId"], "vpa": "failure@razorpay"}
    assert (await asha.http.post("/sandbox/razorpay/checkout", json=failed)).status_code in {200, 400}
    assert (await asha.get(f"/orders/{order['orderId']}"))["paymentStatus"] == "unpaid"
    assert (await asha.pay(order["orderId"]))["status"] == "completed"


async def test_two_approvals_of_one_request_make_one_order(asha: Shopper, seller: Shopper) -> None:
    await lamp_in_cart(asha, seller)
    await asha.add_address()
    async with asha.chat() as chat:
        approval = of_type(await chat.say("checkout"), "approval_request")
        path = f"/chat/approvals/{approval['approvalId']}"
        for _ in range(2):
            await chat.send(type="approve", approvalId=approval["approvalId"], decision="approve")
        both = await asyncio.gather(*(asha.http.post(path, json={"decision": "approve"}) for _ in range(2)))
        await chat.until(lambda frame: frame["type"] == "done")
    assert {answer.status_code for answer in both} <= {200, 409}
    late = await asha.http.post(path, json={"decision": "approve"})
    refused(late, 409, "approval_closed")
    assert len((await asha.get("/orders/me"))["items"]) == 1


async def test_anothers_approval_cannot_be_answered(asha: Shopper, seller: Shopper) -> None:
    await lamp_in_cart(asha, seller)
    await asha.add_address()
    async with asha.chat() as chat:
        approval = of_type(await chat.say("checkout"), "approval_request")
        path = f"/chat/approvals/{approval['approvalId']}"
        refused(await seller.http.post(path, json={"decision": "approve"}), 404, "not_found")
    assert (await asha.get("/orders/me"))["items"] == []
