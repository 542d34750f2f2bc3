"""A catalogue on real engines, with the index in memory; events are handed over when a test says so."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI, Request
from fastapi.staticfiles import StaticFiles

from api import errors
from services.catalog.adapters.conditions import PRODUCT_FIELDS
from services.catalog.adapters.images import ImageFolder
from services.catalog.adapters.search_index import ProductIndex
from services.catalog.consumers import subscription
from services.catalog.repository import LedgerRepository, ProductRepository, ReviewRepository, StockRepository
from services.catalog.routes import routes
from services.catalog.service import CatalogService
from services.contracts.catalog import LineIn, ProductIn, ProductView
from services.kit.cache import Cache
from services.kit.clock import ManualClock
from services.kit.events import Envelope
from services.kit.idempotency import Idempotency
from services.kit.ids import RandomIds, seller_id_of
from services.kit.mongo import Mongo
from services.kit.outbox import Outbox
from services.kit.principal import Principal
from services.kit.relay import Relay
from vectorstore.memory import MemoryIndex

SELLER = Principal(user_id="usr_" + "a" * 32, roles=frozenset({"customer", "seller"}))
OTHER_SELLER = Principal(user_id="usr_" + "b" * 32, roles=frozenset({"customer", "seller"}))
PENDING_SELLER = Principal(user_id="usr_" + "c" * 32, roles=frozenset({"customer", "seller"}))
BUYER = Principal(user_id="usr_" + "d" * 32, roles=frozenset({"customer"}))
SECOND_BUYER = Principal(user_id="usr_" + "e" * 32, roles=frozenset({"customer"}))
ADMIN = Principal(user_id="usr_" + "f" * 32, roles=frozenset({"customer", "admin"}))
BY_NAME = {
    "seller": SELLER,
    "other": OTHER_SELLER,
    "pending": PENDING_SELLER,
    "buyer": BUYER,
    "second": SECOND_BUYER,
    "admin": ADMIN,
}


class Sellers:
    """Names and approval as the sellers service would tell them."""

    def __init__(self) -> None:
        self.special = {PENDING_SELLER.seller_id: "pending"}
        self.renamed: str | None = None

    async def names(self, seller_ids: Sequence[str]) -> dict[str, str]:
        return {seller_id: self.renamed or f"Shop {seller_id[4]}" for seller_id in seller_ids}

    async def status(self, seller_id: str) -> str | None:
        return self.special.get(seller_id, "approved")


class Orders:
    """What orders would tell of products."""

    def __init__(self) -> None:
        self.ordered: set[str] = set()
        self.received: set[tuple[str, str]] = set()

    async def was_ordered(self, product_id: str) -> bool:
        return product_id in self.ordered

    async def has_received(self, user_id: str, product_id: str) -> bool:
        return (user_id, product_id) in self.received


class Bus:
    """Gives each event to the catalogue's own consumer and keeps it for the test to see."""

    def __init__(self) -> None:
        self.seen: list[Envelope] = []
        self.consumer = None

    async def publish(self, event: Envelope) -> None:
        self.seen.append(event)
        if self.consumer.wants(event.type):
            await self.consumer.handle(event)

    def of(self, event_type: str) -> list[Envelope]:
        return [event for event in self.seen if event.type == event_type]


@dataclass
class World:
    catalog: CatalogService
    stock: StockRepository
    products: ProductRepository
    bus: Bus
    relay: Relay
    clock: ManualClock
    index: MemoryIndex
    api: httpx.AsyncClient
    sellers: Sellers
    orders: Orders
    made: list[ProductView] = field(default_factory=list)

    async def settle(self) -> None:
        """All events written so far have reached the index."""
        await self.relay.settle()

    async def offer(self, who: Principal = SELLER, **fields: object) -> ProductView:
        """A product with defaults, indexed."""
        view = await self.catalog.create(who, product_in(**fields))
        await self.settle()
        return view

    async def levels(self, variant_id: str) -> tuple[int, int, int]:
        """On hand, reserved and the sum of the holds."""
        variant = await self.stock.find(variant_id)
        return variant.on_hand, variant.reserved, sum(hold.qty for hold in variant.holds)


def product_in(**fields: object) -> ProductIn:
    return ProductIn.model_validate({"title": "Trail shoe", "price": 1999, "category": "Shoes > Sneakers", **fields})


def line(variant_id: str, qty: int = 1) -> LineIn:
    return LineIn(variant_id=variant_id, qty=qty)


async def _authenticate(request: Request) -> Principal | None:
    return BY_NAME.get(request.headers.get("x-as", ""))


@pytest.fixture
async def world(mongo: Mongo, redis, clock: ManualClock, ids: RandomIds, tmp_path: Path) -> AsyncIterator[World]:
    outbox = Outbox(mongo, "catalog", ids, clock)
    database = outbox.database
    products, stock, ledger = ProductRepository(database), StockRepository(database), LedgerRepository(database)
    reviews = ReviewRepository(database)
    idempotency = Idempotency(database, ids, clock)
    for part in (outbox, products, ledger, reviews, idempotency):
        await part.prepare()
    index, sellers, orders, bus = MemoryIndex(8, PRODUCT_FIELDS), Sellers(), Orders(), Bus()
    catalog = CatalogService(
        products=products,
        stock=stock,
        ledger=ledger,
        reviews=reviews,
        images=ImageFolder(tmp_path / "products"),
        has_received=orders.has_received,
        outbox=outbox,
        idempotency=idempotency,
        index=ProductIndex(index, None),
        cache=Cache(redis, f"{mongo.prefix}:product:"),
        seller_names=sellers.names,
        seller_status=sellers.status,
        was_ordered=orders.was_ordered,
        clock=clock,
    )
    bus.consumer = subscription(catalog)
    app = FastAPI()
    app.state.authenticate = _authenticate
    app.include_router(routes(catalog))
    app.mount("/media/products", StaticFiles(directory=tmp_path / "products", check_dir=False))
    errors.install(app)
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://shop") as api:
        yield World(catalog, stock, products, bus, Relay(outbox, bus, clock), clock, index, api, sellers, orders)


def seller_of(who: Principal) -> str:
    return seller_id_of(who.user_id)
