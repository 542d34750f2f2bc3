"""Orders and authentication, seen through the official SDK."""

import asyncio
import re
from datetime import UTC, datetime

import httpx
import pytest
from razorpay.errors import BadRequestError
from sandbox_world import KEYS, Buyer, Sdk

from services.payments.adapters.sandbox import SandboxGateway


async def test_a_new_order_is_created_unpaid_and_can_be_fetched(sdk: Sdk):
    order = await sdk.order(149_900, receipt="ord_1", notes={"cart": "c.1", "$city": "Pune"})
    assert re.fullmatch(r"order_[A-Za-z0-9]{14}", order["id"])
    assert order == {
        "id": order["id"],
        "entity": "order",
        "amount": 149_900,
        "amount_paid": 0,
        "amount_due": 149_900,
        "currency": "INR",
        "receipt": "ord_1",
        "offer_id": None,
        "status": "created",
        "attempts": 0,
        "notes": {"cart": "c.1", "$city": "Pune"},
        "created_at": order["created_at"],
    }
    assert abs(order["created_at"] - datetime.now(UTC).timestamp()) < 60
    assert await sdk(lambda client: client.order.fetch(order["id"])) == order


@pytest.mark.parametrize(
    ("body", "description"),
    [
        ({"currency": "INR"}, "amount: is required."),
        ({"amount": 99, "currency": "INR"}, "Order amount less than minimum amount allowed"),
        ({"amount": 100.5, "currency": "INR"}, "The amount must be an integer."),
        ({"amount": -100, "currency": "INR"}, "The amount must be at least INR 1.00"),
        ({"amount": True, "currency": "INR"}, "The amount must be an integer."),
        ({"amount": 10**15, "currency": "INR"}, "Amount exceeds maximum amount allowed."),
        ({"amount": 100}, "currency: is required."),
        ({"amount": 100, "currency": "XYZ"}, "Currency is not supported"),
        ({"amount": 100, "currency": "INR", "receipt": "r" * 41}, "receipt: the length must be no more than 40."),
        (
            {"amount": 100, "currency": "INR", "notes": {str(n): "x" for n in range(16)}},
            "Number of fields in notes should be less than or equal to 15",
        ),
    ],
)
async def test_an_order_that_breaks_a_rule_is_refused_in_razorpays_words(sdk: Sdk, body: dict, description: str):
    with pytest.raises(BadRequestError, match=re.escape(description)):
        await sdk(lambda client: client.order.create(body))


async def test_a_rupee_is_the_least_amount(sdk: Sdk):
    assert (await sdk.order(100))["amount"] == 100


async def test_a_refusal_has_every_member_of_razorpays_error_body(web: httpx.AsyncClient):
    answer = await web.post("/v1/orders", json={"amount": 99, "currency": "INR"}, auth=KEYS)
    assert answer.status_code == 400
    assert answer.json() == {
        "error": {
            "code": "BAD_REQUEST_ERROR",
            "description": "Order amount less than minimum amount allowed",
            "field": "amount",
            "source": "business",
            "step": "order_creation",
            "reason": "amount_less_than_minimum_amount",
            "metadata": {},
        }
    }


@pytest.mark.parametrize("auth", [(KEYS[0], "wrong"), ("rzp_test_other", KEYS[1]), ("ключ", "ключ")])
async def test_wrong_keys_are_answered_401(web: httpx.AsyncClient, auth: tuple[str, str]):
    answer = await web.post("/v1/orders", json={"amount": 100, "currency": "INR"}, auth=auth)
    assert answer.status_code == 401
    assert answer.json() == {
        "error": {
            "code": "BAD_REQUEST_ERROR",
            "description": "Authentication failed",
            "source": "NA",
            "step": "NA",
            "reason": "NA",
            "metadata": {},
        }
    }


async def test_a_call_without_keys_is_asked_for_them(web: httpx.AsyncClient):
    answer = await web.get("/v1/orders/order_00000000000000")
    assert answer.status_code == 401
    assert answer.json()["error"]["description"] == "Please provide your api key for authentication purposes."


async def test_the_sdk_raises_a_bad_request_for_wrong_keys(base_url: str):
    stranger = Sdk(base_url, ("rzp_test_x", "y"))
    with pytest.raises(BadRequestError, match="Authentication failed"):
        await stranger.order()
    stranger.client.session.close()


@pytest.mark.parametrize(
    ("order_id", "description"),
    [("order_00000000000000", "The id provided does not exist"), ("nonsense", "nonsense is not a valid id")],
)
async def test_an_unknown_order_is_a_bad_request(sdk: Sdk, order_id: str, description: str):
    with pytest.raises(BadRequestError, match=description):
        await sdk(lambda client: client.order.fetch(order_id))


async def test_an_unknown_url_is_a_bad_request(web: httpx.AsyncClient):
    answer = await web.get("/v1/subscriptions", auth=KEYS)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "BAD_REQUEST_ERROR")


@pytest.mark.parametrize("raw", [b"{", b"[1]", b'"x"', b"\xff", b'{"a": "\\ud800"}', b'{"\\u0000": 1}', b"[" * 100_000])
async def test_a_body_that_is_no_object_is_a_bad_request(web: httpx.AsyncClient, raw: bytes):
    answer = await web.post("/v1/orders", content=raw, auth=KEYS, headers={"content-type": "application/json"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "BAD_REQUEST_ERROR")


async def test_the_same_unique_receipt_gives_the_same_order(sdk: Sdk):
    first = await sdk.order(receipt="ord_7", unique_receipt=True)
    assert await sdk.order(receipt="ord_7", unique_receipt=True) == first


async def test_a_unique_receipt_of_another_amount_is_refused_and_names_the_order(sdk: Sdk, web: httpx.AsyncClient):
    first = await sdk.order(50_000, receipt="ord_7", unique_receipt=True)
    body = {"amount": 60_000, "currency": "INR", "receipt": "ord_7", "unique_receipt": True}
    error = (await web.post("/v1/orders", json=body, auth=KEYS)).json()["error"]
    assert error["description"] == "Order receipt should be unique."
    assert error["metadata"] == {"order_id": first["id"]}


async def test_without_unique_receipt_a_receipt_may_repeat_and_lists_newest_first(sdk: Sdk):
    first, second = await sdk.order(receipt="ord_8"), await sdk.order(receipt="ord_8")
    await sdk.order(receipt="ord_9")
    found = await sdk(lambda client: client.order.all({"receipt": "ord_8"}))
    assert (found["entity"], found["count"]) == ("collection", 2)
    assert [order["id"] for order in found["items"]] == [second["id"], first["id"]]


async def test_simultaneous_creations_with_one_unique_receipt_make_one_order(gateway: SandboxGateway):
    body = {"amount": 500, "currency": "INR", "receipt": "ord_race", "unique_receipt": True}
    orders = await asyncio.gather(*(gateway.orders.create(body) for _ in range(12)))
    assert len({order["id"] for order in orders}) == 1


async def test_an_order_goes_from_created_to_attempted_to_paid(sdk: Sdk, buyer: Buyer):
    order = await sdk.order(75_000)
    await buyer.fails(order)
    attempted = await sdk(lambda client: client.order.fetch(order["id"]))
    assert (attempted["status"], attempted["attempts"], attempted["amount_due"]) == ("attempted", 1, 75_000)
    await buyer.pays(order)
    paid = await sdk(lambda client: client.order.fetch(order["id"]))
    assert (paid["status"], paid["attempts"]) == ("paid", 2)
    assert (paid["amount_paid"], paid["amount_due"]) == (75_000, 0)


async def test_every_attempt_is_listed_with_its_order(sdk: Sdk, buyer: Buyer):
    order = await sdk.order()
    await buyer.fails(order)
    await buyer.fails(order)
    await buyer.pays(order)
    found = await sdk(lambda client: client.order.payments(order["id"]))
    assert [payment["status"] for payment in found["items"]] == ["captured", "failed", "failed"]
