"""Refunds and transfers."""

import asyncio
import re

import httpx
import pytest
from razorpay.errors import BadRequestError
from sandbox_world import KEYS, Buyer, Sdk

from services.payments.adapters.sandbox import SandboxGateway
from services.payments.adapters.sandbox.errors import RazorpayError

KEY = {"X-Refund-Idempotency": "refund-0001"}


@pytest.fixture
async def payment_id(sdk: Sdk, buyer: Buyer) -> str:
    """A captured payment of ₹500."""
    return (await buyer.pays(await sdk.order(50_000)))["razorpay_payment_id"]


async def test_a_payment_is_refunded_in_parts_up_to_what_was_captured(sdk: Sdk, payment_id: str):
    refund = await sdk(lambda client: client.payment.refund(payment_id, {"amount": 20_000, "notes": {"why": "torn"}}))
    assert re.fullmatch(r"rfnd_[A-Za-z0-9]{14}", refund["id"])
    assert (refund["status"], refund["amount"], refund["notes"]) == ("processed", 20_000, {"why": "torn"})
    payment = await sdk(lambda client: client.payment.fetch(payment_id))
    assert (payment["status"], payment["refund_status"], payment["amount_refunded"]) == ("captured", "partial", 20_000)
    with pytest.raises(BadRequestError, match="The total refund amount is greater than the refund payment amount"):
        await sdk(lambda client: client.payment.refund(payment_id, {"amount": 30_001}))
    await sdk(lambda client: client.payment.refund(payment_id, {"amount": 30_000}))
    payment = await sdk(lambda client: client.payment.fetch(payment_id))
    assert (payment["status"], payment["refund_status"], payment["amount_refunded"]) == ("refunded", "full", 50_000)


async def test_a_refund_without_an_amount_returns_all_that_is_left(sdk: Sdk, payment_id: str):
    await sdk(lambda client: client.payment.refund(payment_id, {"amount": 20_000}))
    assert (await sdk(lambda client: client.payment.refund(payment_id, {})))["amount"] == 30_000
    with pytest.raises(BadRequestError, match="The payment has been fully refunded already"):
        await sdk(lambda client: client.payment.refund(payment_id, {}))


async def test_refunds_are_listed_and_fetched(sdk: Sdk, payment_id: str):
    first = await sdk(lambda client: client.payment.refund(payment_id, {"amount": 100}))
    second = await sdk(lambda client: client.payment.refund(payment_id, {"amount": 200}))
    found = await sdk(lambda client: client.payment.fetch_multiple_refund(payment_id))
    assert found == {"entity": "collection", "count": 2, "items": [second, first]}
    assert await sdk(lambda client: client.refund.fetch(first["id"])) == first
    assert await sdk(lambda client: client.payment.fetch_refund_id(payment_id, second["id"])) == second


async def test_less_than_a_rupee_cannot_be_refunded(sdk: Sdk, payment_id: str):
    with pytest.raises(BadRequestError, match=r"The amount must be at least INR 1\.00"):
        await sdk(lambda client: client.payment.refund(payment_id, {"amount": 99}))


async def test_only_captured_money_can_be_refunded(sdk: Sdk, buyer: Buyer):
    handed = await buyer.pays(await sdk.order(payment_capture=0))
    with pytest.raises(BadRequestError, match="The payment status should be captured"):
        await sdk(lambda client: client.payment.refund(handed["razorpay_payment_id"], {"amount": 100}))


async def test_the_same_key_and_body_give_the_same_refund(sdk: Sdk, payment_id: str):
    first = await sdk(lambda client: client.payment.refund(payment_id, {"amount": 20_000}, headers=dict(KEY)))
    again = await sdk(lambda client: client.payment.refund(payment_id, {"amount": 20_000}, headers=dict(KEY)))
    assert again == first
    assert (await sdk(lambda client: client.payment.fetch(payment_id)))["amount_refunded"] == 20_000


async def test_a_key_is_not_reused_for_another_refund(sdk: Sdk, payment_id: str):
    await sdk(lambda client: client.payment.refund(payment_id, {"amount": 20_000}, headers=dict(KEY)))
    with pytest.raises(BadRequestError, match="Different request with the same idempotency key"):
        await sdk(lambda client: client.payment.refund(payment_id, {"amount": 10_000}, headers=dict(KEY)))


@pytest.mark.parametrize("wrong", [{"speed": "warp"}, {"receipt": {"a": 1}}, {"notes": "x"}, {"amount": "1e3"}])
async def test_a_refund_with_a_wrong_field_is_refused(sdk: Sdk, payment_id: str, wrong: dict):
    with pytest.raises(BadRequestError):
        await sdk(lambda client: client.payment.refund(payment_id, wrong))


@pytest.mark.parametrize("key", ["short-key", "with a space", "ten.dots.here"])
async def test_a_malformed_key_is_refused(web: httpx.AsyncClient, payment_id: str, key: str):
    answer = await web.post(
        f"/v1/payments/{payment_id}/refund", json={"amount": 100}, auth=KEYS, headers={"X-Refund-Idempotency": key}
    )
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "BAD_REQUEST_ERROR")


async def test_simultaneous_refunds_with_one_key_are_one_refund(gateway: SandboxGateway, payment_id: str):
    asked = (gateway.refunds.create(payment_id, {"amount": 9_000}, "refund-0001") for _ in range(8))
    assert len({refund["id"] for refund in await asyncio.gather(*asked)}) == 1
    assert (await gateway.payments.fetch(payment_id))["amount_refunded"] == 9_000


async def test_simultaneous_refunds_never_exceed_what_was_captured(gateway: SandboxGateway, payment_id: str):
    asked = (gateway.refunds.create(payment_id, {"amount": 20_000}, None) for _ in range(6))
    outcomes = await asyncio.gather(*asked, return_exceptions=True)
    assert sum(isinstance(outcome, dict) for outcome in outcomes) == 2
    assert all(isinstance(outcome, (dict, RazorpayError)) for outcome in outcomes)
    assert (await gateway.payments.fetch(payment_id))["amount_refunded"] == 40_000


def parts(*amounts: int) -> dict:
    return {"transfers": [{"account": f"acc_{n:014d}", "amount": a, "currency": "INR"} for n, a in enumerate(amounts)]}


async def test_a_captured_payment_is_transferred_in_parts(sdk: Sdk, payment_id: str):
    made = await sdk(lambda client: client.payment.transfer(payment_id, parts(20_000, 25_000)))
    assert [part["amount"] for part in made["items"]] == [20_000, 25_000]
    assert all(re.fullmatch(r"trf_[A-Za-z0-9]{14}", part["id"]) for part in made["items"])
    assert await sdk(lambda client: client.payment.transfers(payment_id)) == made
    with pytest.raises(BadRequestError, match="The sum of amount requested for transfer is greater"):
        await sdk(lambda client: client.payment.transfer(payment_id, parts(5_001)))


async def test_a_transfer_is_reversed_in_parts_and_its_money_can_be_sent_again(sdk: Sdk, payment_id: str):
    transfer = (await sdk(lambda client: client.payment.transfer(payment_id, parts(50_000))))["items"][0]
    reversal = await sdk(lambda client: client.transfer.reverse(transfer["id"], {"amount": 20_000}))
    assert (reversal["entity"], reversal["amount"], reversal["transfer_id"]) == ("reversal", 20_000, transfer["id"])
    fetched = await sdk(lambda client: client.transfer.fetch(transfer["id"]))
    assert (fetched["status"], fetched["amount_reversed"]) == ("partially_reversed", 20_000)
    await sdk(lambda client: client.payment.transfer(payment_id, parts(20_000)))
    await sdk(lambda client: client.transfer.reverse(transfer["id"], {}))
    with pytest.raises(BadRequestError, match="greater than the unreversed"):
        await sdk(lambda client: client.transfer.reverse(transfer["id"], {"amount": 100}))
    assert (await sdk(lambda client: client.transfer.reversals(transfer["id"])))["count"] == 2


async def test_a_full_refund_may_reverse_all_transfers(sdk: Sdk, payment_id: str):
    await sdk(lambda client: client.payment.transfer(payment_id, parts(20_000, 25_000)))
    await sdk(lambda client: client.payment.refund(payment_id, {"amount": 50_000, "reverse_all": 1}))
    found = await sdk(lambda client: client.payment.transfers(payment_id))
    assert [part["status"] for part in found["items"]] == ["reversed", "reversed"]


async def test_a_partial_refund_over_several_transfers_cannot_reverse_all(sdk: Sdk, payment_id: str):
    await sdk(lambda client: client.payment.transfer(payment_id, parts(20_000, 25_000)))
    with pytest.raises(BadRequestError, match="reverse_all cannot be used on a partial refund"):
        await sdk(lambda client: client.payment.refund(payment_id, {"amount": 10_000, "reverse_all": 1}))
    assert (await sdk(lambda client: client.payment.fetch(payment_id)))["amount_refunded"] == 0


@pytest.mark.parametrize("wrong", [{"transfers": []}, {"transfers": [{"amount": 100, "currency": "INR"}]}, {}])
async def test_transfers_without_an_account_are_refused(sdk: Sdk, payment_id: str, wrong: dict):
    with pytest.raises(BadRequestError, match="is required"):
        await sdk(lambda client: client.payment.transfer(payment_id, wrong))


async def test_a_transfer_may_be_kept_back(sdk: Sdk, payment_id: str):
    asked = parts(20_000)
    asked["transfers"][0] |= {"on_hold": True, "on_hold_until": 1_900_000_000, "linked_account_notes": ["why"]}
    transfer = (await sdk(lambda client: client.payment.transfer(payment_id, asked)))["items"][0]
    assert (transfer["on_hold"], transfer["on_hold_until"]) == (True, 1_900_000_000)
    asked["transfers"][0]["on_hold_until"] = 2**80
    with pytest.raises(BadRequestError, match="on_hold_until"):
        await sdk(lambda client: client.payment.transfer(payment_id, asked))
