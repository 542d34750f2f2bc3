import pytest
from payments_world import Till

from services.kit.clock import ManualClock
from services.kit.ids import RandomIds
from services.kit.mongo import Mongo


@pytest.fixture
async def till(mongo: Mongo, ids: RandomIds, clock: ManualClock) -> Till:
    opened = Till(mongo, ids, clock)
    await opened.prepare()
    return opened
