"""What notifications promise."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any, Literal, Protocol

from services.kit.errors import Refused
from services.kit.principal import Principal
from services.kit.wire import Page, Wire

Channel = Literal["email", "sms", "push", "in_app"]
Status = Literal["pending", "sent", "delivered", "failed", "read"]
Kind = Literal["account", "orders", "delivery", "payments", "stock"]
"""account: welcome, links, password changes · orders: placed, confirmed, cancelled, expired · delivery: shipped,
delivered · payments: received, failed, refunded · stock: a product of the seller runs low."""
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


class PreferenceLocked(Refused):
    """Mail about the account and about money is always sent."""

    code = "preference_locked"


class Kinds(Wire):
    account: bool
    orders: bool
    delivery: bool
    payments: bool
    stock: bool


class NotificationPreferences(Wire):
    """What is sent where. `locked` names what cannot be switched off, as channel.kind."""

    email: Kinds
    sms: Kinds
    push: Kinds
    in_app: Kinds
    locked: tuple[str, ...]


class KindsPatch(Wire):
    account: bool | None = None
    orders: bool | None = None
    delivery: bool | None = None
    payments: bool | None = None
    stock: bool | None = None


class PreferencesPatch(Wire):
    """What is left out stays as it is."""

    email: KindsPatch = KindsPatch()
    sms: KindsPatch = KindsPatch()
    push: KindsPatch = KindsPatch()
    in_app: KindsPatch = KindsPatch()


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
    async def mine(
        self,
        who: Principal,
        limit: int = 20,
        cursor: str | None = None,
        *,
        channel: Channel = "in_app",
        status: Status | None = None,
    ) -> Page[NotificationView]:
        """What was told on a channel, newest first, without mail that holds secrets. Raises Invalid."""

    async def read(self, who: Principal, notification_id: str) -> NotificationView:
        """Raises NotFound; repeatable."""

    async def preferences(self, who: Principal) -> NotificationPreferences: ...

    async def change_preferences(self, who: Principal, patch: PreferencesPatch) -> NotificationPreferences:
        """Raises PreferenceLocked."""
