from fastapi import APIRouter
from starlette.responses import Response

from services.contracts.notifications import (
    Channel,
    NotificationPreferences,
    NotificationsPort,
    NotificationView,
    PreferenceLocked,
    PreferencesPatch,
    Status,
)
from services.kit.errors import NotFound, Unauthenticated
from services.kit.web import Cursor, Limit, User, answer, problems
from services.kit.wire import Page


def routes(notifications: NotificationsPort) -> APIRouter:
    router = APIRouter(prefix="/notifications", tags=["notifications"])

    @router.get("", response_model=Page[NotificationView], responses=problems(Unauthenticated))
    async def list_notifications(
        who: User,
        channel: Channel = "in_app",
        status: Status | None = None,
        limit: Limit = 20,
        cursor: Cursor = None,
    ) -> Response:
        """What the caller was told, in the app or on another channel, newest first, with its delivery status."""
        return answer(await notifications.mine(who, limit, cursor, channel=channel, status=status))

    @router.get("/preferences", response_model=NotificationPreferences, responses=problems(Unauthenticated))
    async def get_notification_preferences(who: User) -> Response:
        """What is sent on which channel, and what cannot be switched off."""
        return answer(await notifications.preferences(who))

    @router.patch(
        "/preferences", response_model=NotificationPreferences, responses=problems(Unauthenticated, PreferenceLocked)
    )
    async def change_notification_preferences(who: User, patch: PreferencesPatch) -> Response:
        """Switch kinds on and off by channel; mail about the account and about payments is always sent."""
        return answer(await notifications.change_preferences(who, patch))

    @router.post("/{id}/read", response_model=NotificationView, responses=problems(Unauthenticated, NotFound))
    async def read_notification(who: User, id: str) -> Response:  # noqa: A002 - the wire's name
        """Mark a notification as read; repeatable."""
        return answer(await notifications.read(who, id))

    return router
