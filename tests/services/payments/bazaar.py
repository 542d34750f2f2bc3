"""A till whose gateway is the sandbox behind a real server, reached by the official SDK."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator

import httpx
import uvicorn
from fastapi import FastAPI

from api import errors
from services.kit.clock import ManualClock
from services.kit.ids import RandomIds
from services.kit.mongo import Mongo
from services.payments.adapters.razorpay import RazorpayGateway
from services.payments.adapters.sandbox import (
    Backoff,
    MemoryStore,
    SandboxGateway,
    create_router,
    new_razorpay_id,
)
from services.payments.routes import routes
from tests.fakes.razorpay import KEY_SECRET, WEBHOOK_SECRET
from tests.services.payments.payments_world import Till

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

    def __init__(self, mongo: Mongo, ids: RandomIds, clock: ManualClock, timeout: float = 5.0) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = int(probe.getsockname()[1])
        self.url = f"http://127.0.0.1:{port}"
        self.gateway = RazorpayGateway(*KEYS, base_url=f"{self.url}/sandbox/razorpay", timeout=timeout)
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

    @contextlib.asynccontextmanager
    async def opened(self) -> AsyncIterator["Bazaar"]:
        """Prepared and listening."""
        await self.till.prepare()
        await self.sandbox.prepare()
        serving = asyncio.create_task(self.server.serve())
        async with asyncio.timeout(10):
            await self.server.listening.wait()
        try:
            yield self
        finally:
            self.server.should_exit = self.server.force_exit = True
            await serving
            await asyncio.to_thread(self.gateway.close)
