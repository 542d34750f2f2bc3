"""Notifications in MongoDB.

What waits to be sent carries a `slot`, one of a few: every query for waiting messages is bounded by one slot. What a
user may list carries a `shelf`, user, channel and month: a page is read from a few shelves.
"""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from pymongo import ASCENDING, IndexModel

from services.contracts.notifications import Channel, Status
from services.kit.mongo import Database, Document, DuplicateKey, ensure_indexes
from services.kit.outbox import Unit
from services.notifications.models import Choices, Handover, Notification

SLOTS = 8


class NotificationRepository:
    """The database `notifications`."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._rows = database["notifications"]
        self._preferences = database["preferences"]

    async def prepare(self) -> None:
        names = ("slot", "shelf")
        await ensure_indexes(
            self._database, {"notifications": [IndexModel([(name, ASCENDING)], sparse=True) for name in names]}
        )

    async def add(self, notifications: Sequence[Notification], unit: Unit) -> None:
        await self._rows.insert_many([_row(n) for n in notifications], session=unit.session)

    async def add_once(self, notification: Notification) -> bool:
        """False when it is there already."""
        try:
            await self._rows.insert_one(_row(notification))
        except DuplicateKey:
            return False
        return True

    async def waiting(self, slot: int, now: datetime) -> list[Notification]:
        """What is due in this slot, oldest first."""
        rows = await self._rows.find({"slot": slot, "due": {"$lte": now}}).to_list(None)
        return sorted((_notification(row) for row in rows), key=lambda n: n.created_at)

    async def claim(self, seen: Notification, until: datetime) -> bool:
        """Take the next attempt; False when somebody else has it. Nobody else tries before `until`."""
        result = await self._rows.update_one(
            {"_id": seen.notification_id, "status": "pending", "due": seen.due, "attempts": seen.attempts},
            {"$set": {"due": until}, "$inc": {"attempts": 1}},
        )
        return bool(result.modified_count)

    async def handed_over(self, notification_id: str, how: Handover, now: datetime) -> None:
        await self._settle(notification_id, {"status": how, "sent_at": now, "reason": None})

    async def failed(self, notification_id: str, reason: str, now: datetime) -> None:
        await self._settle(notification_id, {"status": "failed", "failed_at": now, "reason": reason})

    async def _settle(self, notification_id: str, change: dict[str, Any]) -> None:
        done = {"$unset": {"slot": "", "due": ""}}
        secret = {"_id": notification_id, "secret": True}
        told = await self._rows.update_one(secret, {"$set": {**change, "body": "", "html": ""}, **done})
        if not told.matched_count:
            await self._rows.update_one({"_id": notification_id}, {"$set": change, **done})

    async def try_later(self, notification_id: str, reason: str, due: datetime) -> None:
        await self._rows.update_one(
            {"_id": notification_id, "status": "pending"}, {"$set": {"reason": reason, "due": due}}
        )

    async def of_months(
        self, user_id: str, channel: Channel, months: Sequence[str], status: Status | None
    ) -> list[Notification]:
        """What the user was told of these months (`2026-11`), newest first."""
        where: dict[str, Any] = {"shelf": {"$in": [_shelf(user_id, channel, month) for month in months]}}
        if status:
            where["status"] = status
        rows = await self._rows.find(where).to_list(None)
        found = (_notification(row) for row in rows)
        return sorted(found, key=lambda n: (n.created_at, n.notification_id), reverse=True)

    async def find_in_app(self, user_id: str, notification_id: str) -> Notification | None:
        row = await self._rows.find_one({"_id": notification_id, "user_id": user_id, "channel": "in_app"})
        return _notification(row) if row else None

    async def mark_read(self, user_id: str, notification_id: str, now: datetime) -> None:
        await self._rows.update_one(
            {"_id": notification_id, "user_id": user_id, "channel": "in_app", "read_at": None},
            {"$set": {"read_at": now, "status": "read"}},
        )

    async def choices(self, user_id: str) -> Choices:
        row = await self._preferences.find_one({"_id": user_id}) or {}
        return {(channel, kind): on for channel, kinds in row.get("choices", {}).items() for kind, on in kinds.items()}

    async def choose(self, user_id: str, choices: Choices) -> None:
        """Keep these, beside what was chosen before."""
        change = {f"choices.{channel}.{kind}": on for (channel, kind), on in choices.items()}
        await self._preferences.update_one({"_id": user_id}, {"$set": change}, upsert=True)


def _shelf(user_id: str, channel: Channel, month: str) -> str:
    return f"{user_id}:{month}" if channel == "in_app" else f"{user_id}:{channel}:{month}"


def _row(notification: Notification) -> Document:
    row: Document = {**asdict(notification), "_id": notification.notification_id}
    del row["notification_id"]
    if notification.status == "pending":
        row["slot"] = int(notification.notification_id[-4:], 16) % SLOTS
    if not notification.secret:
        row["shelf"] = _shelf(notification.user_id, notification.channel, f"{notification.created_at:%Y-%m}")
    return row


def _notification(row: dict[str, Any]) -> Notification:
    return Notification(
        notification_id=row["_id"],
        user_id=row["user_id"],
        channel=row["channel"],
        template=row["template"],
        subject=row["subject"],
        body=row["body"],
        html=row["html"],
        data=row["data"],
        status=row["status"],
        created_at=row["created_at"],
        due=row.get("due"),
        attempts=row["attempts"],
        reason=row.get("reason"),
        secret=row.get("secret", False),
        read_at=row["read_at"],
    )
