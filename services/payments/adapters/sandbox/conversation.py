"""How a call is received and answered: authentication, bodies, errors and ordered faults."""

import asyncio
import base64
import binascii
import hmac
import json
import re
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any
from urllib.parse import parse_qsl

from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response

from services.payments.adapters.sandbox.entities import Entity
from services.payments.adapters.sandbox.errors import RazorpayError, key_missing, key_wrong, server_error
from services.payments.adapters.sandbox.faults import Call, Fault
from services.payments.adapters.sandbox.gateway import SandboxGateway
from services.payments.adapters.sandbox.store import StoreUnavailable

Handler = Callable[[Request], Coroutine[Any, Any, Response]]

_OWN_PATH = re.compile(r"/(v1|checkout)(/.*)?$")
_LARGEST_BODY = 256 * 1024
_HANGS_FOR = 300.0
_BAD_GATEWAY = (
    "<html><head><title>502 Bad Gateway</title></head><body><center><h1>502 Bad Gateway</h1></center></body></html>"
)


def route_class(gateway: SandboxGateway) -> type[APIRoute]:
    """Routes that fail as ordered and answer errors as Razorpay does."""

    class SandboxRoute(APIRoute):
        def get_route_handler(self) -> Handler:
            inner = super().get_route_handler()

            async def answer(request: Request) -> Response:
                return await _answer(gateway, inner, request)

            return answer

    return SandboxRoute


async def _answer(gateway: SandboxGateway, inner: Handler, request: Request) -> Response:
    fault = gateway.faults.take(Call(request.method, _own_path(request)))
    if fault and fault.before:
        return _broken(fault)
    response = await _plainly(inner, request)
    if fault is Fault.TIMEOUT_AFTER:
        await _hang(request)
    return _broken(fault) if fault else response


async def _plainly(inner: Callable[[Request], Awaitable[Response]], request: Request) -> Response:
    try:
        return await inner(request)
    except RazorpayError as error:
        return refusal(error)
    except StoreUnavailable:
        return refusal(server_error())


def refusal(error: RazorpayError) -> Response:
    headers = {"WWW-Authenticate": 'Basic realm="Razorpay"'} if error.status == 401 else None
    return JSONResponse(error.body(), error.status, headers)


def _broken(fault: Fault) -> Response:
    if fault in (Fault.ERROR_BEFORE, Fault.ERROR_AFTER):
        return refusal(server_error())
    return HTMLResponse(_BAD_GATEWAY, 504 if fault is Fault.TIMEOUT_AFTER else 502)


async def _hang(request: Request) -> None:
    """Until the caller hangs up."""
    try:
        async with asyncio.timeout(_HANGS_FOR):
            while (await request.receive())["type"] != "http.disconnect":
                pass
    except TimeoutError:
        return


def _own_path(request: Request) -> str:
    found = _OWN_PATH.search(request.url.path)
    return found.group(0) if found else request.url.path


async def read_body(request: Request) -> Entity:
    """A JSON object, or a form; anything else is Razorpay's bad request."""
    raw = await request.body()
    if len(raw) > _LARGEST_BODY:
        raise RazorpayError("The request is too large.", status=413)
    if request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
        return dict(parse_qsl(raw.decode(errors="replace")))
    try:
        body = json.loads(raw or b"{}")
        text = json.dumps(body, ensure_ascii=False)
        text.encode()
    except (ValueError, RecursionError) as error:
        raise RazorpayError.unplaced("The request body is not valid JSON.") from error
    if "\\u0000" in text:
        raise RazorpayError.unplaced("The request body holds characters that are not allowed.")
    if isinstance(body, list) and not body:
        return {}  # PHP's SDK sends an empty object so
    if not isinstance(body, dict):
        raise RazorpayError.unplaced("The request body must be an object.")
    return body


def check_keys(gateway: SandboxGateway, request: Request) -> None:
    """Basic authentication with key id and key secret."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic" or not token:
        raise key_missing()
    try:
        given = base64.b64decode(token, validate=True)
    except (binascii.Error, ValueError) as error:
        raise key_wrong() from error
    if not hmac.compare_digest(given, f"{gateway.key_id}:{gateway.key_secret}".encode()):
        raise key_wrong()
