"""Puts the demo world into the services: in bulk, with its read models, without events and without mail.

A marker in the database `demo` says which world is being loaded, so that a load that was interrupted is finished by
the next one: with the same seed and the same moment, and everything is kept under ids of its own.
"""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from time import perf_counter
from typing import Any, Protocol

from api.demo import vector_cache
from api.demo.generate import generate
from api.demo.model import DemoWorld
from api.demo.seeding import event_of, order_seeds, product_seed, profile, stock_levels, users
from services.contracts.auth import SeedUser
from services.contracts.catalog import SeedProduct
from services.contracts.events import OrderEvent
from services.contracts.orders import SeedOrder
from services.contracts.sellers import Profile, StockLevel
from services.kit.errors import Conflict, Refused
from services.kit.events import Envelope
from services.kit.mongo import Mongo
from vectorstore.embeddings import Vector

SEED = 7
PASSWORD = "demo-password"  # noqa: S105 - printed for everybody who tries the demo
ORDERS = 3_100
_MARKER = "demo"
_SHOWN_BUYERS = 3
_SHOWN_SELLERS = 2

Progress = Callable[[str], None]


class Accounts(Protocol):
    async def backfill(self, users: Sequence[SeedUser], password: str) -> int: ...


class Catalogue(Protocol):
    def index_text(self, product: SeedProduct) -> str: ...

    async def backfill(self, products: Sequence[SeedProduct], vectors: Mapping[str, Vector] | None = None) -> int: ...

    async def repair_index(self) -> int: ...


class PastOrders(Protocol):
    async def backfill(self, seeds: Sequence[SeedOrder]) -> list[OrderEvent]: ...


class Books(Protocol):
    async def backfill_profiles(self, profiles: Sequence[Profile]) -> int: ...

    async def backfill_facts(self, events: Sequence[Envelope]) -> int: ...

    async def backfill_stock(self, levels: Sequence[StockLevel]) -> None: ...


@dataclass(frozen=True)
class DemoTargets:
    """Where the demo goes. `bundled_model` is False when another model than the bundled one makes the vectors."""

    auth: Accounts
    catalog: Catalogue
    orders: PastOrders
    sellers: Books
    mongo: Mongo
    bundled_model: bool = True


@dataclass(frozen=True)
class DemoSummary:
    """What is there now; `seconds` by phase, empty when all of it was there before."""

    seed: int
    products: int
    buyers: int
    orders: int
    accounts: tuple[str, ...]
    seconds: Mapping[str, float] = field(default_factory=dict)


async def load_demo(
    targets: DemoTargets, seed: int, now: datetime, progress: Progress, *, orders: int = ORDERS
) -> DemoSummary:
    """Load the world of this seed, or finish loading it; at once when it is there.

    Raises Conflict when the home holds the demo of another seed.
    """
    await _finish_dropping(targets)
    marker = await _marker(targets.mongo, seed, now, orders)
    if marker["state"] == "loaded":
        return _summary(marker)
    progress("making the demo world")
    phases = _Phases(progress)
    async with phases.measured("world"):
        world = generate(marker["seed"], marker["now"], marker["orders"])
    await _fill(targets, world, phases)
    done = {"state": "loaded", **_counts(world), "accounts": _accounts(world)}
    await targets.mongo.database("demo")["loads"].update_one({"_id": _MARKER}, {"$set": done})
    return _summary({**marker, **done}, phases.seconds)


async def _marker(mongo: Mongo, seed: int, now: datetime, orders: int) -> dict[str, Any]:
    loads = mongo.database("demo")["loads"]
    fresh = {"seed": seed, "now": now, "orders": orders, "state": "loading"}
    await loads.update_one({"_id": _MARKER}, {"$setOnInsert": fresh}, upsert=True)
    marker: dict[str, Any] = await loads.find_one({"_id": _MARKER}) or fresh
    if marker["seed"] != seed:
        raise Conflict(f"this home holds the demo of seed {marker['seed']}; reset it to load another")
    return marker


async def _fill(targets: DemoTargets, world: DemoWorld, phases: "_Phases") -> None:
    async with phases.measured("accounts"):
        await targets.sellers.backfill_profiles([profile(seller) for seller in world.sellers])
        await targets.auth.backfill(users(world), PASSWORD)
    async with phases.measured("products"):
        products = [product_seed(product) for product in world.products]
        await targets.catalog.backfill(products, _vectors(targets, products))
        await targets.sellers.backfill_stock(stock_levels(world))
    async with phases.measured("orders"):
        last = await targets.orders.backfill(list(order_seeds(world)))
    async with phases.measured("sellers' books"):
        ended = {event.order_id: event for event in last}
        events = [event_of(order, ended[order.order_id]) for order in world.orders]
        await targets.sellers.backfill_facts(events)


def _vectors(targets: DemoTargets, products: Sequence[SeedProduct]) -> dict[str, Vector]:
    """By product id; what is missing is embedded in the background."""
    if not targets.bundled_model:
        return {}
    cached = vector_cache.load()
    keys = {product.product_id: vector_cache.key_of(targets.catalog.index_text(product)) for product in products}
    return {product_id: cached[key] for product_id, key in keys.items() if key in cached}


class _Phases:
    def __init__(self, progress: Progress) -> None:
        self.seconds: dict[str, float] = {}
        self._progress = progress

    @asynccontextmanager
    async def measured(self, name: str) -> AsyncIterator[None]:
        started = perf_counter()
        yield
        self.seconds[name] = perf_counter() - started
        self._progress(f"{name}: {self.seconds[name]:.1f} s")


def _counts(world: DemoWorld) -> dict[str, int]:
    return {"products": len(world.products), "buyers": len(world.buyers), "orders": len(world.orders)}


def _accounts(world: DemoWorld) -> list[str]:
    emails = [buyer.email for buyer in world.buyers[:_SHOWN_BUYERS]]
    emails += [seller.email for seller in world.sellers[:_SHOWN_SELLERS]]
    return [f"{email} / {PASSWORD}" for email in (*emails, world.admin.email)]


def _summary(marker: Mapping[str, Any], seconds: Mapping[str, float] | None = None) -> DemoSummary:
    return DemoSummary(
        seed=marker["seed"],
        products=marker["products"],
        buyers=marker["buyers"],
        orders=marker["orders"],
        accounts=tuple(marker["accounts"]),
        seconds=seconds or {},
    )


async def drop_demo(targets: DemoTargets) -> None:
    """Empty every database of a demo home, and the index with them; the marker goes last.

    Raises Refused for a home the demo was never loaded into.
    """
    loads = targets.mongo.database("demo")["loads"]
    marked = await loads.update_one({"_id": _MARKER}, {"$set": {"state": "dropping"}})
    if not marked.matched_count:
        raise Refused("this home holds no demo; nothing was dropped")
    await targets.mongo.empty(last="demo")
    await targets.catalog.repair_index()


async def _finish_dropping(targets: DemoTargets) -> None:
    if await targets.mongo.database("demo")["loads"].find_one({"_id": _MARKER, "state": "dropping"}):
        await drop_demo(targets)
