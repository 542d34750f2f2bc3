"""Rate limits, security headers and CORS of the whole application."""

import asyncio
import itertools
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from api.limits import TABLE, RateLimits, class_of
from services.kit.cache import open_redis
from services.kit.clock import ManualClock
from services.kit.ids import RandomIds
from tests.security.conftest import World, bearer, register

AWAY_FROM_HOME = (f"198.51.100.{n}" for n in itertools.count(1))


@pytest.fixture
def address() -> str:
    """An address of the network that no other test has used."""
    return next(AWAY_FROM_HOME)


def limited(redis: Any, clock: ManualClock, world: World, ids: RandomIds, *, demo: bool = False) -> FastAPI:
    """An application of nothing but limits."""
    app = FastAPI()

    @app.api_route("/{path:path}", methods=["GET", "POST"])
    async def anything(path: str) -> str:
        return path

    app.add_middleware(
        RateLimits, redis=redis, clock=clock, verifier=world.container.verifier, exempt_loopback=demo,
        name=ids.new("lim"),
    )  # fmt: skip
    return app


def at(app: FastAPI, address: str) -> httpx.AsyncClient:
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(app=app, client=(address, 1)), base_url="http://shop.example"
    )


CLASSES = [
    ("GET", "/products", "read"), ("GET", "/orders/me", "read"), ("POST", "/cart/items", "write"),
    ("POST", "/auth/login", "auth"), ("POST", "/v1/auth/login", "auth"), ("POST", "/auth/password/forgot", "auth"),
    ("GET", "/auth/google", "auth"), ("DELETE", "/auth/users/me", "auth"), ("PATCH", "/auth/users/me", "write"),
    ("POST", "/auth/refresh", "write"), ("POST", "/orders", "money"), ("POST", "/orders/ord_1/cancel", "money"),
    ("POST", "/payments/verify", "money"), ("POST", "/seller/orders/ord_1/ship", "money"), ("POST", "/chat", "chat"),
    ("POST", "/seller/ask", "chat"), ("POST", "/payments/razorpay/webhook", None), ("GET", "/health", None),
]  # fmt: skip


@pytest.mark.parametrize(("method", "path", "name"), CLASSES)
def test_every_route_has_its_class(method: str, path: str, name: str | None):
    found = class_of(method, path)
    assert (found.name if found else None) == name


async def test_an_address_may_ask_its_burst_and_then_waits(world, redis, clock, ids, address: str):
    app = limited(redis, clock, world, ids)
    burst = TABLE["auth"].per_address.burst
    async with at(app, address) as client:
        answers = [await client.post("/auth/login") for _ in range(burst + 1)]
        assert [a.status_code for a in answers] == [200] * burst + [429]
        assert [int(a.headers["ratelimit-remaining"]) for a in answers[:burst]] == list(reversed(range(burst)))
        last = answers[-1]
        assert (last.json()["code"], last.headers["ratelimit-limit"]) == ("rate_limited", str(burst))
        assert (int(last.headers["retry-after"]), int(last.headers["ratelimit-reset"])) == (1, burst)
        assert (await client.get("/products")).status_code == 200
    async with at(app, "198.51.100.250") as other:
        assert (await other.post("/auth/login")).status_code == 200


async def test_of_a_hundred_requests_at_once_no_more_than_the_burst_pass(world, redis, clock, ids, address: str):
    async with at(limited(redis, clock, world, ids), address) as client:
        answers = await asyncio.gather(*(client.post("/auth/login") for _ in range(100)))
        assert [a.status_code for a in answers].count(200) == TABLE["auth"].per_address.burst


async def test_a_user_is_counted_from_whatever_address(world: World, redis, ids):
    clock = world.container.ground.clock
    app = limited(redis, clock, world, ids)
    async with world.client() as home:
        headers = bearer(await register(home))
    burst, statuses = TABLE["money"].per_user.burst, []
    for number in range(burst + 5):
        async with at(app, f"192.0.2.{number + 1}") as client:
            statuses.append((await client.post("/orders", headers=headers)).status_code)
    assert statuses[:burst] == [200] * burst
    assert 429 in statuses[burst:]


async def test_a_network_of_ipv6_is_one_address(world, redis, clock, ids):
    app = limited(redis, clock, world, ids)
    burst = TABLE["auth"].per_address.burst
    statuses = []
    for number in range(burst + 1):
        async with at(app, f"2001:db8:1:2::{number + 1:x}") as client:
            statuses.append((await client.post("/auth/login")).status_code)
    assert statuses == [200] * burst + [429]


@pytest.fixture
async def away() -> Any:
    client = open_redis("redis://127.0.0.1:1/0")
    yield client
    await client.aclose()


async def test_without_redis_reads_go_on_and_login_and_money_do_not(world, away, clock, ids, address: str):
    async with at(limited(away, clock, world, ids), address) as client:
        assert (await client.get("/products")).status_code == 200
        assert (await client.post("/cart/items")).status_code == 200
        for path in ("/auth/login", "/orders", "/payments/verify"):
            answer = await client.post(path)
            assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
            assert answer.headers["retry-after"] == "5"


async def test_the_demo_leaves_loopback_alone(world, redis, clock, ids):
    async with at(limited(redis, clock, world, ids, demo=True), "127.0.0.1") as client:
        answers = [await client.post("/auth/login") for _ in range(50)]
        assert {a.status_code for a in answers} == {200}
        assert "ratelimit-limit" not in answers[0].headers


async def test_the_application_says_its_limits_to_the_rest_of_the_world(world: World, address: str):
    async with world.client(address) as client:
        answer = await client.get("/products")
        assert answer.headers["ratelimit-limit"] == str(TABLE["read"].per_address.burst)


@pytest.fixture
def answered() -> dict[str, str]:
    return {"x-content-type-options": "nosniff", "x-frame-options": "DENY", "referrer-policy": "no-referrer"}


async def test_every_answer_has_security_headers_errors_too(world: World, answered: dict[str, str]):
    async with world.client() as client:
        for path in ("/products", "/nowhere", "/auth/me", "/health"):
            headers = (await client.get(path)).headers
            assert answered.items() <= dict(headers).items()
            assert headers["content-security-policy"].startswith("default-src 'none'")
            assert "server" not in headers


async def test_pages_elsewhere_may_call_only_if_they_are_on_the_list(world: World):
    asked = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "x-csrf-token,idempotency-key"}
    async with world.client() as client:
        ours = await client.options("/cart/items", headers={"Origin": "http://pages.example", **asked})
        assert ours.headers["access-control-allow-origin"] == "http://pages.example"
        assert ours.headers["access-control-allow-credentials"] == "true"
        theirs = await client.options("/cart/items", headers={"Origin": "https://evil.example", **asked})
        assert theirs.status_code == 400
        assert "access-control-allow-origin" not in theirs.headers
        read = await client.get("/health", headers={"Origin": "https://evil.example"})
        assert "access-control-allow-origin" not in read.headers
