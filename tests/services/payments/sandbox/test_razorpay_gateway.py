"""The shop's adapter of the official SDK, against the sandbox."""

import asyncio
import hashlib
import hmac
from collections.abc import Iterator

import pytest
from sandbox_world import KEYS, Buyer, free_port

from services.payments.adapters.errors import GatewayRefused, GatewayUnavailable
from services.payments.adapters.razorpay import RazorpayGateway
from services.payments.adapters.sandbox import SandboxGateway


@pytest.fixture
def shop(base_url: str) -> Iterator[RazorpayGateway]:
    shop = RazorpayGateway(*KEYS, base_url, timeout=10)
    yield shop
    shop.close()


async def test_an_order_is_made_once_per_receipt(shop: RazorpayGateway):
    orders = await asyncio.gather(*(shop.create_order("ord_1", 50_000, notes={"cart": "c1"}) for _ in range(10)))
    assert len({order["id"] for order in orders}) == 1
    assert orders[0]["notes"] == {"cart": "c1"}


async def test_a_receipt_of_another_amount_is_refused_for_good(shop: RazorpayGateway):
    await shop.create_order("ord_1", 50_000)
    with pytest.raises(GatewayRefused) as refused:
        await shop.create_order("ord_1", 60_000)
    assert (refused.value.code, refused.value.status) == ("BAD_REQUEST_ERROR", 400)
    assert refused.value.description == "Order receipt should be unique."


async def test_payments_are_found_captured_and_refunded(shop: RazorpayGateway, buyer: Buyer, gateway: SandboxGateway):
    gateway.payments.auto_capture = False
    order = await shop.create_order("ord_1", 50_000)
    await buyer.fails(order)
    handed = await buyer.pays(order)
    payments = await shop.fetch_payments(order["id"])
    assert [payment["status"] for payment in payments] == ["authorized", "failed"]
    payment_id = handed["razorpay_payment_id"]
    assert (await shop.capture(payment_id, 50_000))["status"] == "captured"
    refund = await shop.refund(payment_id, 20_000, "refund-0001", {"why": "torn"})
    assert await shop.refund(payment_id, 20_000, "refund-0001", {"why": "torn"}) == refund
    assert (await shop.fetch_payment(payment_id))["amount_refunded"] == 20_000
    assert (await shop.fetch_order(order["id"]))["status"] == "paid"


async def test_a_refusal_keeps_field_and_reason(shop: RazorpayGateway):
    with pytest.raises(GatewayRefused) as refused:
        await shop.create_order("ord_1", 99)
    assert (refused.value.field, refused.value.reason) == ("amount", "amount_less_than_minimum_amount")


async def test_wrong_keys_are_a_refusal_that_says_401(base_url: str):
    stranger = RazorpayGateway("rzp_test_x", "y", base_url)
    with pytest.raises(GatewayRefused) as refused:
        await stranger.fetch_order("order_00000000000000")
    assert refused.value.status == 401
    stranger.close()


async def test_a_gateway_that_is_away_is_unavailable_and_nothing_is_printed(capsys: pytest.CaptureFixture[str]):
    away = RazorpayGateway(*KEYS, f"http://127.0.0.1:{free_port()}", timeout=1)
    with pytest.raises(GatewayUnavailable):
        await away.fetch_order("order_00000000000000")
    away.close()
    assert capsys.readouterr().out == ""


async def test_a_checkout_signature_is_verified(shop: RazorpayGateway, buyer: Buyer):
    handed = await buyer.pays(await shop.create_order("ord_1", 50_000))
    order_id, payment_id, signature = handed.values()
    assert shop.verify_signature(order_id, payment_id, signature)
    assert not shop.verify_signature(order_id, "pay_00000000000000", signature)
    assert not shop.verify_signature(order_id, payment_id, "ünsigned")


def test_a_webhook_is_verified_with_the_new_or_the_old_secret():
    shop = RazorpayGateway(*KEYS)
    raw = b'{"event":"payment.captured"}'
    signature = hmac.new(b"old", raw, hashlib.sha256).hexdigest()
    assert shop.verify_webhook(raw, signature, ["new", "old"])
    assert not shop.verify_webhook(raw + b" ", signature, ["new", "old"])
    assert not shop.verify_webhook(raw, signature, ["new"])
    assert not shop.verify_webhook(raw, signature, [])
    shop.close()
