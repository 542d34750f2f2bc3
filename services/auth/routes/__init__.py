"""The routes of auth.

The refresh token travels in the cookie `cohort_refresh` alone. Where that cookie is what authenticates (refresh, and
logout without an access token) the request must come from this very origin or one of the allow-list, and show the
token of GET /auth/csrf. Everything else is authenticated by `Authorization: Bearer`.
"""

from collections.abc import Callable
from typing import Any

import orjson
from fastapi import APIRouter
from starlette.responses import Response

from services.auth.routes.account import add_account
from services.auth.routes.addresses import add_addresses
from services.auth.routes.cookies import AuthCookies, GuestOf, no_guest
from services.auth.routes.google import add_google
from services.auth.routes.operators import operator_routes
from services.auth.routes.passwords import add_passwords
from services.auth.routes.sessions import SignedInHook, add_sessions, nothing_more
from services.contracts.auth import AuthPort
from services.kit.csrf import CsrfGuard
from services.kit.wire import Wire

__all__ = ["SignedInHook", "operator_routes", "routes"]


class JsonWebKey(Wire):
    kty: str
    crv: str
    x: str
    kid: str
    use: str
    alg: str


class JsonWebKeySet(Wire):
    keys: list[JsonWebKey]


def routes(
    auth: AuthPort,
    jwks: Callable[[], dict[str, Any]],
    guard: CsrfGuard,
    *,
    secure_cookie: bool,
    session_days: int = 30,
    on_signed_in: SignedInHook = nothing_more,
    guest_of: GuestOf = no_guest,
    google_return_url: str | None = None,
) -> APIRouter:
    """`jwks` gives the public signing keys. After a sign-in by Google the browser goes to `google_return_url`."""
    cookies = AuthCookies(guard, secure=secure_cookie, days=session_days, guest_of=guest_of)
    router = APIRouter(prefix="/auth", tags=["auth"])
    add_sessions(router, auth, cookies, on_signed_in)
    add_passwords(router, auth, cookies)
    add_account(router, auth, cookies)
    add_addresses(router, auth)
    add_google(router, auth, cookies, on_signed_in, google_return_url)
    _add_keys(router, jwks)
    return router


def _add_keys(router: APIRouter, jwks: Callable[[], dict[str, Any]]) -> None:
    @router.get("/.well-known/jwks.json", response_model=JsonWebKeySet)
    async def jwks_json() -> Response:
        """The public keys that access tokens are signed with."""
        headers = {"Cache-Control": "public, max-age=300"}
        return Response(orjson.dumps(jwks()), 200, headers, "application/json")
