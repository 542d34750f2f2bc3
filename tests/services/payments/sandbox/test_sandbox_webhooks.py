"""Signed webhooks: what they carry, that none is lost, and how they misbehave when told to."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import razorpay
from motor.motor_asyncio import AsyncIOMotorDatabase
from sandbox_world import KEYS, WEBHOOK_SECRET, Buyer, Receiver, Sdk, Served

from services.payments.adapters.sandbox import SandboxGateway, WebhookKnobs

PAID = ["payment.authorized", "payment.captured", "order.paid"]


def names(receiver: Receiver) -> list[str]:
    return [json.loads(raw)["event"] for _, raw in receiver.got]


def ids(receiver: Receiver) -> list[str]:
    return [headers["x-razorpay-event-id"] for headers, _ in receiver.got]


@asynccontextmanager
async def sending(gateway: SandboxGateway) -> AsyncIterator[None]:
    stop = asyncio.Event()
    task = asyncio.create_task(gateway.run_deliveries(stop))
    try:
        yield
    finally:
        stop.set()
        async with asyncio.timeout(20):
            await task


async def paid_order(gateway: SandboxGateway, amount: int = 50_000, **values: Any) -> str:
    """Pays a new order; the payment's id."""
    order = await gateway.orders.create({"amount": amount, "currency": "INR", **values})
    return (await gateway.payments.check_out(order["id"], "success@razorpay"))["razorpay_payment_id"]


async def test_a_paid_checkout_tells_its_three_facts_in_razorpays_envelope(
    sdk: Sdk, buyer: Buyer, receiver: Receiver, deliveries: None
):
    order = await sdk.order(50_000, receipt="ord_1")
    handed = await buyer.pays(order)
    await receiver.wait_for(3)
    assert names(receiver) == PAID
    bodies = [json.loads(raw) for _, raw in receiver.got]
    assert all((body["entity"], body["account_id"][:4]) == ("event", "acc_") for body in bodies)
    assert [body["contains"] for body in bodies] == [["payment"], ["payment"], ["payment", "order"]]
    authorised, captured, paid = (body["payload"]["payment"]["entity"] for body in bodies)
    assert {payment["id"] for payment in (authorised, captured, paid)} == {handed["razorpay_payment_id"]}
    assert [payment["status"] for payment in (authorised, captured, paid)] == ["authorized", "captured", "captured"]
    assert bodies[2]["payload"]["order"]["entity"]["status"] == "paid"


async def test_webhooks_are_signed_over_their_raw_body_as_the_sdk_verifies(
    gateway: SandboxGateway, receiver: Receiver, deliveries: None
):
    await paid_order(gateway)
    await receiver.wait_for(3)
    verify = razorpay.Client(auth=KEYS).utility.verify_webhook_signature
    for headers, raw in receiver.got:
        assert verify(raw.decode(), headers["x-razorpay-signature"], WEBHOOK_SECRET)
    assert len(set(ids(receiver))) == 3


async def test_a_failed_payment_and_a_refund_are_told(
    gateway: SandboxGateway, receiver: Receiver, sdk: Sdk, buyer: Buyer, deliveries: None
):
    order = await sdk.order()
    await buyer.fails(order)
    handed = await buyer.pays(order)
    await sdk(lambda client: client.payment.refund(handed["razorpay_payment_id"], {"amount": 100}))
    await receiver.wait_for(6)
    assert names(receiver) == ["payment.failed", *PAID, "refund.created", "refund.processed"]
    refund = json.loads(receiver.got[-1][1])
    assert refund["contains"] == ["refund", "payment"]
    assert refund["payload"]["payment"]["entity"]["amount_refunded"] == 100


async def test_a_webhook_is_sent_again_until_the_receiver_takes_it(
    gateway: SandboxGateway, receiver: Receiver, deliveries: None
):
    receiver.answers = [500, 503, 302, 404]
    await paid_order(gateway)
    await receiver.wait_for(7)
    assert sorted(set(names(receiver))) == sorted(PAID)
    assert len(set(ids(receiver))) == 3
    by_id = {
        event_id: {raw for headers, raw in receiver.got if headers["x-razorpay-event-id"] == event_id}
        for event_id in ids(receiver)
    }
    assert all(len(bodies) == 1 for bodies in by_id.values())


async def test_webhooks_reach_a_real_server_once_it_is_up(
    make_gateway: Callable[..., SandboxGateway], receiver: Receiver
):
    later = Served(receiver)
    gateway = make_gateway(webhook_url=later.url, transport=None)
    async with sending(gateway):
        await paid_order(gateway)
        async with later:
            await receiver.wait_for(3)
    assert sorted(names(receiver)) == sorted(PAID)


async def test_what_a_stopped_gateway_left_unsent_is_sent_after_its_restart(
    make_gateway: Callable[..., SandboxGateway], receiver: Receiver, database: AsyncIOMotorDatabase[dict[str, Any]]
):
    await paid_order(make_gateway())
    assert receiver.got == []
    restarted = make_gateway()
    async with sending(restarted):
        await receiver.wait_for(3)
    assert names(receiver) == PAID
    assert await database["sandbox_webhooks"].count_documents({}) == 0


async def test_a_delivered_webhook_is_not_sent_after_a_restart(
    make_gateway: Callable[..., SandboxGateway], receiver: Receiver
):
    first = make_gateway()
    async with sending(first):
        await paid_order(first)
        await receiver.wait_for(3)
    second = make_gateway()
    async with sending(second):
        await paid_order(second)
        await receiver.wait_for(6)
    assert len(set(ids(receiver))) == 6


async def test_duplicates_carry_the_same_event_id(make_gateway: Callable[..., SandboxGateway], receiver: Receiver):
    gateway = make_gateway(knobs=WebhookKnobs(duplicates=2))
    async with sending(gateway):
        await paid_order(gateway)
        await receiver.wait_for(9)
    assert sorted(names(receiver)) == sorted(PAID * 3)
    assert len(set(ids(receiver))) == 3


async def test_reordered_webhooks_come_newest_first(make_gateway: Callable[..., SandboxGateway], receiver: Receiver):
    gateway = make_gateway(knobs=WebhookKnobs(reorder=True))
    async with sending(gateway):
        await paid_order(gateway)
        await receiver.wait_for(3)
    assert names(receiver) == PAID[::-1]


async def test_delayed_webhooks_come_after_the_delay(make_gateway: Callable[..., SandboxGateway], receiver: Receiver):
    gateway = make_gateway(knobs=WebhookKnobs(delay=0.3))
    loop = asyncio.get_running_loop()
    async with sending(gateway):
        await paid_order(gateway)
        began = loop.time()
        await receiver.wait_for(1)
        assert loop.time() - began >= 0.25


async def test_dropped_webhooks_never_come(make_gateway: Callable[..., SandboxGateway], receiver: Receiver):
    gateway = make_gateway(knobs=WebhookKnobs(drop=frozenset({"payment.captured"})))
    async with sending(gateway):
        await paid_order(gateway)
        await receiver.wait_for(2)
        await paid_order(gateway)
        await receiver.wait_for(4)
    assert names(receiver) == ["payment.authorized", "order.paid"] * 2


async def test_without_a_webhook_url_nothing_is_kept(
    make_gateway: Callable[..., SandboxGateway], database: AsyncIOMotorDatabase[dict[str, Any]]
):
    await paid_order(make_gateway(webhook_url=None))
    assert await database["sandbox_webhooks"].count_documents({}) == 0


async def test_a_receiver_that_fails_for_a_day_is_given_up(
    make_gateway: Callable[..., SandboxGateway], receiver: Receiver, database: AsyncIOMotorDatabase[dict[str, Any]]
):
    await paid_order(make_gateway())
    await database["sandbox_webhooks"].update_many({}, {"$inc": {"entity.created_at": -25 * 3600}})
    receiver.answers = [500] * 3
    async with sending(make_gateway()):
        await receiver.wait_for(3)
    assert await database["sandbox_webhooks"].count_documents({"hidden.state": "pending"}) == 0
    async with sending(make_gateway()):
        pass
    assert len(receiver.got) == 3


@pytest.mark.processes
async def test_a_killed_gateway_loses_no_webhook_of_a_payment_it_answered(
    make_gateway: Callable[..., SandboxGateway],
    receiver: Receiver,
    database: AsyncIOMotorDatabase[dict[str, Any]],
    mongo_url: str,
):
    script = Path(__file__).with_name("pay_until_killed.py")
    doomed = await asyncio.create_subprocess_exec(
        sys.executable,
        str(script),
        mongo_url,
        database.name,
        stdout=asyncio.subprocess.PIPE,
        env={"PYTHONPATH": str(Path(__file__).parents[4]), "PATH": os.environ["PATH"]},
    )
    assert doomed.stdout
    async with asyncio.timeout(60):
        answered = [(await doomed.stdout.readline()).decode().strip() for _ in range(20)]
        doomed.kill()
        answered += (await doomed.stdout.read()).decode().split()
        await doomed.wait()
    async with sending(make_gateway()):
        await receiver.wait_for(3 * len(answered))
    told = {json.loads(raw)["payload"]["payment"]["entity"]["id"] for _, raw in receiver.got}
    assert set(answered) <= told
