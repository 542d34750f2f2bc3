"""Start a turn: fresh evidence, the cart and the stated preferences of now, and a history that stays bounded."""

import asyncio
from typing import Any

from langchain_core.messages import AnyMessage, HumanMessage, RemoveMessage
from langgraph.runtime import Runtime

from agents.shopper import view
from agents.shopper.state import ShopperState
from agents.turn import Turn
from services.kit.errors import CohortError
from tools.cart import NoArguments
from tools.kinds import Call
from tools.registry import Registry

_KEEP_TURNS = 12
_SUMMARY_CHARS = 2_000


class BeginNode:
    """Runs once per message."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry

    async def __call__(self, state: ShopperState, runtime: Runtime[Turn]) -> dict[str, Any]:
        change: dict[str, Any] = {
            "evidence": None,
            "receipts": None,
            "released": None,
            "approval": None,
            "withdrawn": False,
        }
        (cart, change["known_ids"]), tastes = await asyncio.gather(
            self._cart_now(runtime.context), self._tastes(runtime.context)
        )
        change["view"] = {**cart, **tastes}
        old = _old_turns(state["messages"])
        if old:
            change["messages"] = [RemoveMessage(id=m.id) for m in old if m.id]
            change["summary"] = _summary(state.get("summary", ""), old)
        return change

    async def _cart_now(self, turn: Turn) -> tuple[dict[str, Any], list[str]]:
        data = await self._look("view_cart", turn)
        if data is None:
            return {}, []
        cart = view.cart(data)
        ids = [line[key] for line in cart["items"] for key in ("productId", "variantId")]
        return {"cart": cart}, ids

    async def _tastes(self, turn: Turn) -> dict[str, Any]:
        data = await self._look("get_preferences", turn)
        return {} if data is None else {"preferences": data["preferences"] or None}

    async def _look(self, name: str, turn: Turn) -> dict[str, Any] | None:
        """What a tool shows; None when it has nothing to say right now."""
        tool = self._registry.find(name)
        if tool is None:
            return None
        try:
            result = await self._registry.run(tool, NoArguments(), Call(who=turn.who, key=""))
        except CohortError:
            return None
        return result.data if result.ok else None


def _old_turns(messages: list[AnyMessage]) -> list[AnyMessage]:
    starts = [i for i, m in enumerate(messages) if isinstance(m, HumanMessage)]
    return messages[: starts[-_KEEP_TURNS]] if len(starts) > _KEEP_TURNS else []


def _summary(before: str, old: list[AnyMessage]) -> str:
    """What the shopper asked earlier, newest last, within a budget."""
    asked = [f"- {m.content}"[:200] for m in old if isinstance(m, HumanMessage)]
    return "\n".join([line for line in [before, *asked] if line])[-_SUMMARY_CHARS:]
