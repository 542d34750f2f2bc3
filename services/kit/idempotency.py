"""Idempotency-Key: the record is written first with the id the new thing will have, the answer with the effect.

A repeat with the same body gets the first answer; another body is a conflict; a repeat while the first still
runs is told to come back; a repeat after a crash takes over the lock with the same id.
"""

import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import orjson
from pymongo import ASCENDING, IndexModel

from services.kit.clock import Clock
from services.kit.errors import CohortError, Conflict, IdempotencyConflict, InFlight, Refused, from_problem
from services.kit.ids import Ids
from services.kit.mongo import Collection, Database, DuplicateKey, ensure_indexes
from services.kit.outbox import Unit
from services.kit.wire import Wire

KEEP = timedelta(hours=24)
LOCK = timedelta(seconds=30)


class CommandKey(Wire):
    """The client's key, whose it is and what it was sent with. `scope` is caller and route."""

    scope: str
    key: str
    body_hash: str

    @property
    def record_id(self) -> str:
        return hashlib.sha256(f"{self.scope}\n{self.key}".encode()).hexdigest()


def command_key(scope: str, key: str, body: object) -> CommandKey:
    """A key for a caller inside the process; `body` is anything orjson can write."""
    return CommandKey(scope=scope, key=key, body_hash=body_hash(orjson.dumps(body, option=orjson.OPT_SORT_KEYS)))


def body_hash(raw: bytes) -> str:
    return hashlib.sha256(raw).hexdigest()


@dataclass(frozen=True)
class Attempt:
    """The right to do a command once. `new_id` is the same on every retry; `answer` is set on a replay.

    `resumed` says that an earlier try with this id broke off and may have left traces outside the database.
    """

    new_id: str
    record_id: str | None = None
    lock: datetime | None = None
    answer: dict[str, Any] | None = None
    resumed: bool = False


class Idempotency:
    """The `idempotency` collection of one service's database."""

    def __init__(self, database: Database, ids: Ids, clock: Clock) -> None:
        self._database = database
        self._rows: Collection = database["idempotency"]
        self._ids = ids
        self._clock = clock

    async def prepare(self) -> None:
        await ensure_indexes(
            self._database, {"idempotency": [IndexModel([("expiresAt", ASCENDING)], expireAfterSeconds=0)]}
        )

    @asynccontextmanager
    async def attempt(self, key: CommandKey | None, prefix: str) -> AsyncIterator[Attempt]:
        """Begin, and settle the record by how the block ends.

        A Conflict or Refused raised inside is a final answer and is stored; any other CohortError of the 4xx
        range frees the key; whatever else keeps the record, unlocked, for a retry with the same id.
        """
        attempt = await self._begin(key, prefix)
        try:
            yield attempt
        except InFlight:
            await self._unlock(attempt)
            raise
        except (Conflict, Refused) as refusal:
            await self._store(attempt, {"error": refusal.problem()})
            raise
        except CohortError as error:
            await (self._forget(attempt) if error.status < 500 else self._unlock(attempt))
            raise
        except BaseException:
            await self._unlock(attempt)
            raise

    async def complete(self, attempt: Attempt, answer: Wire, unit: Unit) -> None:
        """Store the answer in the transaction of the effect. Raises InFlight when another retry took the lock over."""
        if attempt.record_id is None:
            return
        result = await self._rows.update_one(
            {"_id": attempt.record_id, "lockedUntil": attempt.lock},
            {"$set": {"answer": orjson.dumps(answer.to_wire()).decode(), "lockedUntil": None}},
            session=unit.session,
        )
        if result.modified_count != 1:
            raise InFlight("the same Idempotency-Key was taken over by a later request", retry_after=1)

    async def _begin(self, key: CommandKey | None, prefix: str) -> Attempt:
        if key is None:
            return Attempt(new_id=self._ids.new(prefix))
        now = self._clock.now()
        fresh: dict[str, Any] = {
            "_id": key.record_id,
            "bodyHash": key.body_hash,
            "newId": self._ids.new(prefix),
            "answer": None,
            "lockedUntil": now + LOCK,
            "expiresAt": now + KEEP,
        }
        try:
            await self._rows.insert_one(fresh)
        except DuplicateKey:
            return await self._again(key, prefix)
        return Attempt(new_id=fresh["newId"], record_id=key.record_id, lock=fresh["lockedUntil"])

    async def _again(self, key: CommandKey, prefix: str) -> Attempt:
        row = await self._rows.find_one({"_id": key.record_id})
        if row is None or row["expiresAt"] <= self._clock.now():
            await self._rows.delete_one({"_id": key.record_id, "expiresAt": {"$lte": self._clock.now()}})
            return await self._begin(key, prefix)
        if row["bodyHash"] != key.body_hash:
            raise IdempotencyConflict(
                "this Idempotency-Key was used with another body; use a new key for a new request"
            )
        if row["answer"] is not None:
            return self._replay(row)
        return await self._take_over(row)

    def _replay(self, row: dict[str, Any]) -> Attempt:
        stored = orjson.loads(row["answer"])
        if set(stored) == {"error"}:
            error = from_problem(stored["error"])
            error.replayed = True
            raise error
        return Attempt(new_id=row["newId"], answer=stored)

    async def _take_over(self, row: dict[str, Any]) -> Attempt:
        now = self._clock.now()
        if row["lockedUntil"] and row["lockedUntil"] > now:
            raise InFlight("a request with this Idempotency-Key is still running; retry shortly", retry_after=1)
        lock = now + LOCK
        taken = await self._rows.update_one(
            {"_id": row["_id"], "answer": None, "lockedUntil": row["lockedUntil"]}, {"$set": {"lockedUntil": lock}}
        )
        if taken.modified_count != 1:
            raise InFlight("a request with this Idempotency-Key is still running; retry shortly", retry_after=1)
        return Attempt(new_id=row["newId"], record_id=row["_id"], lock=lock, resumed=True)

    async def _store(self, attempt: Attempt, answer: dict[str, Any]) -> None:
        if attempt.record_id:
            await self._rows.update_one(
                {"_id": attempt.record_id, "lockedUntil": attempt.lock},
                {"$set": {"answer": orjson.dumps(answer).decode(), "lockedUntil": None}},
            )

    async def _unlock(self, attempt: Attempt) -> None:
        if attempt.record_id:
            await self._rows.update_one(
                {"_id": attempt.record_id, "lockedUntil": attempt.lock}, {"$set": {"lockedUntil": None}}
            )

    async def _forget(self, attempt: Attempt) -> None:
        if attempt.record_id:
            await self._rows.delete_one({"_id": attempt.record_id, "lockedUntil": attempt.lock})
