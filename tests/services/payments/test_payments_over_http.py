from collections.abc import AsyncIterator

import httpx
import pytest
from fastapi import FastAPI, Request
from payments_world import Till

from api import errors
from services.kit.principal import Principal
from services.payments.routes import routes
from tests.fakes.razorpay import Entity


@pytest.fixture
async def web(till: Till) -> AsyncIterator[httpx.AsyncClient]:
    async def authenticate(request: Request) -> Principal | None:
        user_id = request.headers.get("x-user")
        roles = frozenset(request.headers.get("x-roles", "").split())
        return Principal(user_id=user_id, roles=roles) if user_id else None

    app = FastAPI()
    app.state.authenticate = authenticate
    app.include_router(routes(till.service))
    errors.install(app)
    headers = {"x-user": till.asha.user_id, "Idempotency-Key": "k1"}
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://shop.test", headers=headers) as client:
        yield client


async def opened(till: Till, web: httpx.AsyncClient) -> httpx.Response:
    order = till.orders.has(till.asha)
    return await web.post("/payments/razorpay/order", json={"orderId": order.order_id, "amount": 1})


def handed_over(till: Till, attempt: Entity) -> dict[str, str]:
    return {
        "razorpay_order_id": attempt["order_id"],
        "razorpay_payment_id": attempt["id"],
        "razorpay_signature": till.gateway.signature(attempt),
    }


async def test_a_payment_is_opened_verified_and_read(till: Till, web: httpx.AsyncClient) -> None:
    answer = await opened(till, web)
    assert answer.status_code == 201
    body = answer.json()
    assert {"paymentId", "razorpayOrderId", "keyId", "amount", "currency"} <= set(body)
    assert (body["amount"], body["currency"]) == (149_900, "INR")

    attempt = till.gateway.attempt(body["razorpayOrderId"])
    verified = await web.post("/payments/verify", json=handed_over(till, attempt))
    assert (verified.status_code, verified.json()["status"]) == (200, "completed")

    repeated = await web.post("/payments/verify", json=handed_over(till, attempt))
    assert repeated.headers["Idempotent-Replayed"] == "true"
    assert repeated.content == verified.content

    read = await web.get(f"/payments/{body['paymentId']}")
    assert read.json()["amount"] == {"amount": 149_900, "currency": "INR"}


async def test_the_documented_names_of_the_verify_body_are_accepted(till: Till, web: httpx.AsyncClient) -> None:
    attempt = till.gateway.attempt((await opened(till, web)).json()["razorpayOrderId"])
    body = {"orderId": attempt["order_id"], "paymentId": attempt["id"], "signature": till.gateway.signature(attempt)}

    assert (await web.post("/payments/verify", json=body)).json()["status"] == "completed"


async def test_money_commands_need_a_key_and_an_account(till: Till, web: httpx.AsyncClient) -> None:
    del web.headers["Idempotency-Key"]
    keyless = await opened(till, web)
    assert (keyless.status_code, keyless.json()["code"]) == (400, "idempotency_key_required")

    del web.headers["x-user"]
    assert (await opened(till, web)).status_code == 401


async def test_an_admin_refunds_a_part_and_the_buyer_sees_it(till: Till, web: httpx.AsyncClient) -> None:
    body = (await opened(till, web)).json()
    await web.post("/payments/verify", json=handed_over(till, till.gateway.attempt(body["razorpayOrderId"])))
    path = f"/payments/{body['paymentId']}/refunds"

    refused = await web.post(path, json={"amount": 10})
    assert (refused.status_code, refused.json()["code"]) == (409, "refund_not_allowed")
    headers = {"x-user": till.admin.user_id, "x-roles": "admin"}
    made = await web.post(path, json={"amount": "10.50", "reason": "<b>late</b>"}, headers=headers)
    assert made.status_code == 201
    assert (made.json()["amount"], made.json()["reason"]) == ({"amount": 1050, "currency": "INR"}, "late")
    again = await web.post(path, json={"amount": "10.50", "reason": "<b>late</b>"}, headers=headers)
    assert (again.content, again.headers["Idempotent-Replayed"]) == (made.content, "true")
    other = await web.post(path, json={"amount": "10.51"}, headers=headers)
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_conflict")
    too_much = await web.post(path, json={"amount": 1489}, headers={**headers, "Idempotency-Key": "k2"})
    assert (too_much.status_code, too_much.json()["details"]) == (422, {"left": 148_850})

    assert (await web.get(path)).json() == {"items": [made.json()], "nextCursor": None}
    web.headers["x-user"] = till.buyer().user_id
    assert (await web.get(path)).status_code == (await web.post(path)).status_code == 404


async def test_a_refund_needs_a_key_and_rupees(till: Till, web: httpx.AsyncClient) -> None:
    path = f"/payments/{(await opened(till, web)).json()['paymentId']}/refunds"
    assert (await web.post(path, json={"amount": "1.001"})).status_code == 422
    del web.headers["Idempotency-Key"]
    assert (await web.post(path, json={})).json()["code"] == "idempotency_key_required"


async def test_another_buyers_payment_looks_like_none(till: Till, web: httpx.AsyncClient) -> None:
    payment_id = (await opened(till, web)).json()["paymentId"]
    web.headers["x-user"] = till.buyer().user_id

    foreign, missing = await web.get(f"/payments/{payment_id}"), await web.get("/payments/pay_nothing")
    assert foreign.status_code == missing.status_code == 404
    assert foreign.content == missing.content


async def test_a_wrong_signature_has_its_code(till: Till, web: httpx.AsyncClient) -> None:
    attempt = till.gateway.attempt((await opened(till, web)).json()["razorpayOrderId"])

    answer = await web.post("/payments/verify", json={**handed_over(till, attempt), "razorpay_signature": "no"})
    assert (answer.status_code, answer.json()["code"]) == (422, "signature_invalid")


async def test_a_gateway_that_is_away_is_503_with_retry_after(till: Till, web: httpx.AsyncClient) -> None:
    till.gateway.away = True

    answer = await opened(till, web)
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert answer.json()["code"] == "gateway_unavailable"


async def test_a_signed_webhook_needs_no_account(till: Till, web: httpx.AsyncClient) -> None:
    body = (await opened(till, web)).json()
    raw, signature, event_id = till.gateway.notice("order.paid", till.gateway.attempt(body["razorpayOrderId"]))
    del web.headers["x-user"]
    headers = {"X-Razorpay-Signature": signature, "x-razorpay-event-id": event_id}

    for _ in range(2):
        answer = await web.post("/payments/razorpay/webhook", content=raw, headers=headers)
        assert (answer.status_code, answer.json()) == (200, {"status": "ok"})
    assert await till.event_types() == ["payment.success"]


@pytest.mark.parametrize("signatures", [[], ["0" * 64], ["valid", "valid"], ["é"]])
async def test_a_webhook_without_exactly_one_true_signature_is_refused(
    till: Till, web: httpx.AsyncClient, signatures: list[str]
) -> None:
    body = (await opened(till, web)).json()
    raw, signature, _ = till.gateway.notice("order.paid", till.gateway.attempt(body["razorpayOrderId"]))
    headers = [(b"X-Razorpay-Signature", (signature if s == "valid" else s).encode("latin-1")) for s in signatures]

    answer = await web.post("/payments/razorpay/webhook", content=raw, headers=headers)

    assert (answer.status_code, answer.json()["code"]) == (422, "signature_invalid")
    assert await till.event_types() == []
