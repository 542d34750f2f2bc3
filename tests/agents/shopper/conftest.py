"""One assistant per test."""

import pytest
from langgraph.checkpoint.mongodb import MongoDBSaver

from services.kit.clock import ManualClock
from services.kit.ids import RandomIds
from services.kit.mongo import Mongo
from tests.fakes.assistant import ASHA, Assistant, open_saver, session_of
from tests.fakes.shop import ScriptedModel, Shop


@pytest.fixture
def saver(mongo: Mongo):
    with open_saver(mongo) as opened:
        yield opened


@pytest.fixture
async def assistant(mongo: Mongo, saver: MongoDBSaver, clock: ManualClock, ids: RandomIds) -> Assistant:
    model, shop = ScriptedModel.of(), Shop()
    session = session_of(mongo, saver, model, shop, clock)
    return Assistant(session, model, shop, ids, await session.conversations.start(ASHA))
