"""Loading the demo: whole, once, finished after an interruption, and gone when it is dropped."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from api.demo import vector_cache
from api.demo.generate import generate
from api.demo.load import DemoTargets, drop_demo, load_demo
from api.demo.seeding import product_seed
from services.catalog.adapters.conditions import text_of
from services.catalog.models.draft import product_from_seed
from services.kit.errors import Conflict, NotFound, Refused
from services.kit.idempotency import Idempotency
from services.kit.outbox import Outbox
from services.kit.principal import Principal
from services.orders.repository import OrderRepository
from services.orders.service import OrdersService
from services.sellers.service import SellersService
from tests.fakes.accounts import FakeAccounts
from tests.fakes.auth import FakeAddresses
from tests.fakes.cart import FakeCart
from tests.fakes.catalog import FakeCatalog

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
ORDERS = 40


class Stopped(Exception):
    """The process ended in the middle."""


class DemoAuth:
    def __init__(self) -> None:
        self.users: dict = {}
        self.passwords: set[str] = set()

    async def backfill(self, users, password) -> int:
        self.users |= {user.user_id: user for user in users}
        self.passwords.add(password)
        return len(users)


class DemoCatalog(FakeCatalog):
    """Takes seeds; breaks when told."""

    def __init__(self, clock) -> None:
        super().__init__(clock)
        self.products: dict = {}
        self.vectors: dict = {}
        self.broken = False
        self.repaired = 0

    def index_text(self, product) -> str:
        return text_of(product_from_seed(product, 0))

    async def backfill(self, products, vectors=None) -> int:
        if self.broken:
            raise Stopped
        self.products |= {product.product_id: product for product in products}
        self.vectors |= vectors or {}
        return len(products)

    async def repair_index(self) -> int:
        self.repaired += 1
        return 0

    async def many(self, product_ids):
        return []

    async def get(self, product_id, who=None):
        raise NotFound.of("product")


@pytest.fixture
async def sellers(mongo, ids, clock):
    outbox = Outbox(mongo, "sellers", ids, clock)
    service = SellersService(outbox, auth=FakeAccounts(), catalog=DemoCatalog(clock), clock=clock)
    await service.prepare()
    return service


@pytest.fixture
async def targets(mongo, ids, clock, sellers) -> DemoTargets:
    outbox, catalog = Outbox(mongo, "orders", ids, clock), DemoCatalog(clock)
    repository, idempotency = OrderRepository(outbox.database), Idempotency(outbox.database, ids, clock)
    await repository.prepare()
    orders = OrdersService(
        repository,
        outbox,
        idempotency,
        clock,
        cart=FakeCart(catalog),
        catalog=catalog,
        auth=FakeAddresses(),
        sellers=sellers,
        quote_secret=b"a secret of the tests",
    )
    return DemoTargets(DemoAuth(), catalog, orders, sellers, mongo)


async def stored(mongo) -> dict[str, int]:
    wanted = {"orders": ["orders", "outbox"], "sellers": ["facts", "events", "days", "low_stock", "profiles"]}
    return {
        f"{service}.{name}": await mongo.database(service)[name].count_documents({})
        for service, names in wanted.items()
        for name in names
    }


async def test_the_demo_is_loaded_with_its_books_and_without_events(targets, mongo, sellers):
    said: list[str] = []
    summary = await load_demo(targets, 7, NOW, said.append, orders=ORDERS)
    world = generate(7, NOW, ORDERS)
    assert (summary.products, summary.buyers, summary.orders) == (len(world.products), len(world.buyers), ORDERS)
    assert "buyer1@demo.cohort.example / demo-password" in summary.accounts
    assert targets.auth.passwords == {"demo-password"}
    assert said
    found = await stored(mongo)
    assert (found["orders.orders"], found["orders.outbox"], found["sellers.profiles"]) == (ORDERS, 0, 12)
    low = sum(variant.stock <= 5 for product in world.products for variant in product.variants)
    assert found["sellers.low_stock"] == low
    for seller in world.sellers:
        who = Principal(user_id=seller.user_id, roles=frozenset({"seller"}))
        parts = [order for order in world.orders if any(line.seller_id == seller.seller_id for line in order.lines)]
        confirmed = [order for order in parts if order.confirmed_at]
        shown = (await sellers.dashboard(who, "2026-01-01..2026-12-31")).figures
        kept = [order for order in confirmed if order.status != "cancelled"]
        assert (shown.orders, shown.cancellations) == (len(kept), len(confirmed) - len(kept))
        assert shown.revenue.amount == sum(
            line.qty * line.price for order in kept for line in order.lines if line.seller_id == seller.seller_id
        )


async def test_a_loaded_demo_is_left_alone(targets, mongo):
    first = await load_demo(targets, 7, NOW, lambda _: None, orders=ORDERS)
    before = await stored(mongo)
    again = await load_demo(targets, 7, NOW + timedelta(days=9), lambda _: None, orders=99)
    assert again == replace(first, seconds={})
    assert await stored(mongo) == before


async def test_an_interrupted_load_is_finished_with_the_world_it_began(targets, mongo):
    targets.catalog.broken = True
    with pytest.raises(Stopped):
        await load_demo(targets, 7, NOW, lambda _: None, orders=ORDERS)
    targets.catalog.broken = False
    summary = await load_demo(targets, 7, NOW + timedelta(days=3), lambda _: None, orders=99)
    assert summary.orders == ORDERS
    whole = await stored(mongo)
    await mongo.database("demo")["loads"].update_one({}, {"$set": {"state": "loading"}})
    await load_demo(targets, 7, NOW, lambda _: None, orders=ORDERS)
    assert await stored(mongo) == whole


async def test_another_seed_needs_a_reset(targets):
    await load_demo(targets, 7, NOW, lambda _: None, orders=1)
    with pytest.raises(Conflict):
        await load_demo(targets, 8, NOW, lambda _: None, orders=1)


async def test_a_home_without_the_demo_is_never_emptied(targets, mongo):
    await mongo.database("auth")["users"].insert_one({"_id": "usr_real"})
    with pytest.raises(Refused):
        await drop_demo(targets)
    assert await mongo.database("auth")["users"].count_documents({}) == 1


async def test_a_dropped_demo_leaves_nothing_but_its_indexes(targets, mongo):
    await load_demo(targets, 7, NOW, lambda _: None, orders=5)
    facts = mongo.database("sellers")["facts"]
    indexes = await facts.index_information()
    await drop_demo(targets)
    assert set((await stored(mongo)).values()) == {0}
    assert await facts.index_information() == indexes
    assert targets.catalog.repaired == 1
    with pytest.raises(Refused):
        await drop_demo(targets)


async def test_an_interrupted_drop_is_finished_before_loading_again(targets, mongo):
    await load_demo(targets, 7, NOW, lambda _: None, orders=5)
    await mongo.database("demo")["loads"].update_one({}, {"$set": {"state": "dropping"}})
    summary = await load_demo(targets, 8, NOW, lambda _: None, orders=3)
    assert (summary.seed, (await stored(mongo))["orders.orders"]) == (8, 3)


async def test_vectors_come_from_the_cache_only_for_the_model_that_made_them(targets):
    await load_demo(targets, 7, NOW, lambda _: None, orders=1)
    assert targets.catalog.vectors.keys() == targets.catalog.products.keys()
    await targets.mongo.database("demo")["loads"].delete_many({})
    other = replace(targets, bundled_model=False, catalog=DemoCatalog(targets.catalog._clock))
    await load_demo(other, 7, NOW, lambda _: None, orders=1)
    assert other.catalog.vectors == {}


def test_the_committed_vectors_cover_the_catalogue_and_are_unit_vectors():
    cached = vector_cache.load()
    texts = [text_of(product_from_seed(product_seed(product), 0)) for product in generate(7, NOW, 0).products]
    missing = [text for text in texts if vector_cache.key_of(text) not in cached]
    assert missing == []
    lengths = np.linalg.norm(np.stack(list(cached.values())), axis=1)
    assert np.allclose(lengths, 1.0, atol=1e-5)


def test_vectors_survive_the_cache_nearly_unchanged(tmp_path):
    rows = np.random.default_rng(1).normal(size=(50, 384)).astype(np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    texts = [f"text {n}" for n in range(50)]
    vector_cache.save(texts, rows, tmp_path / "vectors.npz")
    back = vector_cache.load(tmp_path / "vectors.npz")
    cosines = [float(back[vector_cache.key_of(text)] @ row) for text, row in zip(texts, rows, strict=True)]
    assert min(cosines) > 0.999
