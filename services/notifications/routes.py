from fastapi import APIRouter
from starlette.responses import Response

from services.contracts.notifications import NotificationsPort, NotificationView
from services.kit.errors import NotFound, Unauthenticated
from services.kit.web import Cursor, Limit, User, answer, problems
from services.kit.wire import Page


def routes(notifications: NotificationsPort) -> APIRouter:
    router = APIRouter(prefix="/notifications", tags=["notifications"])

    @router.get("", response_model=Page[NotificationView], responses=problems(Unauthenticated))
    async def list_notifications(who: User, limit: Limit = 20, cursor: Cursor = None) -> Response:
        """The caller's notifications in the app, newest first."""
        return answer(await notifications.mine(who, limit, cursor))

    @router.post("/{id}/read", response_model=NotificationView, responses=problems(Unauthenticated, NotFound))
    async def read_notification(who: User, id: str) -> Response:  # noqa: A002 - the wire's name
        """Mark a notification as read; repeatable."""
        return answer(await notifications.read(who, id))

    return router
