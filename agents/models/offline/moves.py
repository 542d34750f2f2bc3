"""What the planner can do next."""

from dataclasses import dataclass, field
from typing import Any

from agents.models.offline.turn import Json


@dataclass(frozen=True)
class Call:
    tool: str
    args: Json = field(default_factory=dict)


@dataclass(frozen=True)
class Act:
    """Call these tools, together."""

    calls: tuple[Call, ...]


@dataclass(frozen=True)
class Ask:
    """What an answer will complete; becomes STATE.pending."""

    tool: str
    args: Json
    slot: str
    options: list[Json] = field(default_factory=list)

    def to_json(self) -> Json:
        return {"tool": self.tool, "args": self.args, "slot": self.slot, "options": self.options}


@dataclass(frozen=True)
class Say:
    """Answer with a template; with `ask` it is a question."""

    template: str
    values: dict[str, Any] = field(default_factory=dict)
    ask: Ask | None = None


Move = Act | Say


def act(tool: str, **args: Any) -> Act:
    """One call; arguments that are None are left out."""
    return Act((Call(tool, {name: value for name, value in args.items() if value is not None}),))
