"""From events to the books: the log, the parts of orders and the daily sums change in one write."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from services.contracts.events import ORDER_EVENTS
from services.kit.errors import Unavailable
from services.kit.events import Envelope
from services.kit.outbox import Outbox, Unit
from services.sellers.models.facts import facts_of, join_all
from services.sellers.models.ledger import day_changes, placed_changes
from services.sellers.repository import BookRepository, EventLog
from services.sellers.repository.books import Overtaken
from services.sellers.repository.event_log import AlreadyLogged

_ATTEMPTS = 5
_EVENTS_A_WRITE = 2_000

Follow = Callable[[Sequence[Envelope]], Awaitable[None]]


class Bookkeeping:
    def __init__(self, books: BookRepository, log: EventLog, outbox: Outbox) -> None:
        self._books = books
        self._log = log
        self._outbox = outbox
        self._wiping = asyncio.Lock()

    async def take(self, events: Sequence[Envelope]) -> int:
        """Log and count what was not logged before; returns how many that were."""

        async def work(unit: Unit) -> int:
            new = await self._log.add(events, unit)
            await self._count(new, unit)
            return len(new)

        async with self._wiping:
            return await self._in_one_write(work)

    async def backfill(self, events: Sequence[Envelope]) -> int:
        ordered = sorted(events, key=lambda event: (event.data["placedAt"], event.subject))
        taken = 0
        for start in range(0, len(ordered), _EVENTS_A_WRITE):
            taken += await self.take(ordered[start : start + _EVENTS_A_WRITE])
        return taken

    async def rebuild(self, follow: Follow) -> int:
        async with self._wiping:
            await self._books.wipe()
        counted = 0
        async for events in self._log.shards():
            await self._recount(events)
            await follow(events)
            counted += len(events)
        return counted

    async def _recount(self, events: Sequence[Envelope]) -> None:
        async def work(unit: Unit) -> int:
            await self._count(events, unit)
            return len(events)

        await self._in_one_write(work)

    async def _count(self, events: Sequence[Envelope], unit: Unit) -> None:
        told = join_all(fact for event in events if event.type in ORDER_EVENTS for fact in facts_of(event))
        if not told:
            return
        before = await self._books.facts(list(told), unit)
        after = {key: before[key].joined(fact) if key in before else fact for key, fact in told.items()}
        changed = {key: fact for key, fact in after.items() if before.get(key) != fact}
        old = {key: fact for key, fact in before.items() if key in changed}
        await self._books.save_facts(changed.values(), old, unit)
        await self._books.add_to_days(day_changes(old, changed), unit)
        await self._books.add_to_months(placed_changes(old, changed), unit)

    async def _in_one_write(self, work: Callable[[Unit], Awaitable[int]]) -> int:
        """Again from the start when another consumer wrote the same order first."""
        for _ in range(_ATTEMPTS):
            try:
                return await self._outbox.transact(work)
            except (AlreadyLogged, Overtaken):
                continue
        raise Unavailable("the seller's books are being written by others", retry_after=1)
