"""What notifications promise."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any, Literal, Protocol

from services.kit.principal import Principal
from services.kit.wire import Page, Wire

Channel = Literal["email", "sms", "push", "in_app"]
Status = Literal["pending", "sent", "delivered", "failed", "read"]


class NotificationView(Wire):
    notification_id: str
    channel: Channel
    template: str
    subject: str
    body: str
    status: Status
    data: dict[str, Any] = {}
    created_at: datetime
    read_at: datetime | None = None


Push = Callable[[str, NotificationView], Awaitable[None]]
"""Told about each in-app notification: (user_id, notification). The chat sockets listen."""


class NotificationsPort(Protocol):
    async def mine(self, who: Principal, limit: int = 20, cursor: str | None = None) -> Page[NotificationView]:
        """In-app notifications, newest first."""

    async def read(self, who: Principal, notification_id: str) -> NotificationView:
        """Raises NotFound; repeatable."""
