"""Sellers: profiles, and what the dashboard shows."""

from collections.abc import Sequence
from typing import Literal

from services.contracts.auth import AuthPort
from services.contracts.catalog import CatalogPort
from services.contracts.sellers import (
    Dashboard,
    Grain,
    Profile,
    ProfilePatch,
    SellerOrder,
    SellerProduct,
    SellersPort,
    SellerStatus,
    StockLevel,
)
from services.kit.clock import Clock
from services.kit.events import Envelope
from services.kit.outbox import Outbox
from services.kit.principal import Principal
from services.kit.wire import Page
from services.sellers.repository import BookRepository, EventLog, LowStockRepository, ProfileRepository
from services.sellers.service.bookkeeping import Bookkeeping
from services.sellers.service.dashboard import Dashboards
from services.sellers.service.inventory import Inventory
from services.sellers.service.operators import Operators
from services.sellers.service.orders import SellerOrders
from services.sellers.service.profiles import Profiles, shop_of

__all__ = ["SellersService"]


class SellersService(SellersPort):
    """Implements the port; beside it what feeds it: events, bulk loading, rebuilding."""

    def __init__(
        self,
        outbox: Outbox,
        *,
        auth: AuthPort,
        catalog: CatalogPort,
        clock: Clock,
        auto_approve: bool = False,
        low_stock_units: int = 5,
    ) -> None:
        database = outbox.database
        self._catalog = catalog
        books, log, low = BookRepository(database), EventLog(database), LowStockRepository(database)
        profiles = ProfileRepository(database)
        self._prepared = (books, log, low, profiles)
        self._profiles = Profiles(profiles, auth, auto_approve=auto_approve)
        self._operators = Operators(profiles, catalog)
        self._inventory = Inventory(low, catalog, low_stock_units=low_stock_units)
        self._bookkeeping = Bookkeeping(books, log, outbox)
        self._dashboards = Dashboards(books, catalog, clock)
        self._orders = SellerOrders(books)

    async def prepare(self) -> None:
        """Make the indexes; repeatable."""
        for repository in self._prepared:
            await repository.prepare()

    async def profile(self, who: Principal) -> Profile:
        return await self._profiles.of(who)

    async def update_profile(self, who: Principal, patch: ProfilePatch) -> Profile:
        profile = await self._profiles.update(who, patch)
        if patch.name:
            await self._catalog.refresh_seller(profile.seller_id)
        return profile

    async def listed(
        self, who: Principal, status: SellerStatus | None, limit: int = 20, cursor: str | None = None
    ) -> Page[Profile]:
        return await self._operators.page(who, status, limit, cursor)

    async def set_status(self, who: Principal, seller_id: str, status: Literal["approved", "suspended"]) -> Profile:
        return await self._operators.set_status(who, seller_id, status)

    async def profiles(self, seller_ids: Sequence[str]) -> dict[str, Profile]:
        return await self._profiles.many(seller_ids)

    async def dashboard(
        self,
        who: Principal,
        period: str = "last_30_days",
        grain: Grain = "day",
        compare: str | None = "previous_period",
    ) -> Dashboard:
        return await self._dashboards.show(who, period, grain, compare)

    async def orders(
        self, who: Principal, status: str | None, limit: int = 20, cursor: str | None = None
    ) -> Page[SellerOrder]:
        return await self._orders.page(shop_of(who), status, limit, cursor)

    async def products(
        self, who: Principal, low_stock: bool, limit: int = 20, cursor: str | None = None
    ) -> Page[SellerProduct]:
        return await self._inventory.page(who, low_stock=low_stock, limit=limit, cursor=cursor)

    async def take(self, event: Envelope) -> None:
        """Log an event and let the read models follow; repeatable, in any order."""
        if event.type == "user.created":
            await self._profiles.welcome(event.data.get("sellerId"))
            return
        await self._bookkeeping.take([event])
        await self._inventory.follow([event])

    async def backfill_facts(self, events: Sequence[Envelope]) -> int:
        """Bulk loading of past order events; returns how many were new. Repeatable by the events' ids."""
        return await self._bookkeeping.backfill(events)

    async def backfill_profiles(self, profiles: Sequence[Profile]) -> int:
        """Keep these profiles; those that are there stay as they are. Returns how many were new."""
        return await self._profiles.backfill(profiles)

    async def backfill_stock(self, levels: Sequence[StockLevel]) -> None:
        """Note what runs low; `levels` names every variant of its products."""
        await self._inventory.note(levels)

    async def check_stock(self, product_ids: Sequence[str]) -> None:
        """Find out anew which variants of these products are low."""
        await self._inventory.check(product_ids)

    async def rebuild(self) -> int:
        """Make the read models anew out of the event log; returns the number of events.

        Events that this process takes meanwhile are counted once; no other process may consume.
        """
        return await self._bookkeeping.rebuild(self._inventory.follow)
