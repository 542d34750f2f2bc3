"""The shop's real services on the embedded engines, with a gateway in memory and a clock that moves when told."""

from pathlib import Path

from services.cart import consumers as cart_consumers
from services.cart.repository import CartRepository
from services.cart.service import CartService
from services.catalog import consumers as catalog_consumers
from services.catalog.adapters.conditions import PRODUCT_FIELDS
from services.catalog.adapters.images import ImageFolder
from services.catalog.adapters.search_index import ProductIndex
from services.catalog.repository import LedgerRepository, ProductRepository, ReviewRepository, StockRepository
from services.catalog.service import CatalogService
from services.contracts.catalog import ProductIn
from services.kit.cache import Cache, open_redis
from services.kit.clock import ManualClock
from services.kit.events import Envelope
from services.kit.idempotency import CommandKey, Idempotency, command_key
from services.kit.ids import RandomIds
from services.kit.inbox import Inbox
from services.kit.mongo import Mongo
from services.kit.outbox import Outbox
from services.kit.principal import Principal
from services.kit.relay import Relay
from services.orders import consumers as orders_consumers
from services.orders.repository import OrderRepository
from services.orders.service import OrdersService
from services.payments import consumers as payments_consumers
from services.payments.repository import PaymentRepository
from services.payments.service import PaymentsService
from tests.fakes.auth import FakeAddresses
from tests.fakes.razorpay import WEBHOOK_SECRET, FakeRazorpay
from tests.fakes.sellers import FakeSellers
from vectorstore.memory import MemoryIndex


class Bus:
    """Hands each event to every queue that wants it, and keeps it so that it can be handed over again."""

    def __init__(self) -> None:
        self.seen: list[Envelope] = []
        self.subscriptions = ()

    async def publish(self, event: Envelope) -> None:
        self.seen.append(event)
        await self.deliver(event)

    async def deliver(self, event: Envelope) -> None:
        for subscription in self.subscriptions:
            if subscription.wants(event.type):
                await subscription.handle(event)


class ShopWorld:
    """Needs `prepare`; `close` when done."""

    def __init__(self, mongo: Mongo, redis_url: str, clock: ManualClock, ids: RandomIds, folder: Path) -> None:
        self.mongo, self.clock, self.ids = mongo, clock, ids
        self.redis = open_redis(redis_url)
        self.gateway = FakeRazorpay()
        self.addresses, self.sellers, self.bus = FakeAddresses(), FakeSellers(), Bus()
        self.outboxes = {name: Outbox(mongo, name, ids, clock) for name in ("catalog", "cart", "orders", "payments")}
        self.catalog = self._catalog(folder)
        self.cart = self._cart()
        self.orders = self._orders()
        self.payments = self._payments()
        self.relays = [Relay(outbox, self.bus, clock) for outbox in self.outboxes.values()]
        self.bus.subscriptions = (
            catalog_consumers.subscription(self.catalog),
            cart_consumers.subscription(self.cart, Inbox(self.outboxes["cart"], cart_consumers.QUEUE, clock)),
            orders_consumers.subscription(self.orders),
            payments_consumers.subscription(self.payments),
        )

    def _catalog(self, folder: Path) -> CatalogService:
        outbox = self.outboxes["catalog"]
        self.products, self.stock = ProductRepository(outbox.database), StockRepository(outbox.database)
        self.ledger, self.reviews = LedgerRepository(outbox.database), ReviewRepository(outbox.database)
        return CatalogService(
            products=self.products,
            stock=self.stock,
            ledger=self.ledger,
            reviews=self.reviews,
            images=ImageFolder(folder / "products"),
            has_received=self._has_received,
            was_ordered=self._was_ordered,
            outbox=outbox,
            idempotency=Idempotency(outbox.database, self.ids, self.clock),
            index=ProductIndex(MemoryIndex(8, PRODUCT_FIELDS), None),
            cache=Cache(self.redis, f"{self.mongo.prefix}:product:"),
            seller_names=self._names,
            seller_status=self._status,
            clock=self.clock,
        )

    async def _has_received(self, user_id: str, product_id: str) -> bool:
        return await self.orders.has_received(user_id, product_id)

    async def _was_ordered(self, product_id: str) -> bool:
        return await self.orders.was_ordered(product_id)

    async def _names(self, seller_ids) -> dict[str, str]:
        return dict.fromkeys(seller_ids, "Shop")

    async def _status(self, _seller_id: str) -> str:
        return "approved"

    def _cart(self) -> CartService:
        self.carts = CartRepository(self.outboxes["cart"].database, self.clock)
        return CartService(self.carts, self.outboxes["cart"], self.catalog)

    def _orders(self) -> OrdersService:
        self.order_rows = OrderRepository(self.outboxes["orders"].database)
        return self.orders_with(self.cart)

    def orders_with(self, cart) -> OrdersService:
        """The orders service beside another cart."""
        outbox = self.outboxes["orders"]
        return OrdersService(
            self.order_rows,
            outbox,
            Idempotency(outbox.database, self.ids, self.clock),
            self.clock,
            cart=cart,
            catalog=self.catalog,
            auth=self.addresses,
            sellers=self.sellers,
            quote_secret=b"a secret of the tests",
        )

    def _payments(self) -> PaymentsService:
        outbox = self.outboxes["payments"]
        self.payment_rows = PaymentRepository(outbox.database)
        return PaymentsService(
            self.payment_rows,
            outbox,
            Idempotency(outbox.database, self.ids, self.clock),
            orders=self.orders,
            gateway=self.gateway,
            clock=self.clock,
            webhook_secrets=[WEBHOOK_SECRET],
        )

    async def prepare(self) -> "ShopWorld":
        for outbox in self.outboxes.values():
            await outbox.prepare()
            await Inbox(outbox, "any", self.clock).prepare()
            await Idempotency(outbox.database, self.ids, self.clock).prepare()
        for rows in (self.products, self.ledger, self.reviews, self.carts, self.order_rows, self.payment_rows):
            await rows.prepare()
        return self

    async def close(self) -> None:
        await self.redis.aclose()
        self.mongo.close()

    def buyer(self) -> Principal:
        who = Principal(user_id=self.ids.new("usr"), roles=frozenset({"customer"}))
        self.addresses.give(who)
        return who

    def seller(self) -> Principal:
        return Principal(user_id=self.ids.new("usr"), roles=frozenset({"customer", "seller"}))

    async def offers(self, who: Principal, rupees: int, stock: int) -> tuple[str, str]:
        """A product with one variant: their ids."""
        fields = {"title": "Trail shoe", "price": rupees, "category": "Shoes > Sneakers", "stock": stock}
        made = await self.catalog.create(who, ProductIn.model_validate(fields))
        return made.product_id, made.variants[0].variant_id

    def key(self, who: Principal, body: object = None) -> CommandKey:
        return command_key(f"{who.user_id}:test", self.ids.new("key"), body)

    async def settle(self) -> None:
        """Everything that is due has happened: events delivered, refunds sent, and what follows of them."""
        moving = True
        while moving:
            moving = False
            for relay in self.relays:
                moving = bool(await relay.drain_once()) or moving
                await relay.settle()
            moving = bool(await self.payments.settle_refunds()) or moving

    async def levels(self, variant_id: str) -> tuple[int, int, int]:
        """On hand, reserved, and the sum of the holds."""
        variant = await self.stock.find(variant_id)
        return variant.on_hand, variant.reserved, sum(hold.qty for hold in variant.holds)
