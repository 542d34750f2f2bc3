"""Tells users what happened: kept with the event's claim, then sent until it is sent or given up."""

from collections.abc import Sequence
from datetime import datetime

from services.contracts.auth import AuthPort
from services.contracts.events import REGISTRY
from services.contracts.notifications import (
    AccountMail,
    AccountMailPort,
    Channel,
    NotificationPreferences,
    NotificationsPort,
    NotificationView,
    PreferencesPatch,
    Push,
    Status,
)
from services.kit.clock import Clock
from services.kit.errors import Invalid, NotFound
from services.kit.events import Envelope
from services.kit.faults import NO_CRASHES, CrashPoints
from services.kit.inbox import Inbox
from services.kit.log import get_logger
from services.kit.outbox import Unit
from services.kit.principal import Principal
from services.kit.wire import Page
from services.notifications.adapters.templates import Templates
from services.notifications.models import (
    TEMPLATES,
    Mailer,
    Notification,
    PushSender,
    SmsSender,
    account_mail_of,
    notifications_of,
    recipient_of,
)
from services.notifications.repository import NotificationRepository
from services.notifications.service.delivering import Delivery
from services.notifications.service.preferences import Preferences

log = get_logger("notifications")

_MINUTE, _HOUR = 60.0, 3600.0
RETRY_DELAYS = (30.0, 2 * _MINUTE, 10 * _MINUTE, _HOUR, 4 * _HOUR, 12 * _HOUR, 24 * _HOUR)
_MONTHS_AT_ONCE = (1, 2, 3, 6, 12)


async def nobody_listens(_user_id: str, _notification: NotificationView) -> None:
    """The push of a process without open sockets."""


class NotificationsService(NotificationsPort, AccountMailPort):
    """`retry_delays` are the seconds before each further attempt at a message; after the last it has failed.

    Without `texts` or `devices` nothing is told by SMS or push. `push` reaches the open chat sockets.

    `lease_seconds` is how long an attempt has before another may begin: longer than the mailer's time limit.
    """

    def __init__(
        self,
        repository: NotificationRepository,
        inbox: Inbox,
        *,
        auth: AuthPort,
        mailer: Mailer,
        texts: SmsSender | None = None,
        devices: PushSender | None = None,
        templates: Templates,
        clock: Clock,
        push: Push = nobody_listens,
        crash: CrashPoints = NO_CRASHES,
        mail_domain: str = "cohort.example",
        retry_delays: Sequence[float] = RETRY_DELAYS,
        lease_seconds: float = 60.0,
    ) -> None:
        self._repository = repository
        self._inbox = inbox
        self._templates = templates
        self._clock = clock
        self._push = push
        self._crash = crash
        self._delivery = Delivery(
            repository, auth=auth, mailer=mailer, texts=texts, devices=devices, clock=clock, crash=crash,
            mail_domain=mail_domain, retry_delays=retry_delays, lease_seconds=lease_seconds,
        )  # fmt: skip
        self._preferences = Preferences(repository, self._delivery.channels)

    async def tell(self, envelope: Envelope) -> None:
        """Keep what this event has to say, once; then show it and send it."""
        made = await self._written(envelope)
        self._crash.reach("notifications.written")
        for notification in made:
            if notification.channel == "in_app":
                await self._show(notification)
            else:
                await self._delivery.deliver(notification)

    async def send_account_mail(self, user_id: str, template: AccountMail, data: dict[str, str], *, key: str) -> None:
        contact = await self._delivery.find_contact(user_id)
        if contact is None:
            return
        rendered = self._templates.render_account(template, contact.name, data)
        mail = account_mail_of(key, user_id, template, rendered, self._clock.now())
        if await self._repository.add_once(mail):
            await self._delivery.deliver(mail)

    async def _written(self, envelope: Envelope) -> list[Notification]:
        """Nothing when the event was told before, tells nobody anything, or its account is gone."""
        if envelope.type not in TEMPLATES:
            return []
        event = REGISTRY[envelope.type].from_wire(envelope.data)
        contact = await self._delivery.find_contact(recipient_of(event))
        if contact is None:
            return []
        rendered = self._templates.render(event, contact.name)
        channels = await self._preferences.channels_for(contact.user_id, TEMPLATES[event.TYPE])
        reachable = [channel for channel in channels if channel != "sms" or contact.phone]
        made = notifications_of(envelope.id, event, rendered, self._clock.now(), reachable)
        if not made:
            return []

        async def effect(unit: Unit) -> None:
            await self._repository.add(made, unit)

        return made if await self._inbox.once(envelope, effect) else []

    async def _show(self, notification: Notification) -> None:
        try:
            await self._push(notification.user_id, notification.view())
        except Exception as error:  # noqa: BLE001 - a broken socket must not hold up the mail; the list has it anyway
            log.warning("push_failed", notification=notification.notification_id, error=repr(error))

    async def deliver_pending(self) -> int:
        """Send what is due; a loop calls this every few seconds. How many messages went out.

        A channel that is away is left alone: its messages stay due.
        """
        return await self._delivery.deliver_pending()

    async def preferences(self, who: Principal) -> NotificationPreferences:
        return await self._preferences.of(who)

    async def change_preferences(self, who: Principal, patch: PreferencesPatch) -> NotificationPreferences:
        return await self._preferences.change(who, patch)

    async def mine(
        self,
        who: Principal,
        limit: int = 20,
        cursor: str | None = None,
        *,
        channel: Channel = "in_app",
        status: Status | None = None,
    ) -> Page[NotificationView]:
        """Of the last two years. Raises Invalid for a cursor that is not ours."""
        before = _parse_cursor(cursor) if cursor else None
        found: list[Notification] = []
        month = _month_index(before[0] if before else self._clock.now())
        for count in _MONTHS_AT_ONCE:
            months = [_month(month - back) for back in range(count)]
            rows = await self._repository.of_months(who.user_id, channel, months, status)
            found += [row for row in rows if before is None or _position(row) < before]
            month -= count
            if len(found) > limit:
                break
        more = len(found) > limit
        items = [notification.view() for notification in found[:limit]]
        return Page(items=items, next_cursor=_cursor(found[limit - 1]) if more else None)

    async def read(self, who: Principal, notification_id: str) -> NotificationView:
        await self._repository.mark_read(who.user_id, notification_id, self._clock.now())
        found = await self._repository.find_in_app(who.user_id, notification_id)
        if found is None:
            raise NotFound.of("notification")
        return found.view()


def _position(notification: Notification) -> tuple[datetime, str]:
    return notification.created_at, notification.notification_id


def _cursor(last: Notification) -> str:
    return f"{last.created_at.isoformat()}_{last.notification_id}"


def _parse_cursor(cursor: str) -> tuple[datetime, str]:
    at, _, notification_id = cursor.partition("_")
    try:
        position = datetime.fromisoformat(at), notification_id
    except ValueError:
        position = None
    if position is None or position[0].tzinfo is None:
        raise Invalid("not a cursor of this list; take nextCursor as it came", field="cursor")
    return position


def _month_index(at: datetime) -> int:
    return at.year * 12 + at.month - 1


def _month(index: int) -> str:
    return f"{index // 12:04d}-{index % 12 + 1:02d}"
