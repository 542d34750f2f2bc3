"""Ordered faults, and what the SDK and the shop's own adapter make of them."""

from collections.abc import Iterator

import httpx
import pytest
import requests
from fastapi import FastAPI
from razorpay.errors import ServerError
from sandbox_world import KEYS, Buyer, Sdk

from services.payments.adapters.errors import GatewayUnavailable
from services.payments.adapters.razorpay import RazorpayGateway
from services.payments.adapters.sandbox import Call, Fault, Faults, SandboxGateway, create_router

ORDER = {"amount": 50_000, "currency": "INR", "receipt": "ord_1", "unique_receipt": True}


@pytest.fixture
def shop(base_url: str) -> Iterator[RazorpayGateway]:
    shop = RazorpayGateway(*KEYS, base_url, timeout=0.5)
    yield shop
    shop.close()


async def orders_of(gateway: SandboxGateway, receipt: str) -> int:
    return (await gateway.orders.list_all(receipt))["count"]


async def test_an_html_502_breaks_the_sdk_and_did_nothing(sdk: Sdk, gateway: SandboxGateway):
    gateway.faults.plan(Fault.BAD_GATEWAY, method="POST", path="/v1/orders")
    with pytest.raises(requests.exceptions.JSONDecodeError):
        await sdk(lambda client: client.order.create(dict(ORDER)))
    assert await orders_of(gateway, "ord_1") == 0
    assert (await sdk(lambda client: client.order.create(dict(ORDER))))["status"] == "created"


@pytest.mark.parametrize(
    ("fault", "made"),
    [
        (Fault.BAD_GATEWAY, 0),
        (Fault.ERROR_BEFORE, 0),
        (Fault.BAD_GATEWAY_AFTER, 1),
        (Fault.ERROR_AFTER, 1),
        (Fault.TIMEOUT_AFTER, 1),
    ],
)
async def test_a_fault_falls_before_or_after_the_effect_and_the_retry_makes_one_order(
    shop: RazorpayGateway, gateway: SandboxGateway, fault: Fault, made: int
):
    gateway.faults.plan(fault, method="POST", path="/v1/orders")
    with pytest.raises(GatewayUnavailable):
        await shop.create_order("ord_1", 50_000)
    assert await orders_of(gateway, "ord_1") == made
    order = await shop.create_order("ord_1", 50_000)
    assert await orders_of(gateway, "ord_1") == 1
    assert (await shop.fetch_order(order["id"]))["amount"] == 50_000


@pytest.mark.parametrize("fault", [Fault.ERROR_AFTER, Fault.TIMEOUT_AFTER])
async def test_a_refund_that_was_answered_by_a_fault_is_made_once(
    shop: RazorpayGateway, gateway: SandboxGateway, buyer: Buyer, fault: Fault
):
    order = await shop.create_order("ord_2", 50_000)
    payment_id = (await buyer.pays(order))["razorpay_payment_id"]
    gateway.faults.plan(fault, path="/v1/payments/*/refund")
    with pytest.raises(GatewayUnavailable):
        await shop.refund(payment_id, 20_000, "refund-0001")
    await shop.refund(payment_id, 20_000, "refund-0001")
    assert len(await shop.fetch_refunds(payment_id)) == 1


async def test_the_sdk_sees_a_server_error(sdk: Sdk, gateway: SandboxGateway):
    gateway.faults.plan(Fault.ERROR_BEFORE)
    with pytest.raises(ServerError, match="facing some trouble"):
        await sdk.order()


async def test_faults_are_planned_over_http_where_that_is_allowed(sdk: Sdk, web: httpx.AsyncClient):
    answer = await web.post("/_faults", json={"fault": "error_before", "path": "/v1/orders", "times": 2})
    assert answer.status_code == 200
    with pytest.raises(ServerError):
        await sdk.order()
    assert (await web.post("/_faults", json={})).json() == {"planned": False}
    assert (await sdk.order())["status"] == "created"
    assert (await web.post("/_faults", json={"fault": "meteor"})).status_code == 400


async def test_a_rule_may_decide_call_by_call(make_gateway):
    calls: list[Call] = []

    def every_second(call: Call) -> Fault | None:
        calls.append(call)
        return Fault.ERROR_BEFORE if len(calls) % 2 == 0 else None

    app = FastAPI()
    app.include_router(create_router(make_gateway(faults=Faults(every_second))))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://gateway", auth=KEYS) as client:
        statuses = [(await client.post("/v1/orders", json=ORDER)).status_code for _ in range(4)]
        assert statuses == [200, 500, 200, 500]
        assert (await client.post("/_faults", json={"fault": "error_before"})).status_code == 404
    assert calls[0] == Call("POST", "/v1/orders")
