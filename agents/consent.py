"""Consent: a stored record of exactly what the buyer was asked and what was answered.

Its id is the idempotency key of the action, so the action's own record uses it up.
"""

import hashlib
from datetime import datetime, timedelta
from typing import Any, Literal

import orjson

from services.kit.clock import Clock
from services.kit.errors import Conflict, NotFound
from services.kit.ids import Ids
from services.kit.mongo import Database, ascending, ensure_indexes
from services.kit.principal import Principal
from services.kit.wire import Wire
from tools.kinds import Proposal

Decision = Literal["approved", "rejected", "withdrawn", "expired"]


class ApprovalClosed(Conflict):
    """The approval was decided, withdrawn or has expired; `details.status`."""

    code = "approval_closed"


class Consent(Wire):
    """Bound to user, conversation, tool, normalised arguments, cart version, quote and total."""

    approval_id: str
    user_id: str
    conversation_id: str
    turn_id: str
    tool: str
    args: dict[str, Any]
    args_hash: str
    summary: str
    quote: dict[str, Any]
    quote_hash: str | None
    cart_version: int | None
    total: int | None
    status: str
    created_at: datetime
    expires_at: datetime
    interrupt_id: str | None = None

    def request_frame(self) -> dict[str, Any]:
        """The approval_request the client sees; also the answer of GET /chat/approvals/{id}."""
        return {
            "type": "approval_request",
            "approvalId": self.approval_id,
            "action": self.tool,
            "args": self.args,
            "summary": self.summary,
            "quote": self.quote,
            "expiresAt": self.expires_at.isoformat(),
        }

    def covers(self, who: Principal, conversation_id: str, tool: str, args: dict[str, Any]) -> bool:
        same_caller = who.user_id == self.user_id and conversation_id == self.conversation_id
        return same_caller and tool == self.tool and hash_of(args) == self.args_hash and self.status == "approved"


def hash_of(args: dict[str, Any]) -> str:
    return hashlib.sha256(orjson.dumps(args, option=orjson.OPT_SORT_KEYS)).hexdigest()


class Consents:
    """The `consents` collection of the chat database."""

    def __init__(self, database: Database, ids: Ids, clock: Clock, *, minutes: float = 15.0) -> None:
        self._database = database
        self._rows = database["consents"]
        self._ids = ids
        self._clock = clock
        self._valid = timedelta(minutes=minutes)

    async def prepare(self) -> None:
        await ensure_indexes(self._database, {"consents": [ascending("conversationId", "status")]})

    async def ask(self, who: Principal, conversation_id: str, turn_id: str, tool: str, proposal: Proposal) -> Consent:
        """Store the open question."""
        now = self._clock.now()
        consent = Consent(
            approval_id=self._ids.new("apr"), user_id=who.user_id, conversation_id=conversation_id, turn_id=turn_id,
            tool=tool, args=proposal.arguments, args_hash=hash_of(proposal.arguments), summary=proposal.summary,
            quote=proposal.quote, quote_hash=proposal.quote_hash, cart_version=proposal.cart_version,
            total=proposal.total, status="open", created_at=now, expires_at=now + self._valid,
        )  # fmt: skip
        row = consent.model_dump(by_alias=True)
        await self._rows.insert_one({"_id": row.pop("approvalId"), **row})
        return consent

    async def interrupted(self, approval_id: str, interrupt_id: str) -> None:
        """Remember which interrupt of the graph waits for this answer."""
        await self._rows.update_one({"_id": approval_id}, {"$set": {"interruptId": interrupt_id}})

    async def get(self, who: Principal, approval_id: str) -> Consent:
        """The caller's own. Raises NotFound."""
        row = await self._rows.find_one({"_id": approval_id})
        if row is None or row["userId"] != who.user_id:
            raise NotFound.of("approval")
        return _consent(row)

    async def open_in(self, conversation_id: str) -> Consent | None:
        row = await self._rows.find_one({"conversationId": conversation_id, "status": "open"})
        return None if row is None else _consent(row)

    async def of_turn(self, conversation_id: str, turn_id: str) -> Consent | None:
        """The last question a turn asked."""
        rows = await self._rows.find({"conversationId": conversation_id}).to_list(None)
        asked = sorted((row for row in rows if row["turnId"] == turn_id), key=lambda row: row["createdAt"])
        return _consent(asked[-1]) if asked else None

    async def decide(self, consent: Consent, decision: Decision) -> Decision:
        """Settle it once; past its time an approval becomes `expired`. Raises ApprovalClosed for a second answer."""
        if decision == "approved" and self._clock.now() >= consent.expires_at:
            decision = "expired"
        done = await self._rows.update_one(
            {"_id": consent.approval_id, "status": "open"},
            {"$set": {"status": decision, "decidedAt": self._clock.now()}},
        )
        if done.modified_count != 1:
            row = await self._rows.find_one({"_id": consent.approval_id})
            status = row["status"] if row else "gone"
            raise ApprovalClosed(f"this approval is {status} already", details={"status": status})
        return decision

    async def forget(self, conversation_id: str) -> None:
        """Erase the open questions of a conversation; settled ones stay as the audit trail of money."""
        await self._rows.delete_many({"conversationId": conversation_id, "status": "open"})


def _consent(row: dict[str, Any]) -> Consent:
    return Consent.from_wire({"approvalId": row["_id"], **row})
