"""Who calls: a bearer token checked locally and against revocations, or a guest known by the signed cart cookie."""

from collections.abc import Awaitable, Callable

import structlog
from fastapi import Request

from api.guests import GUEST_COOKIE, GuestSigner
from services.kit import context
from services.kit.csrf import CSRF_COOKIE, SAFE_METHODS, CsrfGuard
from services.kit.errors import Unauthenticated
from services.kit.principal import Principal
from services.kit.tokens import TokenVerifier

_GUEST_PATHS = ("/cart", "/v1/cart")


class Authenticator:
    """Set as `app.state.authenticate`. A guest without a cookie gets one on the cart's routes.

    The guest's cookie alone never authenticates a write: see services/kit/csrf.py.
    """

    def __init__(
        self,
        verifier: TokenVerifier,
        is_live: Callable[[str], Awaitable[bool]],
        guests: GuestSigner,
        guard: CsrfGuard,
    ) -> None:
        self._verifier = verifier
        self._is_live = is_live
        self._guests = guests
        self._guard = guard

    async def __call__(self, request: Request) -> Principal | None:
        """None without credentials. Raises Unauthenticated for bad ones; OriginRefused, CsrfRefused and Unsupported
        for a guest's write that its page did not mean.
        """
        header = request.headers.get("authorization")
        who = await self.bearer(header) if header is not None else self._guest(request)
        if who is not None:
            structlog.contextvars.bind_contextvars(user=who.user_id)
        return who

    async def bearer(self, header: str) -> Principal:
        """The caller of an `Authorization: Bearer …` header."""
        scheme, _, token = header.partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise Unauthenticated("send Authorization: Bearer <access token>")
        who = self._verifier.verify(token.strip(), context.request_id.get())
        if who.session_id is None or not await self._is_live(who.session_id):
            raise Unauthenticated("this session has ended; log in again")
        return who

    def _guest(self, request: Request) -> Principal | None:
        guest_id = self._guests.verify(request.cookies.get(GUEST_COOKIE, ""))
        if guest_id is not None and request.method not in SAFE_METHODS:
            self._guard.check(request.headers, request.cookies, _origin(request), guest_id)
        if guest_id is None and request.url.path.startswith(_GUEST_PATHS):
            guest_id = self._new_guest(request)
        return None if guest_id is None else Principal(user_id=guest_id)

    def _new_guest(self, request: Request) -> str:
        """The answer brings the cookie, and a token to write with unless the browser holds one already."""
        guest_id, cookie = self._guests.issue()
        request.state.guest_cookie = cookie
        if CSRF_COOKIE not in request.cookies:
            request.state.csrf_cookie = self._guard.cookie(self._guard.token(guest_id))
        return guest_id

    def guest_of(self, request: Request) -> Principal | None:
        """The guest a cookie names, whoever is signed in."""
        guest_id = self._guests.verify(request.cookies.get(GUEST_COOKIE, ""))
        return None if guest_id is None else Principal(user_id=guest_id)


def _origin(request: Request) -> str:
    return f"{request.url.scheme}://{request.headers.get('host')}"
