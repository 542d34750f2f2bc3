"""The service, the official SDK and the sandbox gateway over loopback, as they run together."""

import asyncio
import contextlib
import socket
import threading
from collections.abc import AsyncIterator
from datetime import timedelta

import httpx
import pytest
import uvicorn
from fastapi import FastAPI
from payments_world import Till

from api import errors
from services.contracts.events import OrderCancelled
from services.contracts.payments import GatewayAway
from services.kit.clock import ManualClock
from services.kit.ids import RandomIds
from services.kit.mongo import Mongo
from services.payments.adapters.razorpay import RazorpayGateway
from services.payments.adapters.sandbox import (
    Backoff,
    Fault,
    MemoryStore,
    SandboxGateway,
    create_router,
    new_razorpay_id,
)
from services.payments.routes import routes
from tests.fakes.razorpay import KEY_SECRET, WEBHOOK_SECRET

KEYS = ("rzp_test_CohortSandbox", KEY_SECRET)


class ListeningServer(uvicorn.Server):
    """Says when it listens."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.listening = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.listening.set()


class Bazaar:
    """A till whose gateway is the sandbox behind a real server; webhooks are sent when told to."""

    def __init__(self, mongo: Mongo, ids: RandomIds, clock: ManualClock) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = int(probe.getsockname()[1])
        self.url = f"http://127.0.0.1:{port}"
        self.gateway = RazorpayGateway(*KEYS, base_url=f"{self.url}/sandbox/razorpay", timeout=5.0)
        self.till = Till(mongo, ids, clock, self.gateway)
        self.sandbox = SandboxGateway(
            MemoryStore(), KEYS, WEBHOOK_SECRET, f"{self.url}/payments/razorpay/webhook", clock=clock.now,
            ids=new_razorpay_id, backoff=Backoff(first=0.02, most=0.1),
        )  # fmt: skip
        app = FastAPI()
        app.include_router(create_router(self.sandbox), prefix="/sandbox/razorpay")
        app.include_router(routes(self.till.service))
        errors.install(app)
        self.server = ListeningServer(
            uvicorn.Config(app, host="127.0.0.1", port=port, log_level="warning", lifespan="off", ws="none")
        )

    async def checkout(self, razorpay_order_id: str, vpa: str = "success@razorpay") -> httpx.Response:
        async with httpx.AsyncClient(base_url=self.url, trust_env=False, timeout=10) as web:
            return await web.post("/sandbox/razorpay/checkout", json={"order_id": razorpay_order_id, "vpa": vpa})

    @contextlib.asynccontextmanager
    async def webhooks(self) -> AsyncIterator[None]:
        stop = asyncio.Event()
        sending = asyncio.create_task(self.sandbox.run_deliveries(stop))
        yield
        stop.set()
        await sending

    async def becomes(self, order_id: str, status: str) -> None:
        """Wait, event by event, for the order's payment to get there."""
        async with asyncio.timeout(15):
            while (await self.till.of(order_id)).status != status:
                await self.till.outbox.written.wait()
                self.till.outbox.written.clear()


@pytest.fixture
async def bazaar(mongo: Mongo, ids: RandomIds, clock: ManualClock) -> AsyncIterator[Bazaar]:
    opened = Bazaar(mongo, ids, clock)
    await opened.till.prepare()
    await opened.sandbox.prepare()
    serving = asyncio.create_task(opened.server.serve())
    async with asyncio.timeout(10):
        await opened.server.listening.wait()
    yield opened
    opened.server.should_exit = opened.server.force_exit = True
    await serving
    await asyncio.to_thread(opened.gateway.close)
    assert not [t for t in threading.enumerate() if t.name.startswith("razorpay")]


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


@pytest.mark.parametrize("fault", [Fault.BAD_GATEWAY, Fault.BAD_GATEWAY_AFTER, Fault.ERROR_BEFORE, Fault.ERROR_AFTER])
async def test_a_gateway_failing_at_every_step_ends_with_one_charge(bazaar: Bazaar, fault: Fault) -> None:
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
