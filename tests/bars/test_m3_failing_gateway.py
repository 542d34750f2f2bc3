"""M3: nobody is charged twice, nothing is paid without an order, under a gateway that fails in six ways."""

import asyncio
from collections import Counter
from contextlib import suppress
from datetime import timedelta
from random import Random

import pytest

from services.contracts.events import OrderCancelled
from services.contracts.payments import GatewayAway, PaymentRefused
from services.kit.clock import ManualClock
from services.kit.errors import InFlight
from services.kit.ids import RandomIds
from services.kit.mongo import Mongo
from services.payments.adapters.sandbox import Call, Fault
from tests.bars.bar import measured
from tests.services.payments.bazaar import Bazaar

SEED = 20261122
FAILING = 0.3
AT_ONCE = 10
SETTLING_ROUNDS = 40


@pytest.mark.parametrize("payments", [24, pytest.param(1000, marks=pytest.mark.full)])
@pytest.mark.timeout(1800)
async def test_m3_never_charged_twice_never_paid_without_order(
    mongo: Mongo, ids: RandomIds, clock: ManualClock, payments: int
) -> None:
    chance = Random(SEED)
    faults: Counter[Fault] = Counter()

    def fails(call: Call) -> Fault | None:
        if not call.path.startswith("/v1") or chance.random() >= FAILING:
            return None
        fault = chance.choice(list(Fault))
        faults[fault] += 1
        return fault

    async with Bazaar(mongo, ids, clock, timeout=0.5).opened() as bazaar:
        bazaar.sandbox.knobs.duplicates = 1
        bazaar.sandbox.faults._rule = fails
        order_ids = [bazaar.till.orders.has(bazaar.till.asha).order_id for _ in range(payments)]
        async with bazaar.webhooks():
            gate = asyncio.Semaphore(AT_ONCE)
            await asyncio.gather(*(_buys(bazaar, gate, order_id, Random(i)) for i, order_id in enumerate(order_ids)))
        for _ in range(SETTLING_ROUNDS):
            clock.advance(timedelta(minutes=40))
            await bazaar.till.service.reconcile()
            await bazaar.till.service.settle_refunds()
        bazaar.sandbox.faults._rule = None
        violations = [each for order_id in order_ids for each in await _violations(bazaar, order_id)]
    measured("M3", payments, violations, SEED, faults=sum(faults.values()), kinds=len(faults) + 1)


async def _buys(bazaar: Bazaar, gate: asyncio.Semaphore, order_id: str, chance: Random) -> None:
    """A buyer who repeats with the same key, pays, and sometimes cancels or closes the page."""
    async with gate:
        till = bazaar.till
        opened = None
        while opened is None:
            with suppress(GatewayAway, InFlight):
                opened = await till.open(till.orders.known[order_id], key=f"open-{order_id}")
        handed = (await bazaar.checkout(opened.razorpay_order_id)).json()
        attempt = {"order_id": handed["razorpay_order_id"], "id": handed["razorpay_payment_id"]}
        if chance.random() < 0.2:
            till.orders.close(order_id, "cancelled")
            await till.hears(OrderCancelled, order_id)
        for _ in range(chance.randrange(4)):
            with suppress(GatewayAway, InFlight, PaymentRefused):
                await till.verify(attempt, key=f"v-{order_id}", signature=handed["razorpay_signature"])


async def _violations(bazaar: Bazaar, order_id: str) -> list[str]:
    order = bazaar.till.orders.known[order_id]
    payment = await bazaar.till.of(order_id)
    attempts = await bazaar.gateway.fetch_payments(str(payment.gateway["razorpayOrderId"]))
    kept = [each["amount"] - each["amount_refunded"] for each in attempts if each["captured"]]
    owed = [order.total.amount] if order.status == "confirmed" else []
    found = []
    if [amount for amount in kept if amount] != owed:
        found.append(f"{order_id} is {order.status}, the gateway keeps {kept}")
    if payment.status != ("completed" if owed else "refunded"):
        found.append(f"{order_id} is {order.status}, its payment {payment.status}")
    return found
