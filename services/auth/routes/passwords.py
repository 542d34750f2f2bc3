"""Passwords changed and forgotten, e-mail addresses confirmed."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from services.auth.routes.cookies import AuthCookies
from services.auth.routes.sessions import FromDevice
from services.contracts.auth import (
    AuthPort,
    ChangePassword,
    ForgotPassword,
    LinkRefused,
    LoginLocked,
    ResetPassword,
    VerifyEmail,
    WrongPassword,
)
from services.kit.csrf import OriginRefused
from services.kit.errors import NotFound, RateLimited, Unauthenticated, Unavailable
from services.kit.web import User, problems


def add_passwords(router: APIRouter, auth: AuthPort, cookies: AuthCookies) -> None:
    _add_known(router, auth)
    _add_forgotten(router, auth, cookies)


def _add_known(router: APIRouter, auth: AuthPort) -> None:
    @router.post(
        "/password/change",
        status_code=204,
        response_class=Response,
        responses=problems(Unauthenticated, NotFound, WrongPassword, LoginLocked, Unavailable),
    )
    async def change_password(who: User, command: ChangePassword) -> Response:
        """Set a new password; all other sessions of the account end."""
        await auth.change_password(who, command)
        return Response(status_code=204)

    @router.post("/email/verify", status_code=204, response_class=Response, responses=problems(LinkRefused))
    async def verify_email(command: VerifyEmail) -> Response:
        """Confirm an e-mail address with the token of the mailed link; it works once."""
        await auth.verify_email(command)
        return Response(status_code=204)


def _add_forgotten(router: APIRouter, auth: AuthPort, cookies: AuthCookies) -> None:
    @router.post(
        "/password/forgot",
        status_code=202,
        response_class=Response,
        responses=problems(OriginRefused, RateLimited, Unavailable),
    )
    async def forgot_password(request: Request, command: ForgotPassword, device: FromDevice) -> Response:
        """Mail a link for a new password, if the e-mail has an account; the answer is the same if not."""
        cookies.own_page(request)
        await auth.forgot_password(command, device)
        return Response(status_code=202)

    @router.post("/password/reset", status_code=204, response_class=Response, responses=problems(LinkRefused))
    async def reset_password(command: ResetPassword) -> Response:
        """Set a new password with the token of the mailed link; all sessions of the account end."""
        await auth.reset_password(command)
        return Response(status_code=204)
