"""Who calls: a bearer token checked locally and against revocations, or a guest known by the signed cart cookie."""

from collections.abc import Awaitable, Callable

import structlog
from fastapi import Request

from api.guests import GUEST_COOKIE, GuestSigner
from services.kit import context
from services.kit.errors import Unauthenticated
from services.kit.principal import Principal
from services.kit.tokens import TokenVerifier

_GUEST_PATHS = ("/cart", "/v1/cart")


class Authenticator:
    """Set as `app.state.authenticate`. A guest without a cookie gets one on the cart's routes."""

    def __init__(self, verifier: TokenVerifier, is_live: Callable[[str], Awaitable[bool]], guests: GuestSigner) -> None:
        self._verifier = verifier
        self._is_live = is_live
        self._guests = guests

    async def __call__(self, request: Request) -> Principal | None:
        """None without credentials. Raises Unauthenticated for bad ones."""
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
        if guest_id is None and request.url.path.startswith(_GUEST_PATHS):
            guest_id, cookie = self._guests.issue()
            request.state.guest_cookie = cookie
        return None if guest_id is None else Principal(user_id=guest_id)

    def guest_of(self, request: Request) -> Principal | None:
        """The guest a cookie names, whoever is signed in."""
        guest_id = self._guests.verify(request.cookies.get(GUEST_COOKIE, ""))
        return None if guest_id is None else Principal(user_id=guest_id)
