"""Signed webhooks out of a stored queue, sent again until the receiver answers 2xx."""

import asyncio
import hashlib
import heapq
import hmac
import json
from collections.abc import Sequence
from dataclasses import dataclass, field

import httpx

from services.payments.adapters.sandbox.entities import Clock, Entity, Event, Ids, Record
from services.payments.adapters.sandbox.store import SandboxStore, StoreUnavailable

ANSWER_WITHIN = 5.0
"""Seconds a receiver has; Razorpay's own limit."""
GIVE_UP_AFTER = 24 * 3600
LANES = 8
"""Orders whose webhooks are sent at the same time."""


@dataclass
class WebhookKnobs:
    """How badly the webhooks behave; may be turned at any time."""

    duplicates: int = 0
    """Further copies of every webhook, with the same event id."""
    reorder: bool = False
    """Of those that are due, the newest goes first."""
    delay: float = 0.0
    """Seconds before the first attempt."""
    drop: frozenset[str] = frozenset()
    """Names of events that are lost (`*`: all of them)."""

    def drops(self, name: str) -> bool:
        return "*" in self.drop or name in self.drop


@dataclass(frozen=True)
class Backoff:
    """Seconds between attempts: `first`, doubling, at most `most`."""

    first: float = 1.0
    most: float = 300.0

    def wait(self, attempt: int) -> float:
        return float(min(self.most, self.first * 2 ** min(attempt, 30)))


@dataclass(order=True)
class _Due:
    at: float
    position: int
    letter: Record = field(compare=False)
    attempt: int = field(default=0, compare=False)


class Webhooks:
    """Writes, keeps and sends them. One process runs `run`; what is stored and unsent is taken up at its start."""

    def __init__(
        self,
        store: SandboxStore,
        secret: str,
        url: str | None,
        clock: Clock,
        ids: Ids,
        *,
        account_id: str,
        knobs: WebhookKnobs,
        backoff: Backoff,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self.url = url
        self.secret = secret
        self.knobs = knobs
        self._store = store
        self._clock = clock
        self._ids = ids
        self._account_id = account_id
        self._backoff = backoff
        self._transport = transport
        self._queue: list[_Due] = []
        self._known: set[str] = set()
        self._running = False
        self._doubtful = False
        self._wake = asyncio.Event()
        self._lanes = asyncio.Semaphore(LANES)

    def letter(self, event: Event) -> Entity:
        """The event as it will be sent, byte for byte."""
        now = int(self._clock().timestamp())
        body = {
            "entity": "event",
            "account_id": self._account_id,
            "event": event.name,
            "contains": list(event.carries),
            "payload": {name: {"entity": entity} for name, entity in event.carries.items()},
            "created_at": now,
        }
        raw = json.dumps(body, separators=(",", ":"))
        return {"id": self._ids(""), "event": event.name, "body": raw, "group": event.group, "created_at": now}

    def announce(self, letters: Sequence[Record]) -> None:
        """Stored letters that are new; wakes the sender. Nobody sending: the store alone keeps them."""
        if not self._running:
            return
        at = asyncio.get_running_loop().time() + self.knobs.delay
        for letter in letters:
            if letter.id not in self._known:
                self._known.add(letter.id)
                heapq.heappush(self._queue, _Due(at, letter.hidden["position"], letter))
        self._wake.set()

    def look_again(self) -> None:
        """A write ended without an answer: only the store knows whether letters came with it."""
        self._doubtful = True
        self._wake.set()

    async def run(self, stop: asyncio.Event) -> None:
        """Send until `stop`; an attempt under way is finished first, what is unsent stays stored."""
        async with httpx.AsyncClient(transport=self._transport, timeout=ANSWER_WITHIN, trust_env=False) as client:
            stopper = asyncio.create_task(stop.wait())
            failures = 0
            self._running = True
            try:
                while not stop.is_set():
                    try:
                        await self._reload()
                        failures = 0
                        await self._send_until(stopper, client)
                    except StoreUnavailable:
                        await asyncio.wait({stopper}, timeout=self._backoff.wait(failures))
                        failures += 1
            finally:
                self._running = False
                stopper.cancel()

    async def _reload(self) -> None:
        self._doubtful = False
        self._queue.clear()
        self._known.clear()
        self.announce(await self._store.list_by("webhooks", "pending"))

    async def _send_until(self, stopper: asyncio.Task[bool], client: httpx.AsyncClient) -> None:
        while not stopper.done():
            await self._pause(stopper)
            if self._doubtful:
                await self._reload()
            groups: dict[str, list[_Due]] = {}
            for due in self._take_due():
                groups.setdefault(due.letter.entity["group"], []).append(due)
            await asyncio.gather(*(self._send_all(stopper, client, group) for group in groups.values()))

    async def _pause(self, stopper: asyncio.Task[bool]) -> None:
        """Until something is due, something new is announced, or the end."""
        timeout = None
        if self._queue:
            timeout = max(0.0, self._queue[0].at - asyncio.get_running_loop().time())
        waker = asyncio.create_task(self._wake.wait())
        await asyncio.wait({waker, stopper}, timeout=timeout, return_when=asyncio.FIRST_COMPLETED)
        waker.cancel()
        self._wake.clear()

    def _take_due(self) -> list[_Due]:
        now = asyncio.get_running_loop().time()
        taken: list[_Due] = []
        while self._queue and self._queue[0].at <= now:
            taken.append(heapq.heappop(self._queue))
        taken.sort(key=lambda due: due.position, reverse=self.knobs.reorder)
        return taken

    async def _send_all(self, stopper: asyncio.Task[bool], client: httpx.AsyncClient, group: list[_Due]) -> None:
        async with self._lanes:
            for due in group:
                if not stopper.done():
                    await self._send(client, due)

    async def _send(self, client: httpx.AsyncClient, due: _Due) -> None:
        if self.knobs.drops(due.letter.entity["event"]) or await self._deliver(client, due.letter):
            await self._store.remove("webhooks", due.letter.id)
            self._known.discard(due.letter.id)
        else:
            await self._postpone(due)

    async def _deliver(self, client: httpx.AsyncClient, letter: Record) -> bool:
        answers = [await self._post(client, letter) for _ in range(1 + self.knobs.duplicates)]
        return any(answers)

    async def _post(self, client: httpx.AsyncClient, letter: Record) -> bool:
        if self.url is None:
            return False
        raw = letter.entity["body"].encode()
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "Razorpay-Webhook/v1",
            "X-Razorpay-Signature": hmac.new(self.secret.encode(), raw, hashlib.sha256).hexdigest(),
            "x-razorpay-event-id": letter.id,
        }
        try:
            return (await client.post(self.url, content=raw, headers=headers)).is_success
        except httpx.HTTPError:
            return False

    async def _postpone(self, due: _Due) -> None:
        if int(self._clock().timestamp()) - due.letter.entity["created_at"] >= GIVE_UP_AFTER:
            await self._store.commit([due.letter.marked(state="given_up")])
            self._known.discard(due.letter.id)
            return
        at = asyncio.get_running_loop().time() + self._backoff.wait(due.attempt)
        heapq.heappush(self._queue, _Due(at, due.position, due.letter, due.attempt + 1))
