import pytest

from services.kit.clock import ManualClock
from services.kit.ids import RandomIds
from services.kit.mongo import Mongo
from services.kit.outbox import Outbox
from services.sellers.service import SellersService
from tests.fakes.accounts import FakeAccounts
from tests.services.sellers.trade import SellersCatalog


@pytest.fixture
def catalog(clock: ManualClock) -> SellersCatalog:
    return SellersCatalog(clock)


@pytest.fixture
def accounts() -> FakeAccounts:
    found = FakeAccounts()
    found.names = {"usr_asha": "Asha Stores", "usr_ravi": "Ravi Traders"}
    return found


@pytest.fixture
def outbox(mongo: Mongo, ids: RandomIds, clock: ManualClock) -> Outbox:
    return Outbox(mongo, "sellers", ids, clock)


@pytest.fixture
async def sellers(outbox: Outbox, accounts: FakeAccounts, catalog: SellersCatalog, clock: ManualClock):
    service = SellersService(outbox, auth=accounts, catalog=catalog, clock=clock, auto_approve=True)
    await service.prepare()
    return service
