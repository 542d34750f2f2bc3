import httpx
import pytest
from fastapi import FastAPI

from api.errors import install
from services.contracts.orders import PaymentFact, PlaceOrder
from services.kit.clock import ManualClock
from services.kit.events import Envelope
from services.kit.faults import NO_CRASHES, CrashPoints
from services.kit.idempotency import Idempotency, command_key
from services.kit.ids import RandomIds
from services.kit.mongo import Mongo
from services.kit.outbox import Outbox
from services.kit.principal import SYSTEM, Principal
from services.orders.repository import OrderRepository
from services.orders.routes import routes
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


class Desk:
    """The orders' routes over HTTP, and who calls them."""

    def __init__(self, shop: Shop, client: httpx.AsyncClient) -> None:
        self.shop = shop
        self._client = client

    async def __call__(self, who: Principal, method: str, path: str, body=None, key: str | None = None):
        headers = {"x-user": who.user_id, "x-roles": " ".join(sorted(who.roles))}
        if key:
            headers["Idempotency-Key"] = key
        return await self._client.request(method, path, json=body, headers=headers)

    async def does(self, who: Principal, path: str, body=None, key: str | None = None) -> dict:
        answer = await self(who, "POST", path, body, key)
        assert answer.status_code < 300, answer.text
        return answer.json()

    async def order(self, who: Principal, order_id: str) -> dict:
        return (await self(who, "GET", f"/orders/{order_id}")).json()

    async def paid(self, who: Principal, **quantities: int) -> dict:
        """An order of this buyer, paid."""
        self.shop.cart.put(who, **quantities)
        order = await self.shop.place(who, key=self.shop.ids.new("key"))
        await self.shop.orders.mark_paid(SYSTEM, money_for(order))
        return await self.order(who, order.order_id)


def money_for(order, payment_id="pay_1") -> PaymentFact:
    return PaymentFact(payment_id=payment_id, order_id=order.order_id, amount=order.total.amount, method="upi")


def seller(name: str) -> Principal:
    """`a` sells as sel_a."""
    return Principal(user_id=f"usr_{name}", roles=frozenset({"customer", "seller"}))


@pytest.fixture
async def desk(shop: Shop):
    app = FastAPI()
    install(app)
    app.include_router(routes(shop.orders))

    async def authenticate(request):
        user = request.headers.get("x-user")
        return Principal(user_id=user, roles=frozenset(request.headers["x-roles"].split())) if user else None

    app.state.authenticate = authenticate
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://orders") as client:
        yield Desk(shop, client)
