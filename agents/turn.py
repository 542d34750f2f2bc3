"""One turn of a conversation: who speaks, where frames go, and what the turn may cost."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from services.kit.clock import Clock
from services.kit.principal import Principal

Frame = dict[str, Any]
Emit = Callable[[Frame], Awaitable[None]]
"""Sends one frame to the client; the door adds conversationId, turnId and seq."""


@dataclass(frozen=True)
class Limits:
    """What one turn may cost before it ends politely."""

    steps: int = 10
    tool_calls: int = 12
    seconds: float = 60.0
    tokens: int = 60_000


@dataclass
class Usage:
    """Counted over the turn; milliseconds and tokens."""

    model_ms: float = 0.0
    tool_ms: float = 0.0
    input_tokens: int = 0
    output_tokens: int = 0
    steps: int = 0
    tool_calls: int = 0

    def to_wire(self) -> dict[str, int]:
        return {
            "modelMs": round(self.model_ms),
            "toolMs": round(self.tool_ms),
            "inputTokens": self.input_tokens,
            "outputTokens": self.output_tokens,
        }


@dataclass
class Turn:
    """Passed to every node as the graph's context; never stored."""

    who: Principal
    conversation_id: str
    turn_id: str
    message_id: str
    emit: Emit
    clock: Clock
    deadline: float
    limits: Limits = field(default_factory=Limits)
    usage: Usage = field(default_factory=Usage)
    cancelled: asyncio.Event = field(default_factory=asyncio.Event)
    restore: Callable[[Any], Awaitable[Any]] | None = None

    @property
    def seconds_left(self) -> float:
        return self.deadline - asyncio.get_running_loop().time()

    def spent(self) -> str | None:
        """Why the turn must end now, or None."""
        if self.cancelled.is_set():
            return "cancelled"
        if self.usage.steps >= self.limits.steps or self.usage.tool_calls > self.limits.tool_calls:
            return "steps"
        if self.seconds_left <= 0:
            return "seconds"
        if self.usage.input_tokens + self.usage.output_tokens > self.limits.tokens:
            return "tokens"
        return None
