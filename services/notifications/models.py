"""Notifications: which event tells whom what, and what is kept of it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, Protocol

from services.contracts.events import InventoryLow
from services.contracts.notifications import AccountMail, Channel, Kind, NotificationView, Status
from services.kit.events import Event
from services.kit.ids import named_id, user_id_of_seller

TEMPLATES = {
    "user.created": "welcome",
    "order.created": "order_placed",
    "order.confirmed": "order_confirmed",
    "order.cancelled": "order_cancelled",
    "order.expired": "order_expired",
    "order.shipped": "order_shipped",
    "order.delivered": "order_delivered",
    "payment.success": "payment_received",
    "payment.failed": "payment_failed",
    "payment.refunded": "refund",
    "inventory.low": "low_stock",
}
"""Event type → template. Other events tell nobody anything."""

KINDS: dict[str, Kind] = {
    "welcome": "account",
    "order_placed": "orders",
    "order_confirmed": "orders",
    "order_cancelled": "orders",
    "order_expired": "orders",
    "order_shipped": "delivery",
    "order_delivered": "delivery",
    "payment_received": "payments",
    "payment_failed": "payments",
    "refund": "payments",
    "low_stock": "stock",
}
"""Template → what a user switches on and off."""

CHANNELS: tuple[Channel, ...] = ("email", "sms", "push", "in_app")
ON_AT_FIRST: frozenset[Channel] = frozenset({"email", "in_app"})
LOCKED: frozenset[tuple[Channel, Kind]] = frozenset({("email", "account"), ("email", "payments")})
Choices = Mapping[tuple[Channel, Kind], bool]
"""What a user chose; the rest is as at first."""
Handover = Literal["sent", "delivered"]
"""Taken on its way, or known to be where it was to go."""

_SHOWN = (
    "order_id",
    "payment_id",
    "refund_id",
    "product_id",
    "variant_id",
    "status",
    "amount",
    "refunded",
    "available",
)


class MailAway(Exception):
    """The message could not be handed over now; later it may be. Its whole channel is taken to be away."""


class MailRefused(Exception):
    """This message will never be taken."""


@dataclass(frozen=True)
class Mail:
    """What a mailer sends. The same notification always has the same `message_id` (without brackets)."""

    message_id: str
    to_name: str
    to_email: str
    subject: str
    text: str
    html: str
    date: datetime


class Mailer(Protocol):
    async def send(self, mail: Mail) -> None:
        """Return when the mail is handed over. Raises MailAway, MailRefused."""


@dataclass(frozen=True)
class Sms:
    """`phone` is E.164."""

    message_id: str
    phone: str
    text: str
    date: datetime


class SmsSender(Protocol):
    async def send(self, sms: Sms) -> Handover:
        """Raises MailAway, MailRefused."""


@dataclass(frozen=True)
class PushMessage:
    """For all devices of a user; `data` lets the app open what it is about."""

    message_id: str
    user_id: str
    title: str
    text: str
    data: dict[str, Any]
    date: datetime


class PushSender(Protocol):
    async def send(self, message: PushMessage) -> Handover:
        """Raises MailAway, MailRefused."""


def is_on(choices: Choices, channel: Channel, kind: Kind) -> bool:
    return (channel, kind) in LOCKED or choices.get((channel, kind), channel in ON_AT_FIRST)


@dataclass(frozen=True)
class Rendered:
    """`short` is one sentence for the screen, `text` and `html` are the parts of a mail."""

    subject: str
    short: str
    text: str
    html: str


@dataclass(frozen=True)
class Notification:
    """One event told to one user on one channel. `due` is the next attempt while it is pending.

    The words of a `secret` one are forgotten as soon as it is sent or given up.
    """

    notification_id: str
    user_id: str
    channel: Channel
    template: str
    subject: str
    body: str
    html: str
    data: dict[str, Any]
    status: Status
    created_at: datetime
    due: datetime | None = None
    attempts: int = 0
    reason: str | None = None
    secret: bool = False
    read_at: datetime | None = None

    def view(self) -> NotificationView:
        return NotificationView(
            notification_id=self.notification_id,
            channel=self.channel,
            template=self.template,
            subject=self.subject,
            body=self.body,
            status=self.status,
            data=self.data,
            created_at=self.created_at,
            read_at=self.read_at,
        )


def recipient_of(event: Event) -> str:
    """The user an event is for: the seller of a product, else the one the event names."""
    if isinstance(event, InventoryLow):
        return user_id_of_seller(event.seller_id)
    return str(getattr(event, "user_id"))  # noqa: B009 - every other event of the table has it


def notifications_of(
    event_id: str, event: Event, rendered: Rendered, now: datetime, channels: Iterable[Channel]
) -> list[Notification]:
    """One for each channel, with ids that belong to event and channel; all but in-app ones wait to be sent."""
    return [_notification(event_id, event, rendered, channel, now) for channel in channels]


def _notification(event_id: str, event: Event, rendered: Rendered, channel: Channel, now: datetime) -> Notification:
    by_mail, waits = channel == "email", channel != "in_app"
    return Notification(
        notification_id=named_id("ntf", event_id, channel),
        user_id=recipient_of(event),
        channel=channel,
        template=TEMPLATES[event.TYPE],
        subject=rendered.subject,
        body=rendered.text if by_mail else rendered.short,
        html=rendered.html if by_mail else "",
        data=_shown(event),
        status="pending" if waits else "sent",
        created_at=now,
        due=now if waits else None,
    )


def account_mail_of(key: str, user_id: str, template: AccountMail, rendered: Rendered, now: datetime) -> Notification:
    """A mail that no event asked for; its id belongs to the key of the request."""
    return Notification(
        notification_id=named_id("ntf", key, "email"),
        user_id=user_id,
        channel="email",
        template=template,
        subject=rendered.subject,
        body=rendered.text,
        html=rendered.html,
        data={},
        status="pending",
        created_at=now,
        due=now,
        secret=True,
    )


def _shown(event: Event) -> dict[str, Any]:
    """What a client needs to link the notification to its subject."""
    facts = event.to_wire()
    names = {type(event).model_fields[name].alias or name for name in _SHOWN if name in type(event).model_fields}
    return {"event": event.TYPE, **{name: facts[name] for name in sorted(names)}}
