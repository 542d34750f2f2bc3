"""A sandbox gateway as it runs: a document server for its records, uvicorn on loopback, the official SDK as caller."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from motor.motor_asyncio import AsyncIOMotorClient, AsyncIOMotorDatabase
from sandbox_world import KEYS, WEBHOOK_SECRET, Buyer, Mount, Receiver, Sdk, Served

from services.payments.adapters.sandbox import Backoff, MongoStore, SandboxGateway, create_router, new_razorpay_id


@pytest.fixture
async def database(mongo_url: str) -> AsyncIterator[AsyncIOMotorDatabase[dict[str, Any]]]:
    client: AsyncIOMotorClient[dict[str, Any]] = AsyncIOMotorClient(mongo_url, serverSelectionTimeoutMS=30_000)
    yield client[new_razorpay_id("sandbox_")]
    client.close()


@pytest.fixture
async def receiver() -> Receiver:
    return Receiver()


@pytest.fixture
async def make_gateway(
    database: AsyncIOMotorDatabase[dict[str, Any]], receiver: Receiver
) -> Callable[..., SandboxGateway]:
    """A gateway over the test's database; called again it is the same gateway after a restart."""
    store = MongoStore(database)
    await store.prepare()

    def make(**settings: Any) -> SandboxGateway:
        settings = {
            "backoff": Backoff(first=0.02, most=0.1),
            "transport": httpx.ASGITransport(receiver),
            "webhook_url": "http://shop.test/webhook",
            **settings,
        }
        return SandboxGateway(
            store,
            KEYS,
            WEBHOOK_SECRET,
            settings.pop("webhook_url"),
            clock=lambda: datetime.now(UTC),
            ids=new_razorpay_id,
            **settings,
        )

    return make


@pytest.fixture
def gateway(make_gateway: Callable[..., SandboxGateway]) -> SandboxGateway:
    return make_gateway(fault_route=True)


@pytest.fixture(scope="session")
async def server() -> AsyncIterator[tuple[Mount, str]]:
    mount = Mount()
    async with Served(mount) as served:
        yield mount, served.url


@pytest.fixture
def base_url(gateway: SandboxGateway, server: tuple[Mount, str]) -> str:
    """Where the SDK finds the gateway, mounted as the main server mounts it."""
    mount, url = server
    mount.app = FastAPI()
    mount.app.include_router(create_router(gateway), prefix="/sandbox/razorpay")
    return f"{url}/sandbox/razorpay"


@pytest.fixture
def sdk(base_url: str) -> Iterator[Sdk]:
    sdk = Sdk(base_url)
    yield sdk
    sdk.client.session.close()


@pytest.fixture
async def web(base_url: str) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=base_url, timeout=20, trust_env=False) as client:
        yield client


@pytest.fixture
def buyer(web: httpx.AsyncClient) -> Buyer:
    return Buyer(web)


@pytest.fixture
async def deliveries(gateway: SandboxGateway) -> AsyncIterator[None]:
    """The gateway's webhooks are being sent."""
    stop = asyncio.Event()
    task = asyncio.create_task(gateway.run_deliveries(stop))
    yield
    stop.set()
    async with asyncio.timeout(20):
        await task
