"""Asking consent, apart from acting: `propose` stores the question, `consent` only waits for its answer.

Code before `interrupt` runs again when the graph resumes, so the waiting node does nothing else.
"""

from typing import Any

import orjson
from langchain_core.messages import ToolMessage
from langgraph.runtime import Runtime
from langgraph.types import interrupt

from agents import policy
from agents.consent import Consents
from agents.shopper import view
from agents.shopper.routing import open_calls, pay_call
from agents.shopper.state import ShopperState
from agents.turn import Turn
from services.kit.errors import CohortError
from tools.kinds import Call, Proposal, ToolResult, from_error, refused
from tools.registry import Registry

_REASONS = {
    "rejected": ("consent_rejected", "the buyer said no; nothing was done"),
    "withdrawn": ("consent_withdrawn", "the buyer went on to something else; nothing was done"),
    "expired": ("consent_expired", "the approval came too late; nothing was done, ask again if it is still wanted"),
}


class ProposeNode:
    """Works out exactly what would be done and stores it as a consent record; a refusal goes back to the model."""

    def __init__(self, registry: Registry, consents: Consents) -> None:
        self._registry = registry
        self._consents = consents

    async def __call__(self, state: ShopperState, runtime: Runtime[Turn]) -> dict[str, Any]:
        turn = runtime.context
        call = pay_call(state, self._registry)
        proposal = await self._proposal(call, state, turn)
        if isinstance(proposal, ToolResult):
            return _answered(call, proposal)
        consent = await self._consents.ask(turn.who, turn.conversation_id, turn.turn_id, call["name"], proposal)
        approval = {
            "callId": call["id"],
            "approvalId": consent.approval_id,
            "args": proposal.arguments,
            "decision": None,
        }
        return {"approval": approval, "view": {"pending": None}}

    async def _proposal(self, call: dict[str, Any], state: ShopperState, turn: Turn) -> Proposal | ToolResult:
        parsed = self._registry.parse(call["name"], call["args"], turn.who)
        if isinstance(parsed, ToolResult):
            return parsed
        tool, arguments = parsed
        stop = policy.check(tool, arguments, state.get("known_ids", []), turn)
        if stop or tool.prepare is None:
            return stop or refused("not_possible", f"{tool.name} cannot be proposed")
        try:
            return await tool.prepare(Call(who=turn.who, key=""), arguments)
        except CohortError as error:
            return from_error(error)


async def consent(state: ShopperState, runtime: Runtime[Turn]) -> dict[str, Any]:
    """Wait for the buyer. The answer comes by interrupt id as {"decision": …}."""
    del runtime
    approval = state["approval"]
    assert approval is not None  # noqa: S101 - propose wrote it
    decision = interrupt({"approvalId": approval["approvalId"]})["decision"]
    if decision == "approved":
        return {"approval": {**approval, "decision": decision}, "known_ids": _approved_ids(approval["args"])}
    code, message = _REASONS[decision]
    call = next(call for call in open_calls(state["messages"]) if call["id"] == approval["callId"])
    return {**_answered(call, refused(code, message)), "approval": None, "withdrawn": decision == "withdrawn"}


def _approved_ids(args: dict[str, Any]) -> list[str]:
    """What the buyer approved by id is known from then on."""
    return [value for value in args.values() if isinstance(value, str)]


def _answered(call: dict[str, Any], result: ToolResult) -> dict[str, Any]:
    content = result.content()
    return {
        "messages": [ToolMessage(orjson.dumps(content).decode(), tool_call_id=call["id"], name=call["name"])],
        "view": view.after(call["name"], call["args"], content),
        "evidence": [{"name": call["name"], "args": call["args"], "content": content}],
    }
