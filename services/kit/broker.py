"""Publishing and consuming events; what every broker adapter promises.

A publisher returns once the broker has taken responsibility: for the embedded broker that means every bound
queue has handled the event or has parked it durably for a later attempt.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from services.kit.events import Envelope, matches
from services.kit.wire import Wire

Handler = Callable[[Envelope], Awaitable[None]]


@dataclass(frozen=True)
class Subscription:
    """A queue, the topics bound to it, and the consumer. The consumer is idempotent and raises to be called again."""

    queue: str
    topics: tuple[str, ...]
    handle: Handler

    def wants(self, event_type: str) -> bool:
        return any(matches(topic, event_type) for topic in self.topics)


class DeadLetter(Wire):
    """An event a queue gave up on, with the reason of its last attempt."""

    letter_id: str
    queue: str
    reason: str
    attempts: int
    at: datetime
    event: Envelope


class Publisher(Protocol):
    async def publish(self, event: Envelope) -> None:
        """Return when the broker holds the event; raise when it does not."""


@dataclass(frozen=True)
class RetryPolicy:
    """Attempts in all, and the seconds before each further one; a handler that hangs is cut off."""

    attempts: int = 5
    delays: tuple[float, ...] = (1.0, 5.0, 30.0, 120.0)
    handler_seconds: float = 30.0

    def delay_after(self, attempts: int) -> float:
        return self.delays[min(attempts, len(self.delays)) - 1]
