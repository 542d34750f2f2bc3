import pytest

from services.contracts.orders import PlaceOrder
from services.kit.clock import ManualClock
from services.kit.events import Envelope
from services.kit.faults import NO_CRASHES, CrashPoints
from services.kit.idempotency import Idempotency, command_key
from services.kit.ids import RandomIds
from services.kit.mongo import Mongo
from services.kit.outbox import Outbox
from services.kit.principal import Principal
from services.orders.repository import OrderRepository
from services.orders.service import OrdersService
from tests.fakes.auth import FakeAddresses
from tests.fakes.cart import FakeCart
from tests.fakes.catalog import FakeCatalog
from tests.fakes.sellers import FakeSellers


class Shop:
    """The orders service among fakes, with what a test wants to do and see in one place."""

    def __init__(self, mongo: Mongo, ids: RandomIds, clock: ManualClock) -> None:
        self.clock = clock
        self.ids = ids
        self.outbox = Outbox(mongo, "orders", ids, clock)
        self.repository = OrderRepository(self.outbox.database)
        self.idempotency = Idempotency(self.outbox.database, ids, clock)
        self.catalog = FakeCatalog(clock)
        self.cart = FakeCart(self.catalog)
        self.addresses = FakeAddresses()
        self.sellers = FakeSellers()
        self.orders = self.service()

    def service(self, crash: CrashPoints = NO_CRASHES, **settings) -> OrdersService:
        return OrdersService(
            self.repository,
            self.outbox,
            self.idempotency,
            self.clock,
            cart=self.cart,
            catalog=self.catalog,
            auth=self.addresses,
            sellers=self.sellers,
            quote_secret=b"a secret of the tests",
            crash=crash,
            **settings,
        )

    def buyer(self, **quantities: int) -> Principal:
        """A new account with an address and this cart."""
        who = Principal(user_id=self.ids.new("usr"), roles=frozenset({"customer"}))
        self.addresses.give(who)
        if quantities:
            self.cart.put(who, **quantities)
        return who

    async def place(self, who: Principal, key: str = "k", service: OrdersService | None = None, **command):
        wanted = PlaceOrder(**command)
        keyed = command_key(f"{who.user_id}:POST:/orders", key, wanted.to_wire())
        return await (service or self.orders).place(who, wanted, keyed)

    async def events(self, order_id: str | None = None) -> list[Envelope]:
        found = await self.outbox.between(0, 2**40)
        return sorted(
            (e for e in found if order_id in {None, e.subject}),
            key=lambda envelope: (envelope.subject, envelope.sequence),
        )

    async def event_types(self, order_id: str | None = None) -> list[str]:
        return [envelope.type for envelope in await self.events(order_id)]


@pytest.fixture
async def shop(mongo: Mongo, ids: RandomIds, clock: ManualClock) -> Shop:
    made = Shop(mongo, ids, clock)
    await made.repository.prepare()
    await made.outbox.prepare()
    await made.idempotency.prepare()
    return made
