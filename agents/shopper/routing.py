"""Where the graph goes next: open READ and WRITE calls first, side by side; then at most one PAY call, with consent."""

from collections.abc import Sequence
from typing import Any

from langchain_core.messages import AIMessage, AnyMessage, ToolMessage
from langgraph.graph import END
from langgraph.types import Send

from agents.shopper.state import ActState, ShopperState
from tools.kinds import Kind
from tools.registry import Registry


def open_calls(messages: Sequence[AnyMessage]) -> list[dict[str, Any]]:
    """Calls of the last AI message that have no result yet."""
    answered = {m.tool_call_id for m in messages if isinstance(m, ToolMessage)}
    last = next((m for m in reversed(messages) if isinstance(m, AIMessage)), None)
    return [dict(call) for call in (last.tool_calls if last else []) if call["id"] not in answered]


def pay_call(state: ShopperState, registry: Registry) -> dict[str, Any]:
    """The first open call that needs consent."""
    return next(call for call in open_calls(state["messages"]) if _is_pay(call, registry))


def _is_pay(call: dict[str, Any], registry: Registry) -> bool:
    tool = registry.find(call["name"])
    return tool is not None and tool.kind is Kind.PAY


class Routing:
    """The conditional edges."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry

    def after_model(self, state: ShopperState) -> str | list[Send]:
        return self._open(state) or "reply"

    def after_step(self, state: ShopperState) -> str | list[Send]:
        return self._open(state) or "model"

    def after_propose(self, state: ShopperState) -> str | list[Send]:
        return "consent" if state.get("approval") else self.after_step(state)

    def after_consent(self, state: ShopperState) -> str | list[Send]:
        """Approved → act; withdrawn → the end, for a new message waits; otherwise the model hears of it."""
        approval = state.get("approval")
        if approval:
            call = next(call for call in open_calls(state["messages"]) if call["id"] == approval["callId"])
            return [Send("act", self._act(state, {**call, "args": approval["args"]}, 0, approval["approvalId"]))]
        return END if state.get("withdrawn") else self.after_step(state)

    def _open(self, state: ShopperState) -> str | list[Send] | None:
        calls = open_calls(state["messages"])
        free = [(n, call) for n, call in enumerate(calls) if not _is_pay(call, self._registry)]
        if free:
            return [Send("act", self._act(state, call, n, None)) for n, call in free]
        return "propose" if calls else None

    def _act(self, state: ShopperState, call: dict[str, Any], n: int, approval_id: str | None) -> ActState:
        done = len(state.get("evidence", []))
        known = state.get("known_ids", [])
        return ActState(call=call, ordinal=done + n, known_ids=known, approval_id=approval_id)
