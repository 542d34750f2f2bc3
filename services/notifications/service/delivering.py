"""Messages on their way: claimed, handed over, tried again until they are sent or given up."""

from collections.abc import Sequence
from datetime import timedelta

from services.contracts.auth import AuthPort, Contact
from services.contracts.notifications import Channel
from services.kit.clock import Clock
from services.kit.errors import NotFound
from services.kit.faults import CrashPoints
from services.kit.log import get_logger
from services.kit.principal import SYSTEM
from services.notifications.models import (
    Handover,
    Mail,
    MailAway,
    Mailer,
    MailRefused,
    Notification,
    PushMessage,
    PushSender,
    Sms,
    SmsSender,
)
from services.notifications.repository import SLOTS, NotificationRepository

log = get_logger("notifications")


class Delivery:
    """A channel that is away is left alone until the next round."""

    def __init__(
        self,
        repository: NotificationRepository,
        *,
        auth: AuthPort,
        mailer: Mailer,
        texts: SmsSender | None,
        devices: PushSender | None,
        clock: Clock,
        crash: CrashPoints,
        mail_domain: str,
        retry_delays: Sequence[float],
        lease_seconds: float,
    ) -> None:
        self._repository = repository
        self._auth = auth
        self._mailer = mailer
        self._texts = texts
        self._devices = devices
        self._clock = clock
        self._crash = crash
        self._mail_domain = mail_domain
        self._retry_delays = tuple(retry_delays)
        self._lease = timedelta(seconds=lease_seconds)
        self._away: set[Channel] = set()

    @property
    def channels(self) -> frozenset[Channel]:
        """Those that something here sends on, and the app itself."""
        found: set[Channel] = {"email", "in_app"}
        if self._texts:
            found.add("sms")
        if self._devices:
            found.add("push")
        return frozenset(found)

    async def find_contact(self, user_id: str) -> Contact | None:
        try:
            return await self._auth.contact(SYSTEM, user_id)
        except NotFound:
            log.info("nobody_to_tell", user=user_id)
            return None

    async def deliver_pending(self) -> int:
        """Send what is due; returns how many messages went out."""
        sent = 0
        self._away.clear()
        for slot in range(SLOTS):
            for notification in await self._repository.waiting(slot, self._clock.now()):
                sent += await self.deliver(notification)
        return sent

    async def deliver(self, notification: Notification) -> bool:
        """One attempt; none while the channel is away or somebody else has it."""
        now = self._clock.now()
        if notification.channel in self._away or not await self._repository.claim(notification, now + self._lease):
            return False
        contact = await self.find_contact(notification.user_id)
        if contact is None:
            await self._repository.failed(notification.notification_id, "the account is gone", now)
            return False
        try:
            how = await self._hand_over(notification, contact)
        except MailRefused as error:
            await self._give_up(notification, str(error))
            return False
        except MailAway as error:
            self._away.add(notification.channel)
            await self._postpone(notification, str(error))
            return False
        except Exception as error:  # noqa: BLE001 - a message that breaks its sender counts its attempts like any other
            await self._postpone(notification, repr(error)[:300])
            return False
        self._crash.reach("notifications.sent")
        await self._repository.handed_over(notification.notification_id, how, self._clock.now())
        return True

    async def _hand_over(self, notification: Notification, contact: Contact) -> Handover:
        if notification.channel == "sms" and self._texts:
            return await self._texts.send(_sms(notification, contact))
        if notification.channel == "push" and self._devices:
            return await self._devices.send(_push(notification))
        if notification.channel == "email":
            await self._mailer.send(self._mail(notification, contact))
            return "sent"
        raise MailRefused(f"nothing here sends by {notification.channel}")

    async def _postpone(self, notification: Notification, reason: str) -> None:
        if notification.attempts >= len(self._retry_delays):
            await self._give_up(notification, reason)
            return
        log.warning("mail_postponed", notification=notification.notification_id, reason=reason)
        due = self._clock.now() + timedelta(seconds=self._retry_delays[notification.attempts])
        await self._repository.try_later(notification.notification_id, reason, due)

    async def _give_up(self, notification: Notification, reason: str) -> None:
        log.warning("mail_failed", notification=notification.notification_id, reason=reason)
        await self._repository.failed(notification.notification_id, reason, self._clock.now())

    def _mail(self, notification: Notification, contact: Contact) -> Mail:
        return Mail(
            message_id=f"{notification.notification_id}@{self._mail_domain}",
            to_name=contact.name,
            to_email=contact.email,
            subject=notification.subject,
            text=notification.body,
            html=notification.html,
            date=notification.created_at,
        )


def _sms(notification: Notification, contact: Contact) -> Sms:
    if contact.phone is None:
        raise MailRefused("the account has no phone number any more")
    return Sms(notification.notification_id, contact.phone, notification.body, notification.created_at)


def _push(notification: Notification) -> PushMessage:
    return PushMessage(
        message_id=notification.notification_id,
        user_id=notification.user_id,
        title=notification.subject,
        text=notification.body,
        data=notification.data,
        date=notification.created_at,
    )
