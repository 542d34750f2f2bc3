"""Checkout and capture."""

import asyncio
import re

import httpx
import pytest
from razorpay.errors import BadRequestError
from sandbox_world import Buyer, Sdk

from services.payments.adapters.sandbox import SandboxGateway
from services.payments.adapters.sandbox.errors import RazorpayError


async def test_a_paid_checkout_hands_over_a_signature_the_sdk_accepts(sdk: Sdk, buyer: Buyer):
    order = await sdk.order()
    handed = await buyer.pays(order)
    assert handed["razorpay_order_id"] == order["id"]
    assert re.fullmatch(r"pay_[A-Za-z0-9]{14}", handed["razorpay_payment_id"])
    assert sdk.client.utility.verify_payment_signature(handed)


async def test_checkout_captures_at_once_by_default(sdk: Sdk, buyer: Buyer):
    handed = await buyer.pays(await sdk.order(50_000))
    payment = await sdk(lambda client: client.payment.fetch(handed["razorpay_payment_id"]))
    assert (payment["status"], payment["captured"], payment["amount"]) == ("captured", True, 50_000)
    assert (payment["method"], payment["vpa"]) == ("upi", "success@razorpay")
    assert (payment["fee"], payment["tax"]) == (1180, 180)


async def test_a_failed_checkout_is_razorpays_error_and_a_failed_payment(sdk: Sdk, buyer: Buyer):
    order = await sdk.order()
    error = await buyer.fails(order)
    assert (error["code"], error["reason"]) == ("BAD_REQUEST_ERROR", "payment_failed")
    assert error["metadata"]["order_id"] == order["id"]
    payment = await sdk(lambda client: client.payment.fetch(error["metadata"]["payment_id"]))
    assert (payment["status"], payment["captured"]) == ("failed", False)
    assert (payment["error_code"], payment["error_reason"]) == ("BAD_REQUEST_ERROR", "payment_failed")


async def test_a_paid_order_takes_no_second_payment(sdk: Sdk, buyer: Buyer):
    order = await sdk.order()
    await buyer.pays(order)
    answer = await buyer.tries(order, "success@razorpay")
    assert answer.status_code == 400
    assert answer.json()["error"]["description"].startswith(
        "Your payment has been declined as the order is already paid"
    )
    assert (await sdk(lambda client: client.order.payments(order["id"])))["count"] == 1


async def test_of_many_buyers_at_once_one_pays(sdk: Sdk, gateway: SandboxGateway):
    order = await sdk.order()
    attempts = (gateway.payments.check_out(order["id"], "success@razorpay") for _ in range(8))
    outcomes = await asyncio.gather(*attempts, return_exceptions=True)
    assert sum(isinstance(outcome, dict) for outcome in outcomes) == 1
    assert all(isinstance(outcome, (dict, RazorpayError)) for outcome in outcomes)
    captured = await sdk(lambda client: client.order.payments(order["id"]))
    assert [payment["status"] for payment in captured["items"]] == ["captured"]


async def test_an_unknown_vpa_is_refused_and_records_nothing(sdk: Sdk, buyer: Buyer):
    order = await sdk.order()
    answer = await buyer.tries(order, "somebody@bank")
    assert (answer.status_code, answer.json()["error"]["reason"]) == (400, "invalid_vpa")
    assert (await sdk(lambda client: client.order.payments(order["id"])))["count"] == 0


async def authorised(sdk: Sdk, buyer: Buyer, amount: int = 50_000) -> tuple[dict, str]:
    order = await sdk.order(amount, payment={"capture": "manual"})
    return order, (await buyer.pays(order))["razorpay_payment_id"]


async def test_a_manual_order_is_captured_by_the_merchant(sdk: Sdk, buyer: Buyer):
    order, payment_id = await authorised(sdk, buyer)
    assert (await sdk(lambda client: client.payment.fetch(payment_id)))["status"] == "authorized"
    assert (await sdk(lambda client: client.order.fetch(order["id"])))["status"] == "attempted"
    captured = await sdk(lambda client: client.payment.capture(payment_id, 50_000, {"currency": "INR"}))
    assert captured["status"] == "captured"
    assert (await sdk(lambda client: client.order.fetch(order["id"])))["status"] == "paid"


async def test_the_account_may_capture_by_hand_too(sdk: Sdk, buyer: Buyer, gateway: SandboxGateway):
    gateway.payments.auto_capture = False
    handed = await buyer.pays(await sdk.order())
    payment = await sdk(lambda client: client.payment.fetch(handed["razorpay_payment_id"]))
    assert payment["status"] == "authorized"


@pytest.mark.parametrize("amount", [49_999, 50_001, 100])
async def test_only_the_authorised_amount_can_be_captured(sdk: Sdk, buyer: Buyer, amount: int):
    _, payment_id = await authorised(sdk, buyer)
    with pytest.raises(BadRequestError, match="Capture amount must be equal to the amount authorized"):
        await sdk(lambda client: client.payment.capture(payment_id, amount, {"currency": "INR"}))


async def test_a_payment_is_captured_once(sdk: Sdk, buyer: Buyer):
    handed = await buyer.pays(await sdk.order(50_000))
    with pytest.raises(BadRequestError, match="This payment has already been captured"):
        await sdk(lambda client: client.payment.capture(handed["razorpay_payment_id"], 50_000, {}))


async def test_a_failed_payment_cannot_be_captured(sdk: Sdk, buyer: Buyer):
    error = await buyer.fails(await sdk.order(50_000))
    with pytest.raises(BadRequestError, match="Only payments which have been authorized"):
        await sdk(lambda client: client.payment.capture(error["metadata"]["payment_id"], 50_000, {}))


async def test_of_two_authorised_payments_one_is_captured(sdk: Sdk, buyer: Buyer):
    order, first = await authorised(sdk, buyer)
    second = (await buyer.pays(order))["razorpay_payment_id"]
    await sdk(lambda client: client.payment.capture(first, 50_000, {}))
    with pytest.raises(BadRequestError, match="the order is already paid"):
        await sdk(lambda client: client.payment.capture(second, 50_000, {}))


async def test_a_failed_payment_may_be_authorised_late(sdk: Sdk, buyer: Buyer, gateway: SandboxGateway):
    order = await sdk.order()
    payment_id = (await buyer.fails(order))["metadata"]["payment_id"]
    handed = await gateway.payments.authorise_late(payment_id)
    assert sdk.client.utility.verify_payment_signature(handed)
    payment = await sdk(lambda client: client.payment.fetch(payment_id))
    assert (payment["status"], payment["error_code"]) == ("captured", None)


async def test_money_authorised_late_on_a_paid_order_stays_uncaptured(sdk: Sdk, buyer: Buyer, gateway: SandboxGateway):
    order = await sdk.order()
    payment_id = (await buyer.fails(order))["metadata"]["payment_id"]
    await buyer.pays(order)
    await gateway.payments.authorise_late(payment_id)
    assert (await sdk(lambda client: client.payment.fetch(payment_id)))["status"] == "authorized"


async def test_a_person_can_pay_on_the_hosted_page(sdk: Sdk, web: httpx.AsyncClient):
    order = await sdk.order(149_900)
    shown = await web.get(f"/checkout/{order['id']}")
    assert shown.headers["content-type"].startswith("text/html")
    assert "₹1,499.00" in shown.text
    failed = await web.post(f"/checkout/{order['id']}", data={"vpa": "failure@razorpay"})
    assert (failed.status_code, "Payment failed" in failed.text) == (400, True)
    paid = await web.post(f"/checkout/{order['id']}", data={"vpa": "success@razorpay"})
    assert (paid.status_code, "razorpay_signature" in paid.text) == (200, True)
    assert "This order is paid" in (await web.get(f"/checkout/{order['id']}")).text


async def test_the_hosted_page_shows_what_a_caller_sends_as_text(web: httpx.AsyncClient):
    answer = await web.post("/checkout/<script>", data={"vpa": "success@razorpay"})
    assert answer.status_code == 400
    assert "<script>" not in answer.text
