"""Every error leaves as RFC 9457 `application/problem+json` with a stable code and the request id."""

from typing import Any

import orjson
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from services.kit import context
from services.kit.errors import CohortError, Unavailable
from services.kit.log import get_logger
from services.kit.mongo import AWAY, database_away

log = get_logger("errors")

_CODES = {400: "bad_request", 401: "unauthenticated", 403: "forbidden", 404: "not_found", 405: "method_not_allowed"}


def install(app: FastAPI) -> None:
    """Give the app the handlers of every error there is."""
    app.add_exception_handler(CohortError, _cohort_error)
    app.add_exception_handler(RequestValidationError, _malformed)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(Exception, _unexpected)
    for away in AWAY:
        app.add_exception_handler(away, _database_away)


def problem(error: CohortError) -> Response:
    """The response an error stands for."""
    headers: dict[str, str] = {}
    if error.retry_after is not None:
        headers["Retry-After"] = str(error.retry_after)
    if error.replayed:
        headers["Idempotent-Replayed"] = "true"
    if error.status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    return _response(error.problem(context.request_id.get()), error.status, headers)


def _response(body: dict[str, Any], status: int, headers: dict[str, str] | None = None) -> Response:
    return Response(orjson.dumps(body), status, headers, "application/problem+json")


async def _cohort_error(_request: Request, error: Exception) -> Response:
    assert isinstance(error, CohortError)  # noqa: S101 - Starlette types handlers by Exception
    if error.status >= 500 and not isinstance(error, Unavailable):
        log.error("request_failed", code=error.code, error=error.message)
    return problem(error)


async def _database_away(_request: Request, _error: Exception) -> Response:
    return problem(database_away())


async def _malformed(_request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101
    found = [{"field": _field(e["loc"]), "reason": _reason(e)} for e in error.errors()]
    first = found[0] if found else {"field": "", "reason": "not valid"}
    body = {
        "type": "urn:cohort:error:invalid", "title": "invalid", "status": 422, "code": "invalid",
        "detail": f"{first['field']}: {first['reason']}" if first["field"] else first["reason"],
        "field": first["field"], "details": {"errors": found}, "requestId": context.request_id.get(),
    }  # fmt: skip
    return _response(body, 422)


def _field(location: tuple[int | str, ...]) -> str:
    return ".".join(str(part) for part in location if part not in {"body", "query", "path", "header"})


def _reason(error: dict[str, Any]) -> str:
    return str(error["msg"]).removeprefix("Value error, ")


async def _http(_request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101
    code = _CODES.get(error.status_code, "http_error")
    body = {
        "type": f"urn:cohort:error:{code}", "title": code.replace("_", " "), "status": error.status_code,
        "detail": str(error.detail), "code": code, "requestId": context.request_id.get(),
    }  # fmt: skip
    return _response(body, error.status_code, dict(error.headers or {}))


async def _unexpected(request: Request, error: Exception) -> Response:
    log.error("request_crashed", path=request.url.path, exc_info=error)
    body = {
        "type": "urn:cohort:error:internal", "title": "internal error", "status": 500, "code": "internal",
        "detail": "something broke on our side; the request id helps us find it", "requestId": context.request_id.get(),
    }  # fmt: skip
    return _response(body, 500)
