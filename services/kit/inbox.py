"""Each event has one effect: the claim is written in the same transaction as the effect."""

from collections.abc import Awaitable, Callable

from pymongo import ASCENDING, IndexModel

from services.kit.clock import Clock
from services.kit.events import Envelope
from services.kit.mongo import DuplicateKey, ensure_indexes
from services.kit.outbox import Outbox, Unit

KEEP_SECONDS = 30 * 24 * 3600


class _AlreadyHandled(Exception):
    pass


class Inbox:
    """The `inbox` collection beside a service's outbox."""

    def __init__(self, outbox: Outbox, queue: str, clock: Clock) -> None:
        self._outbox = outbox
        self._queue = queue
        self._clock = clock
        self._rows = outbox.database["inbox"]

    async def prepare(self) -> None:
        index = IndexModel([("at", ASCENDING)], expireAfterSeconds=KEEP_SECONDS)
        await ensure_indexes(self._outbox.database, {"inbox": [index]})

    async def once(self, event: Envelope, effect: Callable[[Unit], Awaitable[None]]) -> bool:
        """Run `effect` unless this event was handled before; False says it was."""

        async def work(unit: Unit) -> None:
            await self._claim(event, unit)
            await effect(unit)

        try:
            await self._outbox.transact(work)
        except _AlreadyHandled:
            return False
        return True

    async def _claim(self, event: Envelope, unit: Unit) -> None:
        row = {"_id": f"{self._queue}:{event.id}", "at": self._clock.now()}
        if await self._rows.find_one({"_id": row["_id"]}, session=unit.session):
            raise _AlreadyHandled
        try:
            await self._rows.insert_one(row, session=unit.session)
        except DuplicateKey:
            raise _AlreadyHandled from None
