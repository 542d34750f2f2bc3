"""What a conversation remembers between steps and turns; checkpointed, so plain JSON and messages only."""

from typing import Annotated, Any, TypedDict

from langchain_core.messages import AnyMessage
from langgraph.graph.message import add_messages


def merge(old: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
    """Later keys win; a None forgets the key."""
    merged = {**old, **new}
    return {key: value for key, value in merged.items() if value is not None}


def gather(old: list[Any], new: list[Any] | None) -> list[Any]:
    """Add to the turn's list; None starts it afresh."""
    return [] if new is None else old + new


def remember(old: list[str], new: list[str]) -> list[str]:
    """A set that keeps its order and its last two thousand."""
    return list(dict.fromkeys(old + new))[-2_000:]


class ShopperState(TypedDict, total=False):
    """`view` is what the model is shown as State, `evidence` the tool results of this turn."""

    messages: Annotated[list[AnyMessage], add_messages]
    view: Annotated[dict[str, Any], merge]
    known_ids: Annotated[list[str], remember]
    evidence: Annotated[list[dict[str, Any]], gather]
    receipts: Annotated[list[dict[str, Any]], gather]
    approval: dict[str, Any] | None
    released: Annotated[list[str], gather]
    withdrawn: bool
    summary: str


class ActState(TypedDict):
    """One tool call, sent to the act node on its own."""

    call: dict[str, Any]
    ordinal: int
    known_ids: list[str]
    approval_id: str | None
