"""Cookies that authenticate: whether a request that brings one was meant by the page the user sees.

A cookie travels by itself, so it alone never authenticates a write. The page must also show that it can read our
answers: it sends a token as `X-CSRF-Token` that equals the readable cookie `cohort_csrf` and is signed for the very
session or guest the authenticating cookie names (a signed double submit). `Origin` and `Sec-Fetch-Site` are looked at
first, and a body must be JSON. Requests with an `Authorization` header need none of it.
"""

import hashlib
import hmac
import secrets
from collections.abc import Callable, Collection, Mapping

from services.kit.errors import Forbidden, Unsupported

CSRF_COOKIE = "cohort_csrf"
CSRF_HEADER = "x-csrf-token"
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


class OriginRefused(Forbidden):
    """A browser sent a cookie of ours from a page that is not ours."""

    code = "origin_refused"


class CsrfRefused(Forbidden):
    """A cookie alone does not authenticate a write: send the token of GET /auth/csrf as X-CSRF-Token."""

    code = "csrf_refused"


class CsrfGuard:
    """`allowed_origins` are scheme://host[:port] of our pages elsewhere; the request's own origin is always allowed."""

    def __init__(
        self,
        secret: bytes,
        *,
        allowed_origins: Collection[str] = (),
        secure: bool = True,
        nonce: Callable[[], str] = secrets.token_hex,
    ) -> None:
        self._secret = secret
        self._allowed_origins = frozenset(allowed_origins)
        self._secure = secure
        self._nonce = nonce

    def token(self, *subjects: str) -> str:
        """A token for each of these: session ids, guest ids. They become void with the subject, never before."""
        nonce = self._nonce()
        return ".".join([nonce, *(self._signature(nonce, subject) for subject in subjects if subject)])

    def cookie(self, token: str) -> str:
        """The Set-Cookie header: readable by our pages, sent by them only, gone with the browser."""
        flags = "; Secure" if self._secure else ""
        return f"{CSRF_COOKIE}={token}; Path=/; SameSite=Strict{flags}"

    def check_page(self, headers: Mapping[str, str], own_origin: str) -> None:
        """Programs name no page and pass. Raises OriginRefused."""
        origin = headers.get("origin")
        foreign = origin is not None and origin not in {*self._allowed_origins, own_origin}
        unnamed = origin is None and headers.get("sec-fetch-site") in {"cross-site", "same-site"}
        if foreign or unnamed:
            raise OriginRefused("this page may not use the cookies of the shop; its origin is not allowed")

    def check(self, headers: Mapping[str, str], cookies: Mapping[str, str], own_origin: str, subject: str) -> None:
        """Let a write pass that a cookie authenticates as `subject`. Raises OriginRefused, CsrfRefused, Unsupported."""
        self.check_page(headers, own_origin)
        kind = headers.get("content-type", "application/json").partition(";")[0].strip().lower()
        if kind != "application/json":
            raise Unsupported("with a cookie only application/json is taken")
        sent, kept = headers.get(CSRF_HEADER, ""), cookies.get(CSRF_COOKIE, "")
        same = hmac.compare_digest(sent.encode(), kept.encode())
        if not (sent and same and self._signed_for(sent, subject)):
            raise CsrfRefused("send the token of GET /auth/csrf as X-CSRF-Token, or Authorization: Bearer")

    def _signed_for(self, token: str, subject: str) -> bool:
        nonce, *signatures = token.split(".")
        wanted = self._signature(nonce, subject).encode()
        return any(hmac.compare_digest(signature.encode(), wanted) for signature in signatures[:4])

    def _signature(self, nonce: str, subject: str) -> str:
        return hmac.new(self._secret, f"{nonce}:{subject}".encode(), hashlib.sha256).hexdigest()
