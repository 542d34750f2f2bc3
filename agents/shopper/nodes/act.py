"""Do one tool call: policy in code, then one call to one port, then what the client and the model get to see."""

import asyncio
import hashlib
import time
from typing import Any

import orjson
from langchain_core.messages import ToolMessage
from langgraph.runtime import Runtime

from agents import policy
from agents.consent import Consent, Consents
from agents.shopper import view
from agents.shopper.state import ActState
from agents.turn import Turn
from services.kit.log import get_logger
from tools.kinds import Arguments, Call, Kind, Tool, ToolResult, refused
from tools.registry import Registry

log = get_logger("act")
_PRODUCT_TOOLS = {"search_products", "similar_products", "get_recommendations", "compare_products"}
_CART_TOOLS = {"view_cart", "add_to_cart", "update_cart_item", "remove_from_cart", "clear_cart"}


class ActNode:
    """Runs on its own for every call, also for several at once."""

    def __init__(self, registry: Registry, consents: Consents, *, tool_seconds: float = 20.0) -> None:
        self._registry = registry
        self._consents = consents
        self._tool_seconds = tool_seconds

    async def __call__(self, state: ActState, runtime: Runtime[Turn]) -> dict[str, Any]:
        turn, call = runtime.context, state["call"]
        started = time.perf_counter()
        result, args = await self._do(state, turn)
        if state["approval_id"] is not None:
            await turn.emit(_closed(state["approval_id"], result))
        ms = (time.perf_counter() - started) * 1000
        turn.usage.tool_ms += ms
        await self._show(call, result, ms, turn)
        return _remembered(call, args, result)

    async def _do(self, state: ActState, turn: Turn) -> tuple[ToolResult, dict[str, Any]]:
        call = state["call"]
        parsed = self._registry.parse(call["name"], call["args"], turn.who)
        if isinstance(parsed, ToolResult):
            return parsed, call["args"]
        tool, arguments = parsed
        args = arguments.model_dump(exclude_none=True, exclude_defaults=True)
        stop = policy.check(tool, arguments, state["known_ids"], turn)
        if stop:
            return stop, args
        consent = await self._consent(tool, state, turn)
        if isinstance(consent, ToolResult):
            return consent, args
        await turn.emit({"type": "tool_start", "callId": call["id"], "name": tool.name, "args": args})
        return await self._run(tool, arguments, self._key(state, turn, consent), turn, consent), args

    async def _consent(self, tool: Tool, state: ActState, turn: Turn) -> Consent | ToolResult | None:
        """The consent that covers exactly this call, or the refusal; None where none is needed."""
        if tool.kind is not Kind.PAY:
            return None
        if state["approval_id"] is None:
            return refused("consent_required", f"{tool.name} needs the buyer's approval")
        consent = await self._consents.get(turn.who, state["approval_id"])
        if not consent.covers(turn.who, turn.conversation_id, tool.name, state["call"]["args"]):
            return refused("consent_mismatch", "the approval was given for something else")
        return consent

    def _key(self, state: ActState, turn: Turn, consent: Consent | None) -> str:
        if consent is not None:
            return consent.approval_id
        args = orjson.dumps(state["call"]["args"], option=orjson.OPT_SORT_KEYS)
        parts = [turn.conversation_id, turn.message_id, state["call"]["name"], args.hex(), str(state["ordinal"])]
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()

    async def _run(self, tool: Tool, arguments: Arguments, key: str, turn: Turn, consent: Consent | None) -> ToolResult:
        if turn.restore is not None:
            arguments = tool.arguments.model_validate(await turn.restore(arguments.model_dump(exclude_unset=True)))
        call = Call(who=turn.who, key=key, quote_hash=consent.quote_hash if consent else None)
        try:
            result = await asyncio.wait_for(self._registry.run(tool, arguments, call), self._tool_seconds)
        except TimeoutError:
            result = refused("timeout", f"{tool.name} took too long; whether it happened is not known yet")
        except Exception:
            log.exception("tool_crashed", tool=tool.name)
            result = refused("unavailable", f"{tool.name} is not working right now; nothing is known to have changed")
        return result

    async def _show(self, call: dict[str, Any], result: ToolResult, ms: float, turn: Turn) -> None:
        end = {"type": "tool_end", "callId": call["id"], "name": call["name"], "ok": result.ok, "ms": round(ms)}
        await turn.emit(end)
        for frame in _frames(call["name"], result):
            await turn.emit(frame)


def _closed(approval_id: str, result: ToolResult) -> dict[str, Any]:
    """How an approved action's question ended: a changed quote or a stop in between used nothing up."""
    code = result.error["code"] if result.error else ""
    reason = {"quote_changed": "changed", "cancelled": "withdrawn"}.get(code, "approved")
    return {"type": "approval_closed", "approvalId": approval_id, "reason": reason}


def _frames(name: str, result: ToolResult) -> list[dict[str, Any]]:
    """What the server itself shows, from live data."""
    if not result.ok:
        return []
    data = result.data
    if name in _PRODUCT_TOOLS and data["items"]:
        return [{"type": "products", "items": data["items"]}]
    if name in _CART_TOOLS:
        return [{"type": "cart", "cart": {key: value for key, value in data.items() if key != "added"}}]
    if name in {"place_order", "pay_order"}:
        return [{"type": "order", "order": data["order"]}, *_payment(data.get("payment"))]
    if name in {"track_order", "cancel_order"}:
        return [{"type": "order", "order": data}]
    return []


def _payment(payment: dict[str, Any] | None) -> list[dict[str, Any]]:
    if payment is None:
        return []
    keys = ("orderId", "razorpayOrderId", "keyId", "amount", "currency")
    return [{"type": "payment_request", **{key: payment[key] for key in keys}}]


def _remembered(call: dict[str, Any], args: dict[str, Any], result: ToolResult) -> dict[str, Any]:
    content = result.content()
    return {
        "messages": [ToolMessage(orjson.dumps(content).decode(), tool_call_id=call["id"], name=call["name"])],
        "view": view.after(call["name"], args, content),
        "known_ids": policy.ids_in(content),
        "evidence": [{"name": call["name"], "args": args, "content": content}],
        "receipts": [result.receipt.to_wire()] if result.receipt else [],
    }
