"""Autocomplete: read once from the documents, then kept up with the events of products."""

import asyncio
from collections.abc import Collection, Iterable

from services.catalog.models.product import Product
from services.catalog.models.suggestions import Offered, Suggestions
from services.catalog.repository import ProductRepository
from services.contracts.catalog import Suggestion

_PRODUCTS_A_ROUND = 500


class Suggesting:
    def __init__(self, products: ProductRepository) -> None:
        self._products = products
        self._suggestions: Suggestions | None = None
        self._reading = asyncio.Lock()
        self._moved: set[str] = set()

    async def suggest(self, typed: str, limit: int) -> tuple[Suggestion, ...]:
        if self._suggestions is None:
            async with self._reading:
                if self._suggestions is None:
                    await self._read()
        return self._suggestions.complete(typed, limit) if self._suggestions else ()

    async def refresh(self) -> None:
        """Read everything again, for what other processes changed without an event that came here."""
        async with self._reading:
            await self._read()

    async def _read(self) -> None:
        self._moved.clear()
        fresh, batch = Suggestions(), list[Offered]()
        async for offered in self._products.every_offer():
            batch.append(offered)
            if len(batch) == _PRODUCTS_A_ROUND:
                fresh.put(batch)
                batch = []
        fresh.put(batch)
        moved, self._moved = self._moved, set()
        self._suggestions = fresh
        if moved:  # changed while they were read
            self.follow(moved, (await self._products.load(list(moved))).values())

    def follow(self, product_ids: Collection[str], products: Iterable[Product]) -> None:
        """These products are now as given; those not given are gone."""
        if self._reading.locked():
            self._moved.update(product_ids)
        if self._suggestions is None:
            return
        offered = [Offered.of(product) for product in products if product.live and product.offered]
        self._suggestions.drop(set(product_ids).difference(each.product_id for each in offered))
        self._suggestions.put(offered)
