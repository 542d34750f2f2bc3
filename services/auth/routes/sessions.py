"""Coming in, staying in, leaving."""

from collections.abc import Awaitable, Callable
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from services.auth.routes.cookies import AuthCookies
from services.contracts.auth import (
    AccountDisabled,
    AuthPort,
    BadCredentials,
    Device,
    EmailTaken,
    Login,
    LoginLocked,
    RefreshRefused,
    Register,
    SessionView,
    SignedIn,
)
from services.kit.csrf import CsrfRefused, OriginRefused
from services.kit.errors import NotFound, RateLimited, Unauthenticated, Unavailable, Unsupported
from services.kit.principal import Principal
from services.kit.web import User, answer, optional_caller, problems
from services.kit.wire import Page, Wire

SignedInHook = Callable[[Request, Response, SignedIn], Awaitable[None]]
"""Called after login and registration, before the answer leaves (e.g. to merge a guest's cart)."""


class CsrfToken(Wire):
    """Send it as `X-CSRF-Token` with every write that a cookie authenticates."""

    csrf_token: str


async def nothing_more(_request: Request, _response: Response, _signed_in: SignedIn) -> None:
    """The hook of a process that adds nothing to a login."""


def device_of(request: Request) -> Device:
    ip = request.client.host if request.client else ""
    return Device(ip=ip, user_agent=request.headers.get("user-agent", "")[:400])


async def leaving(request: Request) -> Principal | None:
    """Whoever logs out: credentials that ended already are nobody's, not an error."""
    if "authorization" not in request.headers:
        return None
    try:
        return await optional_caller(request)
    except Unauthenticated:
        return None


FromDevice = Annotated[Device, Depends(device_of)]
Leaving = Annotated[Principal | None, Depends(leaving)]


def signed_in(request: Request, cookies: AuthCookies, done: SignedIn, status: int = 200) -> Response:
    response = answer(done, status, {"Cache-Control": "no-store"})
    cookies.put(request, response, done.refresh_token)
    return response


def add_sessions(router: APIRouter, auth: AuthPort, cookies: AuthCookies, on_signed_in: SignedInHook) -> None:
    _add_entrances(router, auth, cookies, on_signed_in)
    _add_cookie_routes(router, auth, cookies)
    _add_devices(router, auth, cookies)


def _add_entrances(router: APIRouter, auth: AuthPort, cookies: AuthCookies, on_signed_in: SignedInHook) -> None:
    @router.post(
        "/register",
        status_code=201,
        response_model=SignedIn,
        responses=problems(EmailTaken, OriginRefused, RateLimited, Unavailable),
    )
    async def register(request: Request, command: Register, device: FromDevice) -> Response:
        """Create an account and log it in."""
        cookies.own_page(request)
        done = await auth.register(command, device)
        response = signed_in(request, cookies, done, 201)
        await on_signed_in(request, response, done)
        return response

    @router.post(
        "/login",
        response_model=SignedIn,
        responses=problems(BadCredentials, AccountDisabled, OriginRefused, LoginLocked, RateLimited, Unavailable),
    )
    async def login(request: Request, command: Login, device: FromDevice) -> Response:
        """Get an access token in the body and a refresh token in a cookie."""
        cookies.own_page(request)
        done = await auth.login(command, device)
        response = signed_in(request, cookies, done)
        await on_signed_in(request, response, done)
        return response


def _add_cookie_routes(router: APIRouter, auth: AuthPort, cookies: AuthCookies) -> None:
    @router.get("/csrf", response_model=CsrfToken)
    async def get_csrf_token(request: Request) -> Response:
        """A token for the session and the guest of this browser's cookies; the cookie cohort_csrf holds it too."""
        response = Response(headers={"Cache-Control": "no-store"}, media_type="application/json")
        token = cookies.put_csrf(request, response, cookies.read(request))
        response.body = CsrfToken(csrf_token=token).to_json()
        response.headers["content-length"] = str(len(response.body))
        return response

    @router.post(
        "/refresh",
        response_model=SignedIn,
        responses=problems(RefreshRefused, OriginRefused, CsrfRefused, Unsupported),
    )
    async def refresh(request: Request, device: FromDevice) -> Response:
        """Trade the refresh cookie for a new access token and a new cookie; each cookie works once."""
        token = cookies.read(request)
        if token is None:
            raise RefreshRefused("there is no session cookie; log in")
        cookies.meant(request, token)
        return signed_in(request, cookies, await auth.refresh(token, device))

    @router.post(
        "/logout",
        status_code=204,
        response_class=Response,
        responses=problems(OriginRefused, CsrfRefused, Unsupported),
    )
    async def logout(request: Request, who: Leaving) -> Response:
        """End the session of the access token and of the cookie; repeatable."""
        token = cookies.read(request)
        if token is not None and who is None:
            cookies.meant(request, token)
        await auth.logout(token, who)
        response = Response(status_code=204)
        cookies.clear(request, response)
        return response


def _add_devices(router: APIRouter, auth: AuthPort, cookies: AuthCookies) -> None:
    @router.post("/logout-all", status_code=204, response_class=Response, responses=problems(Unauthenticated))
    async def logout_all(request: Request, who: User) -> Response:
        """End every session of the caller's account, this one too; repeatable."""
        await auth.logout_all(who)
        response = Response(status_code=204)
        cookies.clear(request, response)
        return response

    @router.get("/sessions", response_model=Page[SessionView], responses=problems(Unauthenticated))
    async def list_sessions(who: User) -> Response:
        """The devices the caller's account is logged in on, last used first."""
        return answer(Page[SessionView](items=await auth.sessions(who)))

    @router.delete(
        "/sessions/{sessionId}",
        status_code=204,
        response_class=Response,
        responses=problems(Unauthenticated, NotFound),
    )
    async def end_session(who: User, sessionId: str) -> Response:  # noqa: N803 - the wire's name
        """Log a device out."""
        await auth.end_session(who, sessionId)
        return Response(status_code=204)
