"""The service, the official SDK and the sandbox gateway over loopback, as they run together."""

import asyncio
import threading
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from services.contracts.events import OrderCancelled, OrderConfirmed
from services.contracts.payments import GatewayAway
from services.kit.clock import ManualClock
from services.kit.ids import RandomIds
from services.kit.mongo import Mongo
from services.payments.adapters.sandbox import Fault
from services.payments.models import payment_id_of
from tests.fakes.orders import sold_line
from tests.services.payments.bazaar import Bazaar


@pytest.fixture
async def bazaar(mongo: Mongo, ids: RandomIds, clock: ManualClock) -> AsyncIterator[Bazaar]:
    async with Bazaar(mongo, ids, clock).opened() as opened:
        yield opened
    assert not [t for t in threading.enumerate() if t.name.startswith("razorpay")]


@pytest.fixture
async def impatient(mongo: Mongo, ids: RandomIds, clock: ManualClock) -> AsyncIterator[Bazaar]:
    """It does not wait long for the gateway."""
    async with Bazaar(mongo, ids, clock, timeout=2.5).opened() as opened:
        yield opened


async def test_a_checkout_is_verified(bazaar: Bazaar) -> None:
    till = bazaar.till
    order = till.orders.has(till.asha)
    opened = await till.open(order)
    handed = (await bazaar.checkout(opened.razorpay_order_id)).json()

    attempt = {"order_id": handed["razorpay_order_id"], "id": handed["razorpay_payment_id"]}
    payment = await till.verify(attempt, signature=handed["razorpay_signature"])

    assert (payment.status, payment.method) == ("completed", "upi")
    assert payment.gateway["raw"]["vpa"] == "s***@razorpay"
    assert till.orders.known[order.order_id].status == "confirmed"


async def test_webhooks_alone_complete_a_payment_after_a_failed_attempt(bazaar: Bazaar) -> None:
    till = bazaar.till
    order = till.orders.has(till.asha)
    opened = await till.open(order)
    bazaar.sandbox.knobs.duplicates = 2

    async with bazaar.webhooks():
        assert (await bazaar.checkout(opened.razorpay_order_id, "failure@razorpay")).status_code == 400
        await bazaar.becomes(order.order_id, "failed")
        await bazaar.checkout(opened.razorpay_order_id)
        await bazaar.becomes(order.order_id, "completed")

    assert till.orders.known[order.order_id].status == "confirmed"
    assert await till.event_types() == ["payment.failed", "payment.success"]


async def test_money_that_came_too_late_is_back_at_the_gateway(bazaar: Bazaar) -> None:
    till = bazaar.till
    order = till.orders.has(till.asha)
    opened = await till.open(order)
    till.orders.close(order.order_id, "expired")

    async with bazaar.webhooks():
        running = asyncio.create_task(till.service.run())
        await bazaar.checkout(opened.razorpay_order_id)
        await bazaar.becomes(order.order_id, "refunded")
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    (attempt,) = await bazaar.gateway.fetch_payments(opened.razorpay_order_id)
    assert (attempt["status"], attempt["amount_refunded"]) == ("refunded", attempt["amount"])
    assert len(await bazaar.gateway.fetch_refunds(attempt["id"])) == 1


@pytest.mark.parametrize("fault", list(Fault))
async def test_a_gateway_failing_at_every_step_ends_with_one_charge(impatient: Bazaar, fault: Fault) -> None:
    bazaar = impatient
    till = bazaar.till
    order = till.orders.has(till.asha)
    bazaar.sandbox.faults.plan(fault, method="POST", path="/v1/orders")
    with pytest.raises(GatewayAway):
        await till.open(order)
    opened = await till.open(order)
    await bazaar.checkout(opened.razorpay_order_id)
    bazaar.sandbox.faults.plan(fault, method="GET", path="/v1/orders/*")
    till.clock.advance(timedelta(minutes=15))
    assert await till.service.reconcile() == 0
    till.clock.advance(timedelta(minutes=1))
    assert await till.service.reconcile() == 1

    till.orders.close(order.order_id, "cancelled")
    await till.hears(OrderCancelled, order.order_id)
    bazaar.sandbox.faults.plan(fault, method="POST", path="/v1/payments/*")
    assert await till.service.settle_refunds() == 0
    till.clock.advance(timedelta(minutes=2))
    assert await till.service.settle_refunds() == 1

    (attempt,) = await bazaar.gateway.fetch_payments(opened.razorpay_order_id)
    assert (attempt["amount_refunded"], len(await bazaar.gateway.fetch_refunds(attempt["id"]))) == (149_900, 1)


async def test_sellers_are_paid_and_reversed_by_the_sdk(bazaar: Bazaar) -> None:
    till = bazaar.till
    lines = [sold_line("a", "s1", 100_00), sold_line("b", "s2", 200_00)]
    order = till.orders.has_sold(till.asha, lines, {"s1": 49_00, "s2": 0})
    handed = (await bazaar.checkout((await till.open(order)).razorpay_order_id)).json()
    attempt = {"order_id": handed["razorpay_order_id"], "id": handed["razorpay_payment_id"]}
    await till.verify(attempt, signature=handed["razorpay_signature"])
    await till.hears(OrderConfirmed, order.order_id)
    assert await till.service.settle_payouts() == 2

    body = {"lines": [{"lineId": "a", "amount": 100}, {"lineId": "b", "amount": 50}]}
    await till.refund(payment_id_of(order.order_id), body)
    assert await till.service.settle_refunds() == 1
    assert await till.service.settle_payouts() == 2

    transfers = await bazaar.gateway.fetch_transfers(attempt["id"])
    had = {each["recipient"]: (each["amount"], each["amount_reversed"]) for each in transfers}
    assert had == {"acc_000000000000s1": (141_00, 92_00), "acc_000000000000s2": (184_00, 46_00)}


@pytest.mark.parametrize("fault", list(Fault))
async def test_a_gateway_failing_at_every_transfer_pays_each_seller_once(impatient: Bazaar, fault: Fault) -> None:
    bazaar = impatient
    till = bazaar.till
    order = till.orders.has_sold(till.asha, [sold_line("a", "s1", 100_00)], {"s1": 0})
    handed = (await bazaar.checkout((await till.open(order)).razorpay_order_id)).json()
    attempt = {"order_id": handed["razorpay_order_id"], "id": handed["razorpay_payment_id"]}
    await till.verify(attempt, signature=handed["razorpay_signature"])
    await till.hears(OrderConfirmed, order.order_id)
    bazaar.sandbox.faults.plan(fault, method="POST", path="/v1/payments/*/transfers")
    bazaar.sandbox.faults.plan(fault, method="POST", path="/v1/transfers/*")

    assert await till.service.settle_payouts() == 0
    till.clock.advance(timedelta(minutes=2))
    assert await till.service.settle_payouts() == 1
    await till.refund(payment_id_of(order.order_id), {"amount": 50})
    for _ in range(2):
        await till.service.settle_payouts()
        till.clock.advance(timedelta(minutes=2))

    (transfer,) = await bazaar.gateway.fetch_transfers(attempt["id"])
    assert (transfer["amount"], transfer["amount_reversed"]) == (92_00, 46_00)
