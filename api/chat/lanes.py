"""Jobs of one conversation, one after the other, with a bounded queue."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from agents.session import Outcome
from agents.turn import Turn
from api.chat.emitting import TurnFrames
from services.kit.principal import Principal

Work = Callable[[Turn], Awaitable[Outcome | None]]
"""Runs the turn; None says there was nothing to run any more."""


@dataclass(eq=False)
class Job:
    """A turn, or the rest of one. `finished` gets its outcome, or the error its caller must hear of."""

    who: Principal
    conversation_id: str
    turn_id: str
    message_id: str
    work: Work
    cancelled: asyncio.Event = field(default_factory=asyncio.Event)
    frames: TurnFrames | None = None
    finished: "asyncio.Future[Outcome | None]" = field(
        default_factory=lambda: asyncio.get_running_loop().create_future()
    )

    def named(self, turn_or_message_id: str) -> bool:
        return turn_or_message_id in {self.turn_id, self.message_id}

    def finish(self, outcome: Outcome | None) -> None:
        if not self.finished.done():
            self.finished.set_result(outcome)

    def fail(self, error: Exception) -> None:
        if not self.finished.done():
            self.finished.set_exception(error)
            self.finished.exception()


class Lane:
    """The job that runs and those that wait for it. `held` places are promised but not yet filled."""

    def __init__(self) -> None:
        self.running: Job | None = None
        self.waiting: deque[Job] = deque()
        self.held = 0
        self.task: asyncio.Task[None] | None = None

    @property
    def ahead(self) -> int:
        return len(self.waiting) + self.held + (self.running is not None)

    def jobs(self) -> list[Job]:
        return [*([self.running] if self.running else []), *self.waiting]
