"""A chat door on a real server, real Redis and a real document store; a WebSocket client that waits for frames."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import httpx
import jwt
import orjson
import pytest
import uvicorn
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from fastapi import FastAPI
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from api import errors
from api.chat import ChatDoor, Manners, routes
from api.guests import GuestSigner
from api.security import Authenticator
from services.kit.clock import ManualClock
from services.kit.csrf import CsrfGuard
from services.kit.ids import RandomIds
from services.kit.log import configure_logging
from services.kit.mongo import Mongo
from services.kit.principal import Principal
from services.kit.tokens import AUDIENCE, ISSUER, TokenVerifier
from tests.fakes.assistant import ASHA, open_saver, session_of
from tests.fakes.shop import ScriptedModel, Shop

ORIGIN = "https://shop.example"
KEY = Ed25519PrivateKey.generate()
ENDINGS = {"done", "approval_request", "error"}


class Line:
    """A client's socket; `frames` are all it has received."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self.frames: list[dict[str, Any]] = []

    async def next(self) -> dict[str, Any]:
        frame = orjson.loads(await asyncio.wait_for(self.socket.recv(), 15))
        self.frames.append(frame)
        return frame

    async def until(self, *kinds: str) -> dict[str, Any]:
        while (frame := await self.next())["type"] not in kinds:
            pass
        return frame

    async def send(self, **frame: Any) -> None:
        await self.socket.send(orjson.dumps(frame).decode())

    async def say(self, text: str, message_id: str, **more: Any) -> list[dict[str, Any]]:
        """The frames of the turn, up to its end or its approval."""
        start = len(self.frames)
        await self.send(type="message", id=message_id, text=text, **more)
        await self.until(*ENDINGS)
        return self.frames[start:]

    async def closed(self) -> int:
        """Read what is left; the code the server closed with."""
        with contextlib.suppress(ConnectionClosed):
            while True:
                await self.next()
        return self.socket.close_code or 0


@dataclass
class Sessions:
    """What auth would say of sessions."""

    revoked: set[str] = field(default_factory=set)

    async def is_live(self, session_id: str) -> bool:
        return session_id not in self.revoked


@dataclass
class World:
    """A process with a chat door. `again()` is another process on the same stores."""

    door: ChatDoor
    model: ScriptedModel
    shop: Shop
    sessions: Sessions
    clock: ManualClock
    url: str
    server: uvicorn.Server
    app: FastAPI

    def token(self, who: Principal = ASHA, minutes: int = 15) -> str:
        now = self.clock.now()
        claims = {
            "sub": who.user_id, "roles": sorted(who.roles), "sid": who.session_id, "name": who.name, "iss": ISSUER,
            "aud": AUDIENCE, "iat": int(now.timestamp()), "exp": int((now + timedelta(minutes=minutes)).timestamp()),
        }  # fmt: skip
        return jwt.encode(claims, KEY, algorithm="EdDSA", headers={"typ": "at+jwt", "kid": "k1"})

    def bearer(self, who: Principal = ASHA) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token(who)}"}

    @asynccontextmanager
    async def line(
        self, who: Principal | None = ASHA, query: str = "", origin: str | None = None, **options: Any
    ) -> AsyncIterator[Line]:
        headers = self.bearer(who) if who else {}
        if origin:
            headers["Origin"] = origin
        url = f"{self.url.replace('http', 'ws')}/chat/ws{query}"
        async with connect(url, additional_headers=headers, subprotocols=["cohort.chat.v1"], **options) as opened:
            yield Line(opened)

    def http(self, who: Principal | None = ASHA) -> httpx.AsyncClient:
        return httpx.AsyncClient(base_url=self.url, headers=self.bearer(who) if who else {}, timeout=20)


@asynccontextmanager
async def process(
    mongo: Mongo, redis: Any, clock: ManualClock, model: ScriptedModel, shop: Shop, **options: Any
) -> AsyncIterator[World]:
    sessions, ids = Sessions(), RandomIds()
    verifier = TokenVerifier(lambda: {"k1": KEY.public_key()}, clock)
    guests = GuestSigner(b"s" * 32, ids)
    with open_saver(mongo) as saver:
        door = ChatDoor(
            session=session_of(mongo, saver, model, shop, clock),
            ids=ids,
            clock=clock,
            redis=redis,
            verifier=verifier,
            is_live=sessions.is_live,
            guests=guests,
            allowed_origins=[ORIGIN],
            model_name="scripted",
            **{"manners": Manners(liveness_seconds=0.2), "frames_burst": 5_000, "lease_seconds": 1.0, **options},
        )
        app = FastAPI()
        errors.install(app)
        app.state.authenticate = Authenticator(verifier, sessions.is_live, guests, CsrfGuard(b"c" * 32))
        app.include_router(routes(door))
        async with served(app) as (url, server):
            yield World(door, model, shop, sessions, clock, url, server, app)
            await door.drain(1)


@asynccontextmanager
async def served(app: FastAPI) -> AsyncIterator[tuple[str, uvicorn.Server]]:
    listening = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(app, log_config=None, ws_max_size=65_536, lifespan="off")
    server = uvicorn.Server(config)
    server.install_signal_handlers = lambda: None
    task = asyncio.create_task(server.serve(sockets=[listening]))
    while not server.started:  # noqa: ASYNC110 - the server has no event for it
        await asyncio.sleep(0.01)
    yield f"http://127.0.0.1:{listening.getsockname()[1]}", server
    server.should_exit = True
    await task


@pytest.fixture(scope="session", autouse=True)
def logging_as_in_a_process() -> None:
    """The default of structlog draws every local of a traceback, which takes seconds."""
    configure_logging("WARNING")


Process = Callable[..., Any]


@pytest.fixture
def start(mongo: Mongo, redis: Any, clock: ManualClock) -> Process:
    """Start a process with a model and a shop: `async with start(model, shop, **door options) as world`."""

    def begin(model: ScriptedModel, shop: Shop | None = None, **options: Any) -> Any:
        return process(mongo, redis, clock, model, shop or Shop(), **options)

    return begin


@pytest.fixture
async def world(start: Process) -> AsyncIterator[World]:
    async with start(ScriptedModel.of()) as opened:
        yield opened
