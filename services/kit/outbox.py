"""State change and events in one write, and the reading side of it.

Rows live only until they are published; a row carries the second it was written in as `batch`, so that the
relay reads bounded windows and never "all that is unsent". A transaction may commit later than its rows were
stamped, hence the relay looks back GRACE seconds each time.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import TypeVar

from pymongo import ASCENDING, IndexModel

from services.kit import context
from services.kit.clock import Clock
from services.kit.events import Envelope, Event, envelope_of
from services.kit.ids import Ids
from services.kit.mongo import Database, Mongo, Session, ensure_indexes

GRACE_SECONDS = 120
Result = TypeVar("Result")


class Unit:
    """One transaction in the making: pass it to repositories, and record events on it."""

    def __init__(self, session: Session, source: str, ids: Ids, clock: Clock) -> None:
        self.session = session
        self.envelopes: list[Envelope] = []
        self._source = source
        self._ids = ids
        self._clock = clock

    def record(self, event: Event, *, sequence: int = 0) -> None:
        """The event becomes true together with the documents of this unit, or not at all."""
        self.envelopes.append(
            envelope_of(
                event,
                ids=self._ids,
                now=self._clock.now(),
                source=self._source,
                sequence=sequence,
                correlation=context.request_id.get(),
                trace=context.traceparent.get(),
            )
        )


class Outbox:
    """The `outbox` collection of one service's database."""

    def __init__(self, mongo: Mongo, service: str, ids: Ids, clock: Clock) -> None:
        self.service = service
        self.written = asyncio.Event()
        self._mongo = mongo
        self._ids = ids
        self._clock = clock
        self._rows = self.database["outbox"]

    @property
    def database(self) -> Database:
        return self._mongo.database(self.service)

    async def prepare(self) -> None:
        await ensure_indexes(self.database, {"outbox": [IndexModel([("batch", ASCENDING)])]})

    async def transact(self, work: Callable[[Unit], Awaitable[Result]]) -> Result:
        """Run `work` as one transaction with the events it records; wake the relay once it is committed.

        The callback may run twice on a write conflict: only database work belongs inside.
        """
        recorded = False

        async def attempt(session: Session) -> Result:
            nonlocal recorded
            unit = Unit(session, self.service, self._ids, self._clock)
            result = await work(unit)
            recorded = bool(unit.envelopes)
            if unit.envelopes:
                await self._rows.insert_many([self._row(envelope) for envelope in unit.envelopes], session=session)
            return result

        result = await self._mongo.transact(attempt)
        if recorded:
            self.written.set()
        return result

    def _row(self, envelope: Envelope) -> dict[str, object]:
        return {"_id": envelope.id, "batch": int(self._clock.now().timestamp()), "event": envelope.to_wire()}

    async def first_batch(self) -> int | None:
        """The oldest unpublished second; read once, when a relay starts."""
        batches = await self._rows.distinct("batch")
        return min(batches, default=None)

    async def between(self, low: int, high: int) -> list[Envelope]:
        """Unpublished envelopes stamped in [low, high), oldest first."""
        rows = await self._rows.find({"batch": {"$gte": low, "$lt": high}}).to_list(None)
        rows.sort(key=lambda row: (row["batch"], row["event"]["time"]))
        return [Envelope.from_wire(row["event"]) for row in rows]

    async def published(self, ids: Iterable[str]) -> None:
        """Forget rows whose publication is confirmed."""
        await self._rows.delete_many({"_id": {"$in": list(ids)}})

    async def lag_seconds(self) -> float:
        """Age of the oldest unpublished row, 0 when there is none."""
        first = await self.first_batch()
        return 0.0 if first is None else max(0.0, self._clock.now().timestamp() - first)
