"""From outbox to broker: publish, wait for the confirmation, then forget the row. A crash in between repeats."""

import asyncio
from collections.abc import Awaitable, Callable

from services.kit.broker import Publisher
from services.kit.clock import Clock
from services.kit.events import Envelope
from services.kit.log import get_logger
from services.kit.outbox import GRACE_SECONDS, Outbox

_WINDOW_SECONDS = 3600
_IN_FLIGHT = 256

log = get_logger("relay")


class Relay:
    """Drains one outbox for as long as it runs; one per outbox in the whole installation."""

    def __init__(self, outbox: Outbox, publisher: Publisher, clock: Clock, *, poll_seconds: float = 5.0) -> None:
        self._outbox = outbox
        self._publisher = publisher
        self._clock = clock
        self._poll_seconds = poll_seconds
        self._slots = asyncio.Semaphore(_IN_FLIGHT)
        self._in_flight: dict[str, asyncio.Task[None]] = {}
        self._low: int | None = None

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            try:
                await self.drain_once()
            except Exception as error:  # noqa: BLE001 - a relay outlives an outage of the database or the broker
                log.warning("relay_failed", outbox=self._outbox.service, error=repr(error))
                await asyncio.sleep(1.0)
            await self._wait_for_rows()

    async def _wait_for_rows(self) -> None:
        try:
            await asyncio.wait_for(self._outbox.written.wait(), self._poll_seconds)
        except TimeoutError:
            return
        finally:
            self._outbox.written.clear()

    async def drain_once(self) -> int:
        """Hand every unpublished row to the publisher; returns how many were started."""
        started = 0
        now = int(self._clock.now().timestamp()) + 1
        if self._low is None:
            first = await self._outbox.first_batch()
            self._low = now - GRACE_SECONDS if first is None else first
        low = self._low
        while low < now:
            high = min(low + _WINDOW_SECONDS, now) if low < now - GRACE_SECONDS else now
            for event in await self._outbox.between(low, high):
                started += await self._start(event)
            low = high
        self._low = self._oldest_open(now)
        return started

    def _oldest_open(self, now: int) -> int:
        """Rows still in flight keep the window open so that a failed one is read again."""
        return min(self._low or now, now - GRACE_SECONDS) if self._in_flight else now - GRACE_SECONDS

    async def _start(self, event: Envelope) -> int:
        if event.id in self._in_flight:
            return 0
        await self._slots.acquire()
        self._in_flight[event.id] = asyncio.create_task(self._publish(event))
        return 1

    async def _publish(self, event: Envelope) -> None:
        try:
            await self._publisher.publish(event)
            await self._outbox.published([event.id])
        except Exception as error:  # noqa: BLE001 - the row stays and is read again
            log.warning("publish_failed", type=event.type, id=event.id, error=repr(error))
            self._low = min(self._low or 0, int(event.time.timestamp()) - 1)
        finally:
            self._in_flight.pop(event.id, None)
            self._slots.release()

    async def settle(self, more: Callable[[], Awaitable[bool]] | None = None) -> None:
        """Publish all there is and wait for it (shutdown and tests)."""
        while await self.drain_once() or self._in_flight or (more and await more()):
            if self._in_flight:
                await asyncio.gather(*self._in_flight.values())
