"""What outlives a turn: conversations, the messages already seen, and stated preferences."""

import asyncio
from datetime import datetime
from typing import Any, Literal

from services.kit.clock import Clock
from services.kit.errors import NotFound
from services.kit.ids import Ids
from services.kit.mongo import Database, DuplicateKey, ascending, ensure_indexes
from services.kit.principal import Principal
from services.kit.wire import Wire

TurnStatus = Literal["running", "waiting", "done"]


class Conversation(Wire):
    conversation_id: str
    user_id: str
    title: str = ""
    created_at: datetime
    updated_at: datetime


class SeenMessage(Wire):
    """A message of a client and the turn that answers it."""

    message_id: str
    turn_id: str
    status: TurnStatus


class Conversations:
    """The `conversations` and `messages` collections of the chat database."""

    def __init__(self, database: Database, ids: Ids, clock: Clock) -> None:
        self._database = database
        self._rows = database["conversations"]
        self._messages = database["messages"]
        self._ids = ids
        self._clock = clock

    async def prepare(self) -> None:
        by_user, by_conversation = ascending("userId", "updatedAt"), ascending("conversationId")
        await ensure_indexes(self._database, {"conversations": [by_user], "messages": [by_conversation]})

    def new_id(self) -> str:
        """An id to announce before there is anything to store."""
        return self._ids.new("cnv")

    async def start(self, who: Principal, conversation_id: str | None = None) -> Conversation:
        """A new conversation, under an announced id if one is given. Raises NotFound when that id is someone else's."""
        now = self._clock.now()
        chosen = conversation_id or self.new_id()
        row = {"_id": chosen, "userId": who.user_id, "title": "", "createdAt": now, "updatedAt": now}
        try:
            await self._rows.insert_one(row)
        except DuplicateKey:
            return await self.get(who, chosen)
        return _conversation(row)

    async def get(self, who: Principal, conversation_id: str) -> Conversation:
        """The caller's own. Raises NotFound."""
        row = await self._rows.find_one({"_id": conversation_id})
        if row is None or row["userId"] != who.user_id:
            raise NotFound.of("conversation")
        return _conversation(row)

    async def find(self, who: Principal, conversation_id: str) -> Conversation | None:
        """The caller's own, or None."""
        try:
            return await self.get(who, conversation_id)
        except NotFound:
            return None

    async def mine(self, who: Principal, limit: int = 20) -> list[Conversation]:
        """Newest first."""
        rows = await self._rows.find({"userId": who.user_id}).to_list(None)
        rows.sort(key=lambda row: row["updatedAt"], reverse=True)
        return [_conversation(row) for row in rows[:limit]]

    async def touch(self, conversation_id: str, title: str) -> None:
        """The first message names the conversation."""
        await asyncio.gather(
            self._rows.update_one({"_id": conversation_id, "title": ""}, {"$set": {"title": title[:80]}}),
            self._rows.update_one({"_id": conversation_id}, {"$set": {"updatedAt": self._clock.now()}}),
        )

    async def adopt(self, guest: Principal, who: Principal) -> None:
        """At login the guest's conversations become the user's."""
        await self._rows.update_many({"userId": guest.user_id}, {"$set": {"userId": who.user_id}})

    async def delete(self, conversation_id: str) -> None:
        await self._rows.delete_one({"_id": conversation_id})
        await self._messages.delete_many({"conversationId": conversation_id})

    async def see(self, conversation_id: str, message_id: str, turn_id: str) -> tuple[SeenMessage, bool]:
        """Record a message once; False says it was seen before, with the turn that answered it."""
        row = {
            "_id": f"{conversation_id}:{message_id}",
            "conversationId": conversation_id,
            "turnId": turn_id,
            "status": "running",
        }
        try:
            await self._messages.insert_one(row)
        except DuplicateKey:
            known: dict[str, Any] = await self._messages.find_one({"_id": row["_id"]}) or row
            return _seen(message_id, known), False
        return _seen(message_id, row), True

    async def settle(self, conversation_id: str, message_id: str, status: TurnStatus) -> None:
        await self._messages.update_one({"_id": f"{conversation_id}:{message_id}"}, {"$set": {"status": status}})

    async def status_of(self, conversation_id: str, message_id: str) -> TurnStatus | None:
        """How far the turn of a message is; None for a message never seen."""
        row = await self._messages.find_one({"_id": f"{conversation_id}:{message_id}"})
        return row["status"] if row else None

    async def message_of_turn(self, conversation_id: str, turn_id: str) -> str:
        """The client's id of the message a turn answers."""
        rows = await self._messages.find({"conversationId": conversation_id}).to_list(None)
        found = next((row["_id"] for row in rows if row["turnId"] == turn_id), None)
        return str(found).partition(":")[2] if found else turn_id


def _conversation(row: dict[str, Any]) -> Conversation:
    return Conversation.from_wire({"conversationId": row["_id"], **row})


def _seen(message_id: str, row: dict[str, Any]) -> SeenMessage:
    return SeenMessage(message_id=message_id, turn_id=row["turnId"], status=row["status"])


class StatedPreferences:
    """The `preferences` collection: what a user said to like; only what was said."""

    def __init__(self, database: Database) -> None:
        self._rows = database["preferences"]

    async def all(self, who: Principal) -> dict[str, str]:
        row = await self._rows.find_one({"_id": who.user_id})
        return dict(row["values"]) if row else {}

    async def set(self, who: Principal, key: str, value: str | None) -> dict[str, str]:
        change = {"$unset": {f"values.{key}": ""}} if value is None else {"$set": {f"values.{key}": value}}
        await self._rows.update_one({"_id": who.user_id}, change, upsert=True)
        return await self.all(who)

    async def forget(self, who: Principal) -> None:
        await self._rows.delete_one({"_id": who.user_id})
