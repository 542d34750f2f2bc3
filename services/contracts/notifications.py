"""What notifications promise."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any, Literal, Protocol

from services.kit.principal import Principal
from services.kit.wire import Page, Wire

Channel = Literal["email", "sms", "push", "in_app"]
Status = Literal["pending", "sent", "delivered", "failed", "read"]
AccountMail = Literal["password_reset", "verify_email", "password_changed"]


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


class AccountMailPort(Protocol):
    """Mail about the account itself, asked for by auth."""

    async def send_account_mail(self, user_id: str, template: AccountMail, data: dict[str, str], *, key: str) -> None:
        """Keep the mail and send it until it is sent or given up; the same `key` is one mail.

        `data` may hold secrets (a token): they are in the mail only, and no longer kept once it has left. An account
        that is gone gets nothing.
        """


class NotificationsPort(Protocol):
    async def mine(self, who: Principal, limit: int = 20, cursor: str | None = None) -> Page[NotificationView]:
        """In-app notifications, newest first."""

    async def read(self, who: Principal, notification_id: str) -> NotificationView:
        """Raises NotFound; repeatable."""
