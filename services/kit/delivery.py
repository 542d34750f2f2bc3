"""The embedded broker: the outbox relay hands events over, the same consumers run here, with the same rules.

Each queue works alone, one event at a time, so a slow or broken consumer stops nobody else. What fails is parked
in the database and tried again later; after the last attempt it becomes a dead letter with its reason.
"""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta

from services.kit.broker import DeadLetter, Publisher, RetryPolicy, Subscription
from services.kit.clock import Clock
from services.kit.errors import NotFound
from services.kit.events import Envelope
from services.kit.log import get_logger
from services.kit.mongo import Database

log = get_logger("delivery")


class _Queue:
    """One queue's worker: handles in order of arrival, resolves the publisher's future per event."""

    def __init__(self, subscription: Subscription, policy: RetryPolicy) -> None:
        self.subscription = subscription
        self._policy = policy
        self._waiting: asyncio.Queue[tuple[Envelope, asyncio.Future[str | None]]] = asyncio.Queue()

    async def submit(self, event: Envelope) -> str | None:
        """None when handled, else the reason it was not."""
        done: asyncio.Future[str | None] = asyncio.get_running_loop().create_future()
        await self._waiting.put((event, done))
        return await done

    async def run(self) -> None:
        while True:
            event, done = await self._waiting.get()
            reason = await self._attempt(event)
            if not done.cancelled():
                done.set_result(reason)

    async def _attempt(self, event: Envelope) -> str | None:
        try:
            await asyncio.wait_for(self.subscription.handle(event), self._policy.handler_seconds)
        except Exception as error:  # noqa: BLE001 - whatever a consumer raises means: again later
            return f"{type(error).__name__}: {error}"[:500]
        return None


class EmbeddedBroker(Publisher):
    """Implements the publisher over in-process queues; parked and dead events live in the database `events`."""

    def __init__(
        self, database: Database, subscriptions: Sequence[Subscription], policy: RetryPolicy, clock: Clock
    ) -> None:
        self._policy = policy
        self._clock = clock
        self._queues = {s.queue: _Queue(s, policy) for s in subscriptions}
        self._parked = database["parked"]
        self._dead = database["dead_letters"]
        self._tasks: list[asyncio.Task[None]] = []
        self._due_changed = asyncio.Event()

    async def start(self) -> None:
        self._tasks = [asyncio.create_task(queue.run()) for queue in self._queues.values()]
        self._tasks.append(asyncio.create_task(self._retry_parked()))

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def publish(self, event: Envelope) -> None:
        bound = [queue for queue in self._queues.values() if queue.subscription.wants(event.type)]
        reasons = await asyncio.gather(*(queue.submit(event) for queue in bound))
        for queue, reason in zip(bound, reasons, strict=True):
            if reason:
                await self._park(queue.subscription.queue, event, attempts=1, reason=reason)

    async def _park(self, queue: str, event: Envelope, *, attempts: int, reason: str) -> None:
        letter = f"{queue}:{event.id}"
        log.warning("event_failed", queue=queue, type=event.type, id=event.id, attempts=attempts, reason=reason)
        if attempts >= self._policy.attempts:
            row = {
                "queue": queue,
                "event": event.to_wire(),
                "attempts": attempts,
                "reason": reason,
                "at": self._clock.now(),
            }
            await self._dead.replace_one({"_id": letter}, row, upsert=True)
            await self._parked.delete_one({"_id": letter})
            return
        due = self._clock.now() + timedelta(seconds=self._policy.delay_after(attempts))
        row = {"queue": queue, "event": event.to_wire(), "attempts": attempts, "reason": reason, "due": due}
        await self._parked.replace_one({"_id": letter}, row, upsert=True)
        self._due_changed.set()

    async def _retry_parked(self) -> None:
        while True:
            next_due = await self._retry_due()
            wait = 60.0 if next_due is None else max(0.05, (next_due - self._clock.now()).total_seconds())
            try:
                await asyncio.wait_for(self._due_changed.wait(), wait)
            except TimeoutError:
                continue
            finally:
                self._due_changed.clear()

    async def _retry_due(self) -> datetime | None:
        """Try all that is due; returns when the next one will be."""
        rows = await self._parked.find({}, {"due": 1}).to_list(None)
        now = self._clock.now()
        for row in sorted(rows, key=lambda row: row["due"]):
            if row["due"] > now:
                return row["due"]  # type: ignore[no-any-return]
            await self._retry(row["_id"])
        return None

    async def _retry(self, letter: str) -> None:
        row = await self._parked.find_one({"_id": letter})
        if row is None:
            return
        event = Envelope.from_wire(row["event"])
        queue = self._queues.get(row["queue"])
        reason = await queue.submit(event) if queue else f"no consumer for queue {row['queue']}"
        if reason is None:
            await self._parked.delete_one({"_id": letter})
        else:
            await self._park(row["queue"], event, attempts=row["attempts"] + 1, reason=reason)

    async def dead_letters(self, queue: str | None = None) -> list[DeadLetter]:
        rows = await self._dead.find({"queue": queue} if queue else {}).to_list(None)
        return [
            DeadLetter(
                letter_id=row["_id"],
                queue=row["queue"],
                reason=row["reason"],
                attempts=row["attempts"],
                at=row["at"],
                event=Envelope.from_wire(row["event"]),
            )
            for row in rows
        ]

    async def replay(self, letter_id: str) -> str | None:
        """Give a dead letter to its queue again. None when it was handled, else why it stays dead. Raises NotFound."""
        row = await self._dead.find_one({"_id": letter_id})
        if row is None:
            raise NotFound.of("dead letter")
        event = Envelope.from_wire(row["event"])
        queue = self._queues.get(row["queue"])
        reason = await queue.submit(event) if queue else f"no consumer for queue {row['queue']}"
        if reason is None:
            await self._dead.delete_one({"_id": letter_id})
            return None
        await self._dead.update_one({"_id": letter_id}, {"$set": {"reason": reason, "at": self._clock.now()}})
        return reason
