"""One suite for both stores, and what the gateway does while its store is away."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from motor.motor_asyncio import AsyncIOMotorDatabase
from sandbox_world import KEYS, WEBHOOK_SECRET, Receiver

from services.payments.adapters.sandbox import (
    Backoff,
    MemoryStore,
    MongoStore,
    SandboxGateway,
    SandboxStore,
    create_router,
    new_razorpay_id,
)
from services.payments.adapters.sandbox.entities import Record
from services.payments.adapters.sandbox.store import StoreUnavailable


@pytest.fixture(params=["memory", "mongo"])
async def store(request: pytest.FixtureRequest, database: AsyncIOMotorDatabase[dict[str, Any]]) -> SandboxStore:
    store: SandboxStore = MemoryStore() if request.param == "memory" else MongoStore(database)
    await store.prepare()
    return store


def payment(record_id: str, order_id: str, position: int = 0) -> Record:
    return Record("payments", record_id, {"id": record_id, "order_id": order_id}, {"position": position})


async def found(store: SandboxStore, kind: str, record_id: str) -> Record:
    record = await store.find(kind, record_id)
    assert record
    return record


async def test_a_written_record_is_found_at_its_version(store: SandboxStore):
    assert await store.commit([payment("pay_1", "order_1")])
    record = await found(store, "payments", "pay_1")
    assert (record.entity, record.stored) == ({"id": "pay_1", "order_id": "order_1"}, 1)
    assert await store.commit([record.changed(status="captured")])
    assert (await found(store, "payments", "pay_1")).entity["status"] == "captured"


async def test_of_two_writers_of_one_version_the_second_is_turned_away(store: SandboxStore):
    await store.commit([payment("pay_1", "order_1")])
    record = await found(store, "payments", "pay_1")
    assert await store.commit([record.changed(status="captured")])
    assert not await store.commit([record.changed(status="failed")])
    assert (await found(store, "payments", "pay_1")).entity["status"] == "captured"


async def test_an_id_is_taken_once(store: SandboxStore):
    assert await store.commit([payment("pay_1", "order_1")])
    assert not await store.commit([payment("pay_1", "order_2")])


async def test_writes_hold_together_or_not_at_all(store: SandboxStore):
    await store.commit([payment("pay_1", "order_1")])
    assert not await store.commit([payment("pay_2", "order_1"), payment("pay_1", "order_1")])
    assert await store.find("payments", "pay_2") is None


async def test_lists_are_of_one_value_oldest_first(store: SandboxStore):
    for record in (payment("pay_2", "order_1", 1), payment("pay_3", "order_2", 2), payment("pay_1", "order_1", 3)):
        await store.commit([record])
    assert [record.id for record in await store.list_by("payments", "order_1")] == ["pay_2", "pay_1"]


async def test_a_removed_record_is_gone(store: SandboxStore):
    await store.commit([payment("pay_1", "order_1")])
    await store.remove("payments", "pay_1")
    assert await store.find("payments", "pay_1") is None


class FlakyStore(MemoryStore):
    """Fails as often as told: before a read of the queue, or after a write took effect."""

    def __init__(self) -> None:
        super().__init__()
        self.failing_lists = 0
        self.failing_commits = 0

    async def list_by(self, kind: str, value: Any) -> list[Record]:
        if self.failing_lists:
            self.failing_lists -= 1
            raise StoreUnavailable("away")
        return await super().list_by(kind, value)

    async def commit(self, writes: Sequence[Record]) -> bool:
        done = await super().commit(writes)
        if self.failing_commits:
            self.failing_commits -= 1
            raise StoreUnavailable("away")
        return done


def flaky_gateway(store: FlakyStore, receiver: Receiver) -> SandboxGateway:
    return SandboxGateway(
        store,
        KEYS,
        WEBHOOK_SECRET,
        "http://shop.test/webhook",
        clock=lambda: datetime.now(UTC),
        ids=new_razorpay_id,
        backoff=Backoff(first=0.01, most=0.05),
        transport=httpx.ASGITransport(receiver),
    )


async def test_a_store_that_is_away_is_a_server_error(receiver: Receiver):
    store = FlakyStore()
    app = FastAPI()
    app.include_router(create_router(flaky_gateway(store, receiver)))
    store.failing_commits = 1
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://gateway", auth=KEYS) as client:
        answer = await client.post("/v1/orders", json={"amount": 100, "currency": "INR"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (500, "SERVER_ERROR")


async def test_webhooks_of_a_write_that_ended_without_an_answer_are_sent(receiver: Receiver):
    store = FlakyStore()
    store.failing_lists = 2
    gateway = flaky_gateway(store, receiver)
    order = await gateway.orders.create({"amount": 500, "currency": "INR"})
    stop = asyncio.Event()
    sender = asyncio.create_task(gateway.run_deliveries(stop))
    store.failing_commits = 1
    with pytest.raises(StoreUnavailable):
        await gateway.payments.check_out(order["id"], "success@razorpay")
    await receiver.wait_for(3)
    stop.set()
    await sender
    assert (await gateway.orders.fetch(order["id"]))["status"] == "paid"
