import pytest

from services.cart.repository import CartRepository
from services.cart.service import CartService
from services.kit.clock import ManualClock
from services.kit.ids import RandomIds
from services.kit.mongo import Mongo
from services.kit.outbox import Outbox
from services.kit.principal import Principal
from tests.fakes.catalog import FakeCatalog


@pytest.fixture
def catalog(clock: ManualClock) -> FakeCatalog:
    return FakeCatalog(clock)


@pytest.fixture
def outbox(mongo: Mongo, ids: RandomIds, clock: ManualClock) -> Outbox:
    return Outbox(mongo, "cart", ids, clock)


@pytest.fixture
async def cart(outbox: Outbox, catalog: FakeCatalog, clock: ManualClock) -> CartService:
    repository = CartRepository(outbox.database, clock)
    await repository.prepare()
    return CartService(repository, outbox, catalog)


@pytest.fixture
def asha(ids: RandomIds) -> Principal:
    return Principal(user_id=ids.new("usr"), roles=frozenset({"customer"}))


@pytest.fixture
def guest(ids: RandomIds) -> Principal:
    return Principal(user_id=ids.new("gst"))
