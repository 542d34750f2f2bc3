"""What every HTTP request passes: request id, body limit, security headers, access log."""

import re
import time
import uuid
from fnmatch import fnmatchcase

import structlog
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.errors import problem
from api.guests import guest_cookie
from services.kit import context
from services.kit.errors import TooLarge
from services.kit.log import get_logger

_REQUEST_ID = re.compile(r"^[A-Za-z0-9_.-]{8,128}$")
_TRACEPARENT = re.compile(r"^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$")
_SECURITY_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=()",
}
_NOTHING_RUNS = "default-src 'none'; frame-ancestors 'none'"
_PAGES = ("/docs", "/redoc", "/account/")  # these bring scripts and say themselves which
_ONE_YEAR = "max-age=31536000; includeSubDomains"
_QUIET = {"/health", "/ready", "/metrics"}
MAX_BODY = 1_048_576
log = get_logger("access")


class RequestContext:
    """Accepts or makes `x-request-id`, and puts it into the logs, the events and the answer."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in {"http", "websocket"}:
            await self._app(scope, receive, send)
            return
        headers = dict(scope["headers"])
        request_id = _valid(_REQUEST_ID, headers.get(b"x-request-id")) or f"req_{uuid.uuid4().hex}"
        context.request_id.set(request_id)
        context.traceparent.set(_valid(_TRACEPARENT, headers.get(b"traceparent")))
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=request_id)
        if scope["type"] == "websocket":
            await self._app(scope, receive, send)
            return
        await self._http(scope, receive, send, request_id)

    async def _http(self, scope: Scope, receive: Receive, send: Send, request_id: str) -> None:
        started = time.perf_counter()
        status = 500

        async def with_headers(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                headers["x-request-id"] = request_id
                for name, value in _SECURITY_HEADERS.items():
                    headers.setdefault(name, value)
                if not scope["path"].startswith(_PAGES):
                    headers.setdefault("Content-Security-Policy", _NOTHING_RUNS)
                if scope["scheme"] == "https":
                    headers.setdefault("Strict-Transport-Security", _ONE_YEAR)
                state = scope.get("state", {})
                if guest := state.get("guest_cookie"):
                    headers.append("set-cookie", guest_cookie(guest, secure=scope["scheme"] == "https"))
                if csrf := state.get("csrf_cookie"):
                    headers.append("set-cookie", csrf)
            await send(message)

        try:
            await self._app(scope, receive, with_headers)
        finally:
            if scope["path"] not in _QUIET:
                ms = round((time.perf_counter() - started) * 1000, 1)
                log.info("request", method=scope["method"], path=scope["path"], status=status, ms=ms)


class BodyLimit:
    """Refuses bodies over a megabyte with 413; `larger` has patterns of paths with an allowance of their own."""

    def __init__(self, app: ASGIApp, limit: int = MAX_BODY, larger: dict[str, int] | None = None) -> None:
        self._app = app
        self._limit = limit
        self._larger = larger or {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        limit = self._limit_of(scope["path"].removeprefix("/v1"))
        length = dict(scope["headers"]).get(b"content-length", b"0")
        if length.isdigit() and int(length) > limit:
            await problem(_too_large(limit))(scope, receive, send)
            return
        await self._app(scope, _counted(receive, limit), send)

    def _limit_of(self, path: str) -> int:
        return next((n for pattern, n in self._larger.items() if fnmatchcase(path, pattern)), self._limit)


def _counted(receive: Receive, limit: int) -> Receive:
    seen = 0

    async def counting() -> Message:
        nonlocal seen
        message = await receive()
        seen += len(message.get("body", b""))
        if seen > limit:
            raise _too_large(limit)
        return message

    return counting


def _too_large(limit: int) -> TooLarge:
    return TooLarge(f"the body is larger than {limit} bytes")


def _valid(pattern: re.Pattern[str], raw: bytes | None) -> str | None:
    text = raw.decode("latin-1") if raw else ""
    return text if pattern.match(text) else None
