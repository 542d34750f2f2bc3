"""What a model may do, checked in code before every call: words in a prompt cannot change it."""

from collections.abc import Iterable
from typing import Any

from agents.turn import Turn
from tools.kinds import Arguments, Kind, Tool, ToolResult, refused

_ID_ARGUMENTS = ("product_id", "variant_id", "order_id", "address_id", "product_ids")
_ID_KEYS = {"productId", "variantId", "orderId", "addressId", "itemId"}


def check(tool: Tool, arguments: Arguments, known_ids: Iterable[str], turn: Turn) -> ToolResult | None:
    """The refusal, or None when the call may go ahead."""
    if not tool.open_to(turn.who):
        return refused("forbidden", f"{tool.name} is not for this caller")
    if turn.cancelled.is_set():
        return refused("cancelled", "the shopper stopped this turn; nothing was done")
    if turn.usage.tool_calls > turn.limits.tool_calls:
        return refused("budget_spent", "too many tool calls in one turn; answer with what is known")
    if tool.kind is Kind.READ:
        return None
    return _provenance(arguments, set(known_ids))


def _provenance(arguments: Arguments, known: set[str]) -> ToolResult | None:
    """A change may name only ids that a tool returned in this conversation."""
    for name in _ID_ARGUMENTS:
        value = getattr(arguments, name, None)
        for one in value if isinstance(value, list) else [value]:
            if one is not None and one not in known:
                message = f"{name} {one!r} was not returned by a tool in this conversation; look it up first"
                return refused("unknown_reference", message, field_name=name)
    return None


def ids_in(data: Any) -> list[str]:
    """Every id that stands under an id key; text is never read for ids."""
    found: list[str] = []
    if isinstance(data, dict):
        for key, value in data.items():
            if key in _ID_KEYS and isinstance(value, str):
                found.append(value)
            else:
                found.extend(ids_in(value))
    elif isinstance(data, list):
        for item in data:
            found.extend(ids_in(item))
    return found
