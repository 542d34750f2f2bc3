"""One wish of a turn with everything its answer depends on."""

from dataclasses import dataclass

from agents.models.offline.slots.grammar import Slots
from agents.models.offline.turn import State, Step, Turn


@dataclass(frozen=True)
class Wish:
    """`steps` are those already done for this wish; a decision of None means it is fulfilled."""

    intent: str
    slots: Slots
    turn: Turn
    steps: tuple[Step, ...] = ()

    @property
    def state(self) -> State:
        return self.turn.state

    def done(self, *tools: str) -> Step | None:
        """The last step of this wish by one of these tools."""
        return next((step for step in reversed(self.steps) if step.tool in tools), None)
