"""Ask the chat model for the next step, and let its words out sentence by sentence as they are covered."""

from collections.abc import Callable, Sequence
from typing import Any

from langchain_core.messages import AIMessage, AnyMessage, BaseMessage, HumanMessage, SystemMessage, ToolMessage
from langgraph.runtime import Runtime

from agents.models.calling import ChatModels, ModelAway
from agents.receipts import Evidence, Guard
from agents.shopper import view
from agents.shopper.state import ShopperState
from agents.turn import Turn
from tools.registry import Registry

_ENDINGS = {
    "cancelled": "Stopped, as you asked.",
    "steps": "I went round in circles on that one, so I stopped. Could you say it in another way?",
    "seconds": "That took too long, so I stopped. Please try again.",
    "tokens": "That got too long for one go, so I stopped. Could you ask for a smaller piece?",
}
_AWAY = "I can't reach my language model right now. Nothing was changed; please try again in a moment."
_EARLIER = '{"ok": true, "data": "an earlier result; what matters of it stands in State"}'
_CUT_OFF = (
    '{"ok": false, "error": {"code": "interrupted", "message": "this call was cut off; look before trying again"}}'
)
_LONG = 400


class ModelNode:
    """One step of thinking."""

    def __init__(self, models: ChatModels, registry: Registry, prompt: Callable[[], str]) -> None:
        self._models = models
        self._registry = registry
        self._prompt = prompt

    async def __call__(self, state: ShopperState, runtime: Runtime[Turn]) -> dict[str, Any]:
        turn = runtime.context
        ending = turn.spent()
        if ending:
            return {"messages": [AIMessage(_ENDINGS[ending])]}
        turn.usage.steps += 1
        guard = Guard(Evidence.of(said(state["messages"]), state.get("evidence", []), state.get("receipts", [])))
        released: list[str] = []

        async def on_text(delta: str) -> None:
            await _release(guard.feed(delta), released, turn)

        try:
            answer = await self._ask(state, turn, on_text)
        except ModelAway:
            return {"messages": [AIMessage(_AWAY)]}
        await _release(guard.finish(), released, turn)
        if guard.withheld:
            answer.additional_kwargs["withheld"] = len(guard.withheld)
        return {"messages": [answer], "released": released}

    async def _ask(self, state: ShopperState, turn: Turn, on_text: Any) -> AIMessage:
        tools = [tool.schema() for tool in self._registry.offered_to(turn.who)]
        answer = await self._models.ask(self._messages(state, turn), tools, turn, on_text)
        return AIMessage(
            content=answer.content,
            tool_calls=_numbered(answer, turn, calls_of_turn(state["messages"])),
            additional_kwargs=answer.additional_kwargs,
            usage_metadata=answer.usage_metadata,
        )

    def _messages(self, state: ShopperState, turn: Turn) -> list[BaseMessage]:
        head: list[BaseMessage] = [SystemMessage(self._prompt())]
        head.append(SystemMessage(view.text(state.get("view", {}), turn.who, turn.clock.now().date())))
        if state.get("summary"):
            head.append(SystemMessage("## Summary\n" + state["summary"]))
        return head + shortened(state["messages"])


def calls_of_turn(messages: Sequence[AnyMessage]) -> int:
    """Calls made since the shopper's message, also before an approval was waited for."""
    return sum(len(m.tool_calls) for m in messages[_current(messages) :] if isinstance(m, AIMessage))


def _current(messages: Sequence[AnyMessage]) -> int:
    return max((i for i, m in enumerate(messages) if isinstance(m, HumanMessage)), default=0)


def _numbered(answer: AIMessage, turn: Turn, base: int) -> list[Any]:
    """Calls with ids of our own: a broken call of the model keeps its name and gets arguments that fail validation."""
    broken = [
        {"name": call["name"] or "unknown", "args": {"malformed_json": str(call["args"])[:200]}}
        for call in answer.invalid_tool_calls
    ]
    calls = [{"name": call["name"], "args": call["args"]} for call in answer.tool_calls] + broken
    turn.usage.tool_calls += len(calls)
    return [
        {**call, "id": f"call_{turn.turn_id[-12:]}_{base + n}", "type": "tool_call"}
        for n, call in enumerate(calls, start=1)
    ]


async def _release(sentences: Sequence[str], released: list[str], turn: Turn) -> None:
    for sentence in sentences:
        released.append(sentence)
        await turn.emit({"type": "token", "text": sentence})


def said(messages: Sequence[AnyMessage]) -> str:
    """The shopper's own words of this turn."""
    return next((str(m.content) for m in reversed(messages) if isinstance(m, HumanMessage)), "")


def shortened(messages: Sequence[AnyMessage]) -> list[BaseMessage]:
    """Long tool results of earlier turns give way to a note; this turn's stay whole.

    A call that was cut off by a crash gets an answer that says so: providers refuse a call without one.
    """
    current = _current(messages)
    answered = {m.tool_call_id for m in messages if isinstance(m, ToolMessage)}
    short: list[BaseMessage] = []
    for i, m in enumerate(messages):
        is_old = isinstance(m, ToolMessage) and i < current and len(m.content) > _LONG
        short.append(m.model_copy(update={"content": _EARLIER}) if is_old else m)
        if isinstance(m, AIMessage):
            cut_off = [call for call in m.tool_calls if call["id"] not in answered]
            short += [ToolMessage(_CUT_OFF, tool_call_id=call["id"], name=call["name"]) for call in cut_off]
    return short
