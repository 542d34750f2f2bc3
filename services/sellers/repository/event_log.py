"""Every consumed event, kept for good: what the read models are rebuilt from, and what tells a repeated event."""

from collections.abc import AsyncIterator, Sequence
from zlib import crc32

from pymongo import ASCENDING, IndexModel

from services.kit.events import Envelope
from services.kit.mongo import Collection, Database, DuplicateKey, ensure_indexes
from services.kit.outbox import Unit

SHARDS = 256
_IDS_A_QUERY = 50


class AlreadyLogged(Exception):
    """Another consumer logged the same event at the same moment."""


class EventLog:
    """Events of one subject share a shard, so that a rebuild reads them together and never everything at once."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._events: Collection = database["events"]

    async def prepare(self) -> None:
        await ensure_indexes(self._database, {"events": [IndexModel([("shard", ASCENDING)])]})

    async def add(self, events: Sequence[Envelope], unit: Unit) -> list[Envelope]:
        """Log them; returns those that were not there before. Raises AlreadyLogged when another is faster."""
        by_id = {event.id: event for event in events}
        known = await self._known(list(by_id), unit)
        new = [event for event in by_id.values() if event.id not in known]
        if not new:
            return []
        try:
            await self._events.insert_many([_row(event) for event in new], session=unit.session)
        except DuplicateKey as error:
            raise AlreadyLogged from error
        return new

    async def _known(self, ids: Sequence[str], unit: Unit) -> set[str]:
        known: set[str] = set()
        for start in range(0, len(ids), _IDS_A_QUERY):
            group = {"$in": ids[start : start + _IDS_A_QUERY]}
            rows = self._events.find({"_id": group}, {"_id": 1}, session=unit.session)
            known.update([row["_id"] async for row in rows])
        return known

    async def shards(self) -> AsyncIterator[list[Envelope]]:
        """The whole log, all events of a subject in one list."""
        for shard in range(SHARDS):
            rows = await self._events.find({"shard": shard}).to_list(None)
            if rows:
                yield [Envelope.from_wire(row["event"]) for row in rows]


def _row(event: Envelope) -> dict[str, object]:
    return {"_id": event.id, "shard": crc32(event.subject.encode()) % SHARDS, "event": event.to_wire()}
