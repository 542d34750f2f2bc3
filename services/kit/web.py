"""What routes share: who calls, the Idempotency-Key, answers and documented errors."""

from collections.abc import Awaitable, Callable
from typing import Annotated, Any

from fastapi import Depends, Header, Query, Request
from starlette.responses import Response

from services.kit.errors import CohortError, Forbidden, IdempotencyKeyRequired, Invalid, Unauthenticated
from services.kit.idempotency import CommandKey, body_hash
from services.kit.principal import Principal
from services.kit.wire import Replayable, Wire

Authenticate = Callable[[Request], Awaitable[Principal | None]]
"""Set by the process as `app.state.authenticate`: the bearer's principal, a guest's, or None without credentials."""


async def optional_caller(request: Request) -> Principal | None:
    authenticate: Authenticate = request.app.state.authenticate
    return await authenticate(request)


async def any_caller(request: Request) -> Principal:
    """A user or a guest."""
    who = await optional_caller(request)
    if who is None:
        raise Unauthenticated("this needs an access token (Authorization: Bearer …)")
    return who


async def signed_in(request: Request) -> Principal:
    who = await any_caller(request)
    if who.is_guest:
        raise Unauthenticated("this needs an account; log in first")
    return who


def with_role(role: str) -> Callable[[Request], Awaitable[Principal]]:
    async def caller(request: Request) -> Principal:
        who = await signed_in(request)
        if role not in who.roles:
            raise Forbidden(f"this is for accounts with the role {role}")
        return who

    return caller


Visitor = Annotated[Principal | None, Depends(optional_caller)]
Caller = Annotated[Principal, Depends(any_caller)]
User = Annotated[Principal, Depends(signed_in)]
Seller = Annotated[Principal, Depends(with_role("seller"))]
Admin = Annotated[Principal, Depends(with_role("admin"))]

KeyHeader = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=255,
        description="Makes a repeat safe: same key and body, same answer.",
    ),
]
Limit = Annotated[int, Query(ge=1, le=100)]
Cursor = Annotated[str | None, Query(max_length=512)]


async def command_key_of(request: Request, who: Principal, key: str | None) -> CommandKey | None:
    """The key with its scope (caller and route) and the hash of path, query and raw body."""
    if key is None:
        return None
    route = request.scope["route"].path
    path = request.url.path.removeprefix("/v1")
    raw = b"\n".join([path.encode(), request.url.query.encode(), await request.body()])
    return CommandKey(scope=f"{who.user_id}:{request.method}:{route}", key=key, body_hash=body_hash(raw))


async def required_key(request: Request, who: User, key: KeyHeader = None) -> CommandKey:
    found = await command_key_of(request, who, key)
    if found is None:
        raise IdempotencyKeyRequired("send an Idempotency-Key header (any unique string, kept on retries)")
    return found


async def optional_key(request: Request, who: Caller, key: KeyHeader = None) -> CommandKey | None:
    return await command_key_of(request, who, key)


RequiredKey = Annotated[CommandKey, Depends(required_key)]
OptionalKey = Annotated[CommandKey | None, Depends(optional_key)]


def answer(view: Wire, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """The view as JSON bytes; a replayed one says so in a header."""
    extra = dict(headers or {})
    if isinstance(view, Replayable) and view.replayed:
        extra["Idempotent-Replayed"] = "true"
    return Response(view.to_json(), status, extra, "application/json")


class Problem(Wire):
    """RFC 9457 problem details with a stable `code`."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    field: str | None = None
    details: dict[str, Any] | None = None
    request_id: str | None = None


def problems(*classes: type[CohortError]) -> dict[int | str, dict[str, Any]]:
    """OpenAPI `responses` for the errors a route may give, besides 422 for a malformed request."""
    by_status: dict[int | str, list[str]] = {422: [Invalid.code]}
    for cls in classes:
        by_status.setdefault(cls.status, []).append(cls.code)
    return {
        status: {
            "description": ", ".join(sorted(set(codes))),
            "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
        }
        for status, codes in by_status.items()
    }
