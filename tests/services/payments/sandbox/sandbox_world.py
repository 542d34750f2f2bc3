"""The people and machines around the gateway: a server, a webhook receiver, the official SDK, a buyer."""

import asyncio
import socket
from collections.abc import Callable
from typing import Any, Self

import httpx
import razorpay
import uvicorn
from starlette.requests import Request
from starlette.responses import Response

KEYS = ("rzp_test_CohortSandbox", "key-secret")
WEBHOOK_SECRET = "webhook-secret"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class _Server(uvicorn.Server):
    """Says when it listens."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.listening = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.listening.set()


class Served:
    """An ASGI app behind uvicorn on a free port of loopback."""

    def __init__(self, app: Any) -> None:
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        self._server = _Server(
            uvicorn.Config(app, host="127.0.0.1", port=port, log_level="warning", lifespan="off", ws="none")
        )
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._server.serve())
        async with asyncio.timeout(10):
            await self._server.listening.wait()
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.should_exit = True
        self._server.force_exit = True
        if self._task:
            await self._task


class Mount:
    """One server for the whole run; each test mounts its own app in it."""

    def __init__(self) -> None:
        self.app: Any = None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await self.app(scope, receive, send)


class Receiver:
    """A webhook receiver that notes what it gets and answers as told."""

    def __init__(self) -> None:
        self.got: list[tuple[httpx.Headers, bytes]] = []
        self.answers: list[int] = []
        self._changed = asyncio.Condition()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        request = Request(scope, receive)
        raw = await request.body()
        async with self._changed:
            self.got.append((httpx.Headers(request.headers.raw), raw))
            status = self.answers.pop(0) if self.answers else 200
            self._changed.notify_all()
        await Response(status_code=status)(scope, receive, send)

    async def wait_for(self, count: int) -> None:
        async with asyncio.timeout(20), self._changed:
            await self._changed.wait_for(lambda: len(self.got) >= count)


class Sdk:
    """The official client; every call in a thread, as it blocks."""

    def __init__(self, base_url: str, auth: tuple[str, str] = KEYS) -> None:
        self.client = razorpay.Client(auth=auth, base_url=base_url)

    async def __call__(self, call: Callable[[razorpay.Client], Any]) -> Any:
        return await asyncio.to_thread(call, self.client)

    async def order(self, amount: int = 50_000, **values: Any) -> dict[str, Any]:
        body = {"amount": amount, "currency": "INR", **values}
        return await self(lambda client: client.order.create(body))


class Buyer:
    """Stands in Razorpay's checkout."""

    def __init__(self, web: httpx.AsyncClient) -> None:
        self._web = web

    async def tries(self, order: dict[str, Any], vpa: str) -> httpx.Response:
        return await self._web.post("/checkout", json={"order_id": order["id"], "vpa": vpa})

    async def pays(self, order: dict[str, Any]) -> dict[str, str]:
        answer = await self.tries(order, "success@razorpay")
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def fails(self, order: dict[str, Any]) -> dict[str, Any]:
        answer = await self.tries(order, "failure@razorpay")
        assert answer.status_code == 400, answer.text
        return answer.json()["error"]
