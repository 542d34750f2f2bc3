"""How much a caller may ask: token buckets in Redis, one for the user and one for the address, per class of route.

The table is the whole truth; docs/limits.md shows it to readers.
"""

import ipaddress
import math
import re
from dataclasses import dataclass
from typing import Any, Literal

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.errors import problem
from services.kit.cache import Allowance, RedisAway, TokenBucket
from services.kit.clock import Clock
from services.kit.errors import CohortError, RateLimited, Unauthenticated, Unavailable
from services.kit.log import get_logger
from services.kit.tokens import TokenVerifier

log = get_logger("limits")

Name = Literal["read", "write", "auth", "money", "chat"]


@dataclass(frozen=True)
class Rate:
    """`burst` at once, `per_minute` in the long run."""

    per_minute: int
    burst: int


@dataclass(frozen=True)
class RouteClass:
    """`open_when_away`: whether requests pass unlimited while Redis is away; else they get 503."""

    name: Name
    per_user: Rate
    per_address: Rate
    open_when_away: bool


TABLE = {
    route_class.name: route_class
    for route_class in (
        RouteClass("read", Rate(600, 200), Rate(1_800, 600), open_when_away=True),
        RouteClass("write", Rate(120, 60), Rate(600, 200), open_when_away=True),
        RouteClass("auth", Rate(20, 10), Rate(60, 30), open_when_away=False),
        RouteClass("money", Rate(60, 30), Rate(300, 100), open_when_away=False),
        RouteClass("chat", Rate(60, 30), Rate(300, 100), open_when_away=True),
    )
}

_UNLIMITED = re.compile(
    r"/(health|ready|metrics|docs|redoc|openapi\.json)?$|/(docs|media|sandbox|account)/|/payments/razorpay/webhook$"
)
_AUTH = re.compile(r"/auth/(login|register|password/\w+|email/verify|google|google/callback|users/me)$")
_MONEY = re.compile(r"/(orders|payments|seller/orders|seller/returns|admin/refunds)(/|$)")
_CHAT = re.compile(r"/(chat|seller/ask)(/|$)")
_SAFE = {"GET", "HEAD", "OPTIONS"}


def class_of(method: str, path: str) -> RouteClass | None:
    """The class of a route; None for what is never limited: health, documentation, Razorpay's signed webhooks."""
    path = path.removeprefix("/v1")
    if _UNLIMITED.match(path):
        return None
    if path.startswith("/auth/google") or (method not in {*_SAFE, "PATCH"} and _AUTH.match(path)):
        return TABLE["auth"]
    if method in _SAFE:
        return TABLE["read"]
    if _MONEY.match(path):
        return TABLE["money"]
    return TABLE["chat" if _CHAT.match(path) else "write"]


class RateLimits:
    """The middleware. `exempt_loopback` is for the demo, where one address is everybody."""

    def __init__(
        self, app: ASGIApp, *, redis: Any, clock: Clock, verifier: TokenVerifier, exempt_loopback: bool, name: str = ""
    ) -> None:
        self._app = app
        self._clock = clock
        self._verifier = verifier
        self._exempt_loopback = exempt_loopback
        self._users = {c.name: _bucket(redis, c.per_user, f"{name}{c.name}:user") for c in TABLE.values()}
        self._addresses = {c.name: _bucket(redis, c.per_address, f"{name}{c.name}:ip") for c in TABLE.values()}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        route_class = class_of(scope["method"], scope["path"]) if scope["type"] == "http" else None
        address = _address(scope)
        if route_class is None or (self._exempt_loopback and _is_loopback(address)):
            await self._app(scope, receive, send)
            return
        try:
            tightest = await self._draw(route_class, address, self._user(Headers(scope=scope)))
        except CohortError as error:
            await problem(error)(scope, receive, send)
            return
        if tightest is None or tightest.allowed:
            await self._app(scope, receive, _with_headers(send, tightest))
            return
        refusal = RateLimited("too many requests; slow down", retry_after=tightest.wait_seconds)
        await problem(refusal)(scope, receive, _with_headers(send, tightest))

    def _user(self, headers: Headers) -> str | None:
        """Whoever the access token names; a bad token is counted by its address alone and refused later."""
        scheme, _, token = headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            return None
        try:
            return self._verifier.verify(token.strip()).user_id
        except Unauthenticated:
            return None

    async def _draw(self, route_class: RouteClass, address: str, user: str | None) -> Allowance | None:
        """The tighter one of both buckets; None when nobody can tell and the class is open then."""
        now = self._clock.now().timestamp()
        try:
            by_address = await self._addresses[route_class.name].draw(_network(address), now)
            if user is None or not by_address.allowed:
                return by_address
            by_user = await self._users[route_class.name].draw(user, now)
        except RedisAway as error:
            log.warning("limits_away", error=repr(error))
            if route_class.open_when_away:
                return None
            raise Unavailable("limits cannot be checked right now; try again shortly", retry_after=5) from error
        return min(by_user, by_address, key=lambda allowance: (allowance.allowed, allowance.remaining))


def _bucket(redis: Any, rate: Rate, name: str) -> TokenBucket:
    return TokenBucket(redis, per_second=rate.per_minute / 60, burst=rate.burst, name=name)


def _with_headers(send: Send, allowance: Allowance | None) -> Send:
    async def sending(message: Message) -> None:
        if allowance and message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            headers["RateLimit-Limit"] = str(allowance.limit)
            headers["RateLimit-Remaining"] = str(allowance.remaining)
            headers["RateLimit-Reset"] = str(math.ceil(allowance.full_seconds))
        await send(message)

    return sending


def _address(scope: Scope) -> str:
    client = scope.get("client")
    return client[0] if client else ""


def _network(address: str) -> str:
    """A home has a whole /64 of IPv6, so that is what counts as one address."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return "unknown"
    return str(ipaddress.ip_network(f"{ip}/64", strict=False)) if ip.version == 6 else str(ip)


def _is_loopback(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False
