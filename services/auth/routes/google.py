"""Sign-in by Google."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import RedirectResponse, Response

from services.auth.routes.cookies import GOOGLE, AuthCookies, new_browser_secret
from services.auth.routes.sessions import FromDevice, SignedInHook, signed_in
from services.contracts.auth import (
    AccountDisabled,
    AuthPort,
    EmailTaken,
    GoogleNotConfigured,
    GoogleRefused,
    SignedIn,
)
from services.kit.errors import Unavailable
from services.kit.web import problems

State = Annotated[str, Query(max_length=200)]
Code = Annotated[str | None, Query(max_length=2000)]


def add_google(
    router: APIRouter, auth: AuthPort, cookies: AuthCookies, on_signed_in: SignedInHook, return_url: str | None
) -> None:
    @router.get(
        "/google",
        status_code=302,
        response_class=Response,
        responses={302: {"description": "to Google"}, **problems(GoogleNotConfigured, Unavailable)},
    )
    async def begin_google(request: Request) -> Response:
        """Send the browser to Google."""
        browser = new_browser_secret()
        response = RedirectResponse(await auth.google_url(browser), 302, {"Cache-Control": "no-store"})
        cookies.begin_google(request, response, browser)
        return response

    @router.get(
        "/google/callback",
        response_model=SignedIn,
        responses={
            303: {"description": "signed in; to the storefront's page, when one is set"},
            **problems(GoogleNotConfigured, GoogleRefused, EmailTaken, AccountDisabled, Unavailable),
        },
    )
    async def end_google(request: Request, device: FromDevice, state: State = "", code: Code = None) -> Response:
        """Google sends the browser back here: logged in, as by POST /auth/login."""
        done = await auth.google_login(request.cookies.get(GOOGLE, ""), state, code, device)
        response = signed_in(request, cookies, done)
        if return_url:
            response = RedirectResponse(return_url, 303, {"Cache-Control": "no-store"})
            cookies.put(request, response, done.refresh_token)
        cookies.end_google(request, response)
        await on_signed_in(request, response, done)
        return response
