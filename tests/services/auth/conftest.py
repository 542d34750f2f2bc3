"""Auth on real engines, with password hashing made cheap."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI, Request

from api import errors
from services.auth.adapters.access_tokens import AccessTokens
from services.auth.adapters.keys import KeyRing
from services.auth.adapters.passwords import PasswordHashing
from services.auth.adapters.revoked import RevokedSessions
from services.auth.repository import AuthRepository
from services.auth.routes import operator_routes, routes
from services.auth.service import AuthService
from services.contracts.auth import AuthPort, Device, Register, SignedIn
from services.kit.cache import open_redis
from services.kit.clock import Clock, ManualClock
from services.kit.csrf import CsrfGuard
from services.kit.errors import Unauthenticated
from services.kit.ids import RandomIds
from services.kit.mongo import Mongo
from services.kit.outbox import Outbox
from services.kit.principal import Principal
from services.kit.tokens import TokenVerifier

PASSWORD = "correct horse battery"
LAPTOP = Device(ip="203.0.113.7", user_agent="Firefox")


class Postbox:
    """Takes the mail that auth asks for; a key is taken once. `trouble` is raised instead."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, str, dict[str, str]]] = []
        self.trouble: list[Exception] = []
        self._keys: set[str] = set()

    async def send_account_mail(self, user_id: str, template: str, data: dict[str, str], *, key: str) -> None:
        if self.trouble:
            raise self.trouble.pop()
        if key not in self._keys:
            self._keys.add(key)
            self.sent.append((user_id, template, data))

    def of(self, template: str) -> list[str]:
        return [user_id for user_id, kind, _ in self.sent if kind == template]


@dataclass
class Auth:
    """The service and what a test looks at beside it."""

    service: AuthService
    outbox: Outbox
    verifier: TokenVerifier
    keys: KeyRing
    mail: Postbox

    async def mailed(self, template: str) -> str:
        """The token of the last mail of this kind."""
        await self.service.send_requested_mail()
        data = [data for _, kind, data in self.mail.sent if kind == template][-1]
        return data["link"].partition("#token=")[2]

    async def user(self, user_id: str) -> dict[str, Any]:
        found = await self.outbox.database["users"].find_one({"_id": user_id})
        assert found is not None
        return found

    async def register(self, email: str = "asha@example.com", role: Any = "USER") -> SignedIn:
        command = Register(name="Asha Rao", email=email, password=PASSWORD, role=role)
        return await self.service.register(command, LAPTOP)

    def who(self, signed_in: SignedIn) -> Principal:
        return self.verifier.verify(signed_in.access_token)

    async def sessions(self) -> list[dict[str, Any]]:
        return await self.outbox.database["sessions"].find({}).to_list(None)

    async def events(self) -> list[tuple[str, dict[str, Any]]]:
        rows = await self.outbox.database["outbox"].find({}).to_list(None)
        return [(row["event"]["type"], row["event"]["data"]) for row in rows]


MakeAuth = Callable[..., Any]


@pytest.fixture
def make_auth(mongo: Mongo, redis: Any, clock: ManualClock, ids: RandomIds, tmp_path: Path) -> MakeAuth:
    async def make(*, time: Clock = clock, redis_client: Any = redis, **settings: Any) -> Auth:
        outbox = Outbox(mongo, "auth", ids, time)
        await outbox.prepare()
        repository = AuthRepository(outbox.database)
        await repository.prepare()
        keys = KeyRing(tmp_path / "keys", time)
        mail = Postbox()
        service = AuthService(
            repository,
            outbox,
            tokens=AccessTokens(keys, time),
            passwords=PasswordHashing(time_cost=1, memory_kib=8, parallelism=1),
            revoked=RevokedSessions(redis_client),
            mail=mail,
            ids=ids,
            clock=time,
            **settings,
        )
        return Auth(service, outbox, TokenVerifier(keys.public_keys, time), keys, mail)

    return make


@pytest.fixture
async def auth(make_auth: MakeAuth) -> Auth:
    return await make_auth()


@pytest.fixture
async def redis_away() -> AsyncIterator[Any]:
    """A client whose server is not there."""
    client = open_redis("redis://127.0.0.1:1/0")
    yield client
    await client.aclose()


@pytest.fixture
async def http(auth: Auth) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app=app_of(auth.service, auth))
    async with browser(transport) as client:
        yield client


def browser(transport: httpx.AsyncBaseTransport) -> httpx.AsyncClient:
    """A page of the shop: it sends the token of the readable cookie with whatever it does."""

    async def echo(request: httpx.Request) -> None:
        cookies = SimpleCookie(request.headers.get("cookie", ""))
        if "cohort_csrf" in cookies:
            request.headers.setdefault("X-CSRF-Token", cookies["cohort_csrf"].value)

    return httpx.AsyncClient(transport=transport, base_url="https://shop.example", event_hooks={"request": [echo]})


def app_of(service: AuthPort, auth: Auth) -> FastAPI:
    app = FastAPI()
    errors.install(app)

    async def authenticate(request: Request) -> Principal | None:
        header = request.headers.get("authorization")
        if header is None:
            return None
        who = auth.verifier.verify(header.removeprefix("Bearer "))
        if not await service.is_live(str(who.session_id)):
            raise Unauthenticated("the session has ended; log in again")
        return who

    app.state.authenticate = authenticate
    guard = CsrfGuard(b"c" * 32, allowed_origins=["https://pages.example"])
    router = routes(service, auth.keys.jwks, guard, secure_cookie=True)
    app.include_router(operator_routes(service))
    app.include_router(router)
    app.include_router(router, prefix="/v1")
    return app
