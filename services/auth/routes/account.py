"""One's own account."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from services.auth.routes.cookies import AuthCookies
from services.contracts.auth import (
    AccountExport,
    AuthPort,
    DeleteAccount,
    FreshLoginRequired,
    LoginLocked,
    ProfilePatch,
    UserView,
    WrongPassword,
)
from services.kit.errors import NotFound, Unauthenticated, Unavailable
from services.kit.web import User, answer, problems


def add_account(router: APIRouter, auth: AuthPort, cookies: AuthCookies) -> None:
    _add_profile(router, auth)
    _add_leaving(router, auth, cookies)


def _add_profile(router: APIRouter, auth: AuthPort) -> None:
    @router.get("/me", response_model=UserView, responses=problems(Unauthenticated, NotFound))
    async def me(who: User) -> Response:
        """The caller's account."""
        return answer(await auth.me(who))

    @router.patch("/users/me", response_model=UserView, responses=problems(Unauthenticated, NotFound))
    async def update_me(who: User, patch: ProfilePatch) -> Response:
        """Change the caller's profile."""
        return answer(await auth.update_me(who, patch))


def _add_leaving(router: APIRouter, auth: AuthPort, cookies: AuthCookies) -> None:
    @router.get("/users/me/export", response_model=AccountExport, responses=problems(Unauthenticated, NotFound))
    async def export_me(who: User) -> Response:
        """All personal data kept of the caller's account: profile, addresses, sessions."""
        headers = {"Cache-Control": "no-store", "Content-Disposition": 'attachment; filename="account.json"'}
        return answer(await auth.export(who), headers=headers)

    @router.delete(
        "/users/me",
        status_code=204,
        response_class=Response,
        responses=problems(Unauthenticated, NotFound, WrongPassword, FreshLoginRequired, LoginLocked, Unavailable),
    )
    async def delete_me(request: Request, who: User, command: DeleteAccount) -> Response:
        """Delete the caller's account for good: personal data go, sessions end. Asks for the password again."""
        await auth.delete_account(who, command)
        response = Response(status_code=204)
        cookies.clear(request, response)
        return response
