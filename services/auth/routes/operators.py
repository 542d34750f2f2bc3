"""Accounts, as operators see them."""

from fastapi import APIRouter
from starlette.responses import Response

from services.contracts.auth import AuthPort, ManagedUser
from services.kit.errors import Forbidden, NotFound, Refused, Unauthenticated
from services.kit.web import Admin, Cursor, Limit, answer, problems
from services.kit.wire import Page


def operator_routes(auth: AuthPort) -> APIRouter:
    router = APIRouter(prefix="/admin/users", tags=["admin"])

    @router.get("", response_model=Page[ManagedUser], responses=problems(Unauthenticated, Forbidden))
    async def list_users(who: Admin, limit: Limit = 20, cursor: Cursor = None) -> Response:
        """All accounts, newest first."""
        return answer(await auth.users(who, limit, cursor))

    @router.post(
        "/{userId}/disable",
        response_model=ManagedUser,
        responses=problems(Unauthenticated, Forbidden, NotFound, Refused),
    )
    async def disable_user(who: Admin, userId: str) -> Response:  # noqa: N803 - the wire's name
        """Close an account: its sessions end and it cannot log in; repeatable."""
        return answer(await auth.disable_user(who, userId))

    @router.post(
        "/{userId}/enable", response_model=ManagedUser, responses=problems(Unauthenticated, Forbidden, NotFound)
    )
    async def enable_user(who: Admin, userId: str) -> Response:  # noqa: N803 - the wire's name
        """Let a closed account log in again; repeatable."""
        return answer(await auth.enable_user(who, userId))

    return router
