"""The turn's last word: what the model said and could say, else what the receipts tell."""

from typing import Any

from langchain_core.messages import AIMessage
from langgraph.runtime import Runtime

from agents.receipts import told_by_receipts
from agents.shopper.state import ShopperState
from agents.turn import Turn

_UNSURE = "I'm not sure I can say that correctly. Could you ask once more?"


async def reply(state: ShopperState, runtime: Runtime[Turn]) -> dict[str, Any]:
    """Emit the answer frame; remember an open question; store what was really told."""
    turn = runtime.context
    last = state["messages"][-1]
    assert isinstance(last, AIMessage)  # noqa: S101 - routing leads here from the model alone
    released, receipts = state.get("released", []), state.get("receipts", [])
    text = "".join(released).strip()
    missing = last.additional_kwargs.get("withheld") or (not text and "withheld" in last.additional_kwargs)
    if missing or not text:
        more = _rest(state, last, said_already=text)
        await turn.emit({"type": "token", "text": (" " if text else "") + more})
        text = f"{text} {more}".strip()
    await turn.emit({"type": "answer", "text": text, "receipts": receipts})
    told = last.model_copy(update={"content": text})
    return {"messages": [told], "view": {"pending": _pending(state, last)}, "approval": None}


def _rest(state: ShopperState, last: AIMessage, *, said_already: str) -> str:
    """Words of the server: its own endings as they are, otherwise the receipts."""
    own = last.usage_metadata is None and not last.additional_kwargs and last.text if not said_already else ""
    return own or told_by_receipts(state.get("receipts", []), state.get("evidence", [])) or _UNSURE


def _pending(state: ShopperState, last: AIMessage) -> dict[str, Any] | None:
    """What was asked back: by the model's own note, or because a tool named options in this turn."""
    ask: dict[str, Any] | None = last.additional_kwargs.get("ask")
    if ask:
        return ask
    failed = state.get("evidence", [])[-1:]
    if failed and (failed[0]["content"].get("error") or {}).get("code") == "variant_required":
        return state.get("view", {}).get("pending")
    return None
