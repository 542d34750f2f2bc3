"""An assistant on real stores, with a scripted model and a small shop; fixtures are the tests' own."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from cryptography.fernet import Fernet
from langgraph.checkpoint.mongodb import MongoDBSaver

from agents.consent import Consent, Consents, Decision
from agents.memory import Conversation, Conversations, StatedPreferences
from agents.models.calling import ChatModels
from agents.session import Checkpoints, Outcome, ShopperSession
from agents.shopper import graph
from agents.turn import Limits, Turn
from agents.vault import Vault
from services.kit.clock import ManualClock
from services.kit.ids import RandomIds
from services.kit.mongo import Mongo
from services.kit.principal import Principal
from tests.fakes.shop import ScriptedModel, Shop

ASHA = Principal(user_id="usr_" + "a" * 32, roles=frozenset({"customer"}), name="Asha", session_id="ses_" + "1" * 32)
RAVI = Principal(user_id="usr_" + "b" * 32, roles=frozenset({"customer"}), name="Ravi", session_id="ses_" + "2" * 32)
GUEST = Principal(user_id="gst_" + "c" * 32)
LIMITS = Limits(steps=6, tool_calls=8, seconds=30)


@dataclass
class Assistant:
    """The session with what it stands on, and the frames it emitted."""

    session: ShopperSession
    model: ScriptedModel
    shop: Shop
    ids: RandomIds
    conversation: Conversation
    frames: list[dict[str, Any]] = field(default_factory=list)

    async def emit(self, frame: dict[str, Any]) -> None:
        self.frames.append(frame)

    def turn(self, who: Principal = ASHA, turn_id: str | None = None, message_id: str = "m1") -> Turn:
        made = turn_id or self.ids.new("trn")
        return self.session.turn(who, self.conversation.conversation_id, made, message_id, self.emit)

    async def say(self, text: str, who: Principal = ASHA) -> Outcome:
        turn = self.turn(who, message_id=self.ids.new("msg"))
        await self.session.conversations.see(turn.conversation_id, turn.message_id, turn.turn_id)
        return await self.session.send(turn, text)

    async def consent(self) -> Consent:
        asked = [frame for frame in self.frames if frame["type"] == "approval_request"]
        return await self.session.consents.get(ASHA, asked[-1]["approvalId"])

    async def decide(self, decision: Decision = "approved") -> Outcome:
        consent = await self.consent()
        return await self.session.decide(self.turn(turn_id=consent.turn_id), consent, decision)

    def of(self, kind: str) -> list[dict[str, Any]]:
        return [frame for frame in self.frames if frame["type"] == kind]

    @property
    def answer(self) -> str:
        return str(self.of("answer")[-1]["text"])


@contextmanager
def open_saver(mongo: Mongo) -> Iterator[MongoDBSaver]:
    client = mongo.blocking_client()
    yield MongoDBSaver(client, mongo.database("checkpoints").name)
    client.close()


def session_of(
    mongo: Mongo, saver: MongoDBSaver, model: ScriptedModel, shop: Shop, clock: ManualClock
) -> ShopperSession:
    database, ids = mongo.database("chat"), RandomIds()
    consents = Consents(database, ids, clock)
    registry = shop.registry()
    models = ChatModels("scripted", model, back_off=0.0)
    built = graph.build(
        models=models, registry=registry, consents=consents, prompt=lambda: "You sell shoes.", checkpointer=saver
    )
    return ShopperSession(
        graph=built,
        checkpoints=Checkpoints(saver, mongo.database("checkpoints")),
        conversations=Conversations(database, ids, clock),
        consents=consents,
        vault=Vault(database, Fernet.generate_key(), clock),
        preferences=StatedPreferences(database),
        clock=clock,
        limits=LIMITS,
    )
