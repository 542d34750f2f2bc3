"""The cookies of auth: what each is for, where it goes, and when a request that brings one is believed."""

import secrets
from collections.abc import Callable

from fastapi import Request
from starlette.responses import Response

from services.auth.models import RefreshToken
from services.kit.csrf import CsrfGuard

REFRESH = "cohort_refresh"
GOOGLE = "cohort_google"
GOOGLE_SECONDS = 10 * 60

GuestOf = Callable[[Request], str | None]
"""The guest that a request's cart cookie names."""


def no_guest(_request: Request) -> str | None:
    """For a process without guests."""
    return None


class AuthCookies:
    """`cohort_refresh` is httpOnly, SameSite=Strict and goes to these routes only; `cohort_csrf` is readable.

    `cohort_google` holds the browser's secret of one sign-in by Google; it must survive Google's redirect, hence Lax.
    """

    def __init__(self, guard: CsrfGuard, *, secure: bool, days: int, guest_of: GuestOf = no_guest) -> None:
        self._guard = guard
        self._secure = secure
        self._seconds = days * 24 * 3600
        self._guest_of = guest_of

    def read(self, request: Request) -> str | None:
        """The refresh token; it only names the session, and `meant` tells whether it may be used."""
        return request.cookies.get(REFRESH)

    def meant(self, request: Request, token: str) -> None:
        """Raises OriginRefused, CsrfRefused, Unsupported."""
        self._guard.check(request.headers, request.cookies, _origin(request), _session_id(token))

    def own_page(self, request: Request) -> None:
        """Raises OriginRefused when a browser names a page that is not ours."""
        self._guard.check_page(request.headers, _origin(request))

    def put(self, request: Request, response: Response, token: str) -> None:
        response.set_cookie(
            REFRESH, token, max_age=self._seconds, path=_path(request), secure=self._secure, httponly=True,
            samesite="strict",
        )  # fmt: skip
        self.put_csrf(request, response, token)

    def put_csrf(self, request: Request, response: Response, token: str | None) -> str:
        """A token for the session and the guest of this browser; returns it."""
        csrf = self._guard.token(_session_id(token or ""), self._guest_of(request) or "")
        response.headers.append("set-cookie", self._guard.cookie(csrf))
        return csrf

    def clear(self, request: Request, response: Response) -> None:
        response.delete_cookie(REFRESH, path=_path(request), secure=self._secure, httponly=True, samesite="strict")

    def begin_google(self, request: Request, response: Response, browser: str) -> None:
        response.set_cookie(
            GOOGLE, browser, max_age=GOOGLE_SECONDS, path=_path(request), secure=self._secure, httponly=True,
            samesite="lax",
        )  # fmt: skip

    def end_google(self, request: Request, response: Response) -> None:
        response.delete_cookie(GOOGLE, path=_path(request), secure=self._secure, httponly=True, samesite="lax")


def new_browser_secret() -> str:
    return secrets.token_urlsafe(32)


def _session_id(token: str) -> str:
    found = RefreshToken.parse(token)
    return found.session_id if found else ""


def _origin(request: Request) -> str:
    return f"{request.url.scheme}://{request.headers.get('host')}"


def _path(request: Request) -> str:
    """The folder of these routes, under whatever prefix they were called."""
    return request.url.path.partition("/auth/")[0] + "/auth"
