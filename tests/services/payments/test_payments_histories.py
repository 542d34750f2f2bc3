"""Many payments under a bad gateway, and webhooks in any order and number: what must hold at the end."""

import asyncio
from datetime import timedelta
from random import Random

from payments_world import Till

from services.contracts.events import OrderCancelled
from services.contracts.payments import GatewayAway, PaymentRefused
from services.kit.errors import InFlight
from tests.fakes.razorpay import Notice

PAYMENTS = 40


async def test_under_a_failing_gateway_nobody_pays_twice_or_for_nothing(till: Till) -> None:
    chance = Random(20261101)
    till.gateway.moods = chance
    order_ids = [till.orders.has(till.asha).order_id for _ in range(PAYMENTS)]

    await asyncio.gather(*(buys(till, order_id, Random(i)) for i, order_id in enumerate(order_ids)))
    for _ in range(40):
        till.clock.advance(timedelta(minutes=30))
        await till.service.reconcile()
        await till.service.settle_refunds()

    paid = [o for o in till.orders.known.values() if o.status == "confirmed"]
    assert till.gateway.captured == sum(o.total.amount for o in paid)
    assert len(till.gateway.orders) == PAYMENTS
    assert {(await till.of(o.order_id)).status for o in paid} == {"completed"}
    ended = [o for o in till.orders.known.values() if o.status == "cancelled"]
    assert {(await till.of(o.order_id)).status for o in ended} == {"refunded"}
    assert len(paid) + len(ended) == PAYMENTS


async def buys(till: Till, order_id: str, chance: Random) -> None:
    """A buyer who repeats with the same key until an answer comes, and sometimes cancels while paying."""
    order = till.orders.known[order_id]
    gateway_order = None
    while gateway_order is None:
        try:
            gateway_order = (await till.open(order, key=f"open-{order_id}")).razorpay_order_id
        except (GatewayAway, InFlight):
            continue
    attempt = till.gateway.attempt(gateway_order, chance.choice(["captured", "authorized"]))
    if chance.random() < 0.25:
        till.orders.close(order_id, "cancelled")
        await till.hears(OrderCancelled, order_id)
    for _ in range(chance.randrange(3)):
        try:
            await till.verify(attempt, key=f"verify-{order_id}")
        except (GatewayAway, InFlight, PaymentRefused):
            continue


async def test_webhooks_in_any_order_and_number_end_as_their_last_word(till: Till) -> None:
    chance = Random(7)
    notices: list[Notice] = []
    expected: dict[str, tuple[str, int]] = {}
    for i in range(PAYMENTS):
        order = till.orders.has(till.asha)
        gateway_order = (await till.open(order, key=f"open-{i}")).razorpay_order_id
        told, status, refunded = history(till, gateway_order, chance)
        notices += [notice for notice in told for _ in range(chance.randint(1, 5))]
        expected[order.order_id] = (status, refunded)
    chance.shuffle(notices)

    fresh: list[bool] = []
    for start in range(0, len(notices), 8):
        fresh += await asyncio.gather(*(till.service.webhook(*notice) for notice in notices[start : start + 8]))

    assert sum(fresh) == len({event_id for _, _, event_id in notices})
    found = {order_id: await till.of(order_id) for order_id in expected}
    assert {o: (p.status, p.amount_refunded.amount) for o, p in found.items()} == expected
    successes = [e.subject for e in await till.events() if e.type == "payment.success"]
    assert len(successes) == len(set(successes)) == sum(s != "failed" for s, _ in expected.values())


def history(till: Till, gateway_order: str, chance: Random) -> tuple[list[Notice], str, int]:
    """One buyer's way through the checkout: the notices of it, and how it ended."""
    told: list[Notice] = []
    failed = till.gateway.attempt(gateway_order, "failed")
    told.append(till.gateway.notice("payment.failed", failed))
    if chance.random() < 0.2:
        return told, "failed", 0
    paid = till.gateway.attempt(gateway_order)
    told.append(till.gateway.notice("payment.authorized", {**paid, "status": "authorized", "captured": False}))
    told.append(till.gateway.notice("payment.captured", dict(paid)))
    told.append(till.gateway.notice("order.paid", dict(paid)))
    refunded = chance.choice([0, 10_000, paid["amount"]])
    if refunded:
        status = "refunded" if refunded == paid["amount"] else "captured"
        after = {**paid, "amount_refunded": refunded, "status": status}
        told.append(till.gateway.notice("refund.processed", after, refund={"entity": {"id": f"rfnd_{paid['id']}"}}))
    return told, "refunded" if refunded == paid["amount"] else "completed", refunded
