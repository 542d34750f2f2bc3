"""A conversation from outside: send a message, answer an approval, look back, erase."""

import asyncio
from typing import Any, Literal

from langchain_core.messages import AIMessage, HumanMessage
from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.mongodb import MongoDBSaver
from langgraph.types import Command, StateSnapshot

from agents.consent import Consent, Consents, Decision
from agents.memory import Conversations, StatedPreferences
from agents.shopper.graph import Graph
from agents.turn import Emit, Limits, Turn
from agents.vault import Vault
from services.kit.clock import Clock
from services.kit.log import get_logger
from services.kit.mongo import Database
from services.kit.principal import Principal

log = get_logger("session")
Outcome = Literal["done", "waiting", "withdrawn"]
MAX_TEXT = 8_000


def open_saver(client: Any, database_name: str) -> MongoDBSaver:
    """LangGraph's checkpoint saver on a blocking client that stays its caller's; blocks while it makes its indexes."""
    return MongoDBSaver(client, database_name)


class Checkpoints:
    """LangGraph's own saver, pruned to the last checkpoint of a conversation after each turn."""

    def __init__(self, saver: MongoDBSaver, database: Database) -> None:
        self.saver = saver
        self._checkpoints = database["checkpoints"]
        self._writes = database["checkpoint_writes"]

    async def prune(self, conversation_id: str) -> None:
        rows = await self._checkpoints.find({"thread_id": conversation_id}, {"checkpoint_id": 1}).to_list(None)
        old = sorted(row["checkpoint_id"] for row in rows)[:-1]
        if old:
            await self._checkpoints.delete_many({"_id": {"$in": [r["_id"] for r in rows if r["checkpoint_id"] in old]}})
            await self._writes.delete_many({"thread_id": conversation_id, "checkpoint_id": {"$in": old}})

    async def erase(self, conversation_id: str) -> None:
        await self.saver.adelete_thread(conversation_id)


class ShopperSession:
    """Drives the graph. One turn at a time per conversation is the caller's promise (the door holds the lease)."""

    def __init__(
        self,
        *,
        graph: Graph,
        checkpoints: Checkpoints,
        conversations: Conversations,
        consents: Consents,
        vault: Vault,
        preferences: StatedPreferences,
        clock: Clock,
        limits: Limits | None = None,
    ) -> None:
        self.conversations = conversations
        self.consents = consents
        self.preferences = preferences
        self._graph = graph
        self._checkpoints = checkpoints
        self._vault = vault
        self._clock = clock
        self._limits = limits or Limits()

    def turn(self, who: Principal, conversation_id: str, turn_id: str, message_id: str, emit: Emit) -> Turn:
        """A new turn with its time running. Set `turn.cancelled` to stop it between steps."""

        async def restore(value: Any) -> Any:
            return await self._vault.restore(conversation_id, value)

        deadline = asyncio.get_running_loop().time() + self._limits.seconds
        return Turn(
            who=who, conversation_id=conversation_id, turn_id=turn_id, message_id=message_id, emit=emit,
            clock=self._clock, deadline=deadline, limits=self._limits, restore=restore,
        )  # fmt: skip

    async def send(self, turn: Turn, text: str) -> Outcome:
        """Answer a message. An approval still open is withdrawn first.

        Emits the turn's frames up to `answer` and `done`, or up to `approval_request` (then the turn waits).
        """
        hidden = await self._vault.hide(turn.conversation_id, text[:MAX_TEXT])
        await asyncio.gather(self._withdraw_open(turn), self.conversations.touch(turn.conversation_id, hidden))
        return await self._run({"messages": [HumanMessage(hidden)]}, turn)

    async def decide(self, turn: Turn, consent: Consent, decision: Decision) -> Outcome:
        """Continue the turn that waits on this consent. Raises ApprovalClosed for a second answer."""
        settled = await self.consents.decide(consent, decision)
        if settled != "approved":
            frame = {"type": "approval_closed", "approvalId": consent.approval_id, "reason": settled}
            await turn.emit(frame)
        return await self._resume(turn, consent, settled)

    async def awaits(self, consent: Consent) -> bool:
        """Whether the answer to this consent still has work to do: true after a crash between answer and action."""
        snapshot = await self._state(consent.conversation_id)
        approval = snapshot.values.get("approval") or {}
        answered = bool(snapshot.next) and approval.get("approvalId") == consent.approval_id
        return _asks(snapshot, consent) or answered

    async def finish(self, turn: Turn, consent: Consent) -> Outcome:
        """Go on with a settled consent whose turn was cut off (a crash between approval and action); repeatable."""
        if not _asks(await self._state(consent.conversation_id), consent):
            return await self._run(None, turn)
        decision: Decision = consent.status  # type: ignore[assignment]
        return await self._resume(turn, consent, decision)

    async def _state(self, conversation_id: str) -> StateSnapshot:
        return await self._graph.aget_state({"configurable": {"thread_id": conversation_id}})

    async def ask_again(self, turn: Turn, consent: Consent) -> Outcome:
        """Show an open question whose turn was cut off before the client saw it."""
        await turn.emit(consent.request_frame())
        return "waiting"

    async def _resume(self, turn: Turn, consent: Consent, decision: Decision) -> Outcome:
        return await self._run(Command(resume={consent.interrupt_id: {"decision": decision}}), turn)

    async def _withdraw_open(self, turn: Turn) -> None:
        """A question without an interrupt was cut off before it was asked: its record alone is closed."""
        consent = await self.consents.open_in(turn.conversation_id)
        if consent is None:
            return
        if consent.interrupt_id is None:
            await self.consents.decide(consent, "withdrawn")
            return
        await self.decide(turn, consent, "withdrawn")
        message_id = await self.conversations.message_of_turn(turn.conversation_id, consent.turn_id)
        await self.conversations.settle(turn.conversation_id, message_id, "done")

    async def _run(self, given: Any, turn: Turn) -> Outcome:
        config: RunnableConfig = {"configurable": {"thread_id": turn.conversation_id}, "recursion_limit": 80}
        result = await self._graph.ainvoke(given, config, context=turn, durability="exit")
        interrupts = result.get("__interrupt__")
        if interrupts:
            return await self._wait(interrupts[0], turn)
        await self._checkpoints.prune(turn.conversation_id)
        if result.get("withdrawn"):
            return "withdrawn"
        await turn.emit({"type": "done", "usage": turn.usage.to_wire()})
        return "done"

    async def _wait(self, interrupt: Any, turn: Turn) -> Outcome:
        """Only an approval whose interrupt is stored may be answered, so it is shown after that."""
        approval_id = interrupt.value["approvalId"]
        await self.consents.interrupted(approval_id, interrupt.id)
        consent = await self.consents.get(turn.who, approval_id)
        await turn.emit(consent.request_frame())
        return "waiting"

    async def history(self, conversation_id: str) -> list[dict[str, str]]:
        """What was said, oldest first: {"role": "user" | "assistant", "text"}."""
        snapshot = await self._state(conversation_id)
        told = []
        for message in snapshot.values.get("messages", []):
            if isinstance(message, HumanMessage):
                told.append({"role": "user", "text": message.text})
            elif isinstance(message, AIMessage) and message.text:
                told.append({"role": "assistant", "text": message.text})
        return told

    async def erase(self, who: Principal, conversation_id: str) -> None:
        """Forget the conversation with its vault and checkpoints. Raises NotFound."""
        await self.conversations.get(who, conversation_id)
        await self._vault.forget(conversation_id)
        await self._checkpoints.erase(conversation_id)
        await self.consents.forget(conversation_id)
        await self.conversations.delete(conversation_id)


def _asks(snapshot: StateSnapshot, consent: Consent) -> bool:
    return consent.interrupt_id in {interrupt.id for interrupt in snapshot.interrupts}
