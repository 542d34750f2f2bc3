"""M4: webhooks in any order and number, before our own call returned, and around crashes of the receiver."""

import asyncio
import time
from dataclasses import dataclass, field
from random import Random

import httpx
import pytest
from fastapi import FastAPI

from api import errors
from services.kit.clock import ManualClock
from services.kit.ids import RandomIds
from services.kit.mongo import Mongo
from services.payments.routes import routes
from tests.bars.bar import measured
from tests.fakes.razorpay import Notice
from tests.services.payments.payments_world import Till

SEED = 20261123
AT_ONCE = 8
HISTORY = 4
"""Webhooks of one payment, about."""


@dataclass
class Story:
    """What the gateway has to tell, and how each order has to end: status of its payment and paise given back."""

    notices: list[Notice] = field(default_factory=list)
    ends: dict[str, tuple[str, int]] = field(default_factory=dict)


@pytest.mark.parametrize("events", [60, pytest.param(1000, marks=pytest.mark.full)])
@pytest.mark.timeout(1800)
async def test_m4_webhooks_in_any_order_and_number(
    mongo: Mongo, ids: RandomIds, clock: ManualClock, events: int
) -> None:
    chance = Random(SEED)
    till = Till(mongo, ids, clock)
    await till.prepare()
    story = Story()
    while len(story.notices) < events:
        await _happens(till, story, chance)
    sendings = [notice for notice in story.notices for _ in range(chance.randint(1, 5))]
    chance.shuffle(sendings)

    times, crashes = await _delivered(till, sendings, chance, crashes=len(story.notices) // 20)

    measured(
        "M4", len(story.notices), await _violations(till, story), SEED, sendings=len(sendings), crashes=crashes,
        p95_ms=round(sorted(times)[len(times) * 95 // 100] * 1000),
    )  # fmt: skip


async def _happens(till: Till, story: Story, chance: Random) -> None:
    """One buyer's way through the checkout; one in ten is told of before the shop has stored its own call's answer."""
    order = till.orders.has(till.asha)
    if chance.random() < 0.1:
        made = await till.gateway.create_order(order.order_id, order.total.amount, "INR", {})
        gateway_order = str(made["id"])
    else:
        gateway_order = (await till.open(order, key=f"open-{order.order_id}")).razorpay_order_id
    gateway, told = till.gateway, story.notices
    told.append(gateway.notice("payment.failed", gateway.attempt(gateway_order, "failed")))
    if chance.random() < 0.15:
        story.ends[order.order_id] = ("failed", 0)
        return
    paid = gateway.attempt(gateway_order)
    told.append(gateway.notice("payment.authorized", {**paid, "status": "authorized", "captured": False}))
    told.append(gateway.notice("payment.captured", dict(paid)))
    told.append(gateway.notice("order.paid", dict(paid)))
    back = chance.choice([0, 10_000, paid["amount"]])
    if back:
        status = "refunded" if back == paid["amount"] else "captured"
        after = {**paid, "amount_refunded": back, "status": status}
        told.append(gateway.notice("refund.processed", after, refund={"entity": {"id": f"rfnd_{paid['id']}"}}))
    story.ends[order.order_id] = ("refunded" if back == paid["amount"] else "completed", back)


async def _delivered(till: Till, sendings: list[Notice], chance: Random, crashes: int) -> tuple[list[float], int]:
    """Every sending until it is answered with 200, as the gateway does; the times, and how many crashes there were."""
    app = FastAPI()
    app.include_router(routes(till.service))
    errors.install(app)
    broken = set(chance.sample(range(len(sendings)), crashes))
    times: list[float] = []
    seen: list[int] = []
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app, raise_app_exceptions=False), base_url="http://shop.test"
    ) as web:

        async def send(position: int) -> None:
            raw, signature, event_id = sendings[position]
            headers = {"X-Razorpay-Signature": signature, "x-razorpay-event-id": event_id}
            if position in broken:
                till.crash.name = chance.choice(["payments.completed", "payments.told"])
            while True:
                started = time.perf_counter()
                answer = await web.post("/payments/razorpay/webhook", content=raw, headers=headers)
                if answer.status_code == 200:
                    times.append(time.perf_counter() - started)
                    return
                seen.append(answer.status_code)

        for start in range(0, len(sendings), AT_ONCE):
            await asyncio.gather(*(send(at) for at in range(start, min(start + AT_ONCE, len(sendings)))))
    till.crash.name = ""
    return times, len(seen)


async def _violations(till: Till, story: Story) -> list[str]:
    found = []
    for order_id, end in story.ends.items():
        payment = await till.of(order_id)
        if (payment.status, payment.amount_refunded.amount) != end:
            found.append(f"{order_id} ended as {payment.status}, {payment.amount_refunded.amount}; expected {end}")
    events = await till.events()
    successes = [event.subject for event in events if event.type == "payment.success"]
    if not len(successes) == len(set(successes)) == sum(status != "failed" for status, _ in story.ends.values()):
        found.append(f"{len(successes)} successes of {len(set(successes))} payments")
    seen = await till.outbox.database["inbox"].count_documents({})
    if seen != len(story.notices):
        found.append(f"{seen} events marked seen of {len(story.notices)}")
    return found
