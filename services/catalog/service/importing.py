"""Many products at once: a seller's file, and ready-made products."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from services.catalog.adapters.conditions import text_of
from services.catalog.adapters.search_index import ProductIndex
from services.catalog.models.draft import aligned, id_by_source, product_from, product_from_seed, says_the_same
from services.catalog.models.ledger import changed
from services.catalog.models.patch import new_stock
from services.catalog.models.product import Product, Variant
from services.catalog.repository import ProductRepository, StockRepository
from services.catalog.repository.documents import product_document
from services.catalog.repository.products import KeyTaken
from services.catalog.service.indexing import Indexing
from services.catalog.service.rendered import RenderedProducts
from services.catalog.service.stock import Stock
from services.contracts.catalog import ImportProblem, ImportReport, ProductIn, SeedProduct
from services.contracts.events import ProductCreated, ProductUpdated
from services.kit.clock import Clock
from services.kit.errors import CohortError
from services.kit.outbox import Outbox, Unit
from vectorstore.embeddings import Vector

_LINES_A_WRITE = 500
_CHANGES_A_WRITE = 50
_PROBLEMS_LISTED = 1_000
_ATTEMPTS = 5
_KEPT_ON_UPDATE = ("_id", "seller_id", "rating", "external_id", "created_at", "version", "suspended")


class _MovedOn(Exception):
    pass


@dataclass(frozen=True, slots=True)
class _Line:
    number: int
    product: Product


@dataclass(slots=True)
class _Tally:
    read: int = 0
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    failed: int = 0
    problems: list[ImportProblem] = field(default_factory=list)

    def fail(self, number: int, reason: str) -> None:
        self.failed += 1
        if len(self.problems) < _PROBLEMS_LISTED:
            self.problems.append(ImportProblem(line=number, reason=reason))

    def report(self) -> ImportReport:
        problems = tuple(sorted(self.problems, key=lambda problem: problem.line))
        return ImportReport(
            read=self.read,
            created=self.created,
            updated=self.updated,
            unchanged=self.unchanged,
            failed=self.failed,
            problems=problems,
        )


class Importing:
    """Written in batches, each with its events; what was written before an interruption is unchanged the next time."""

    def __init__(
        self,
        *,
        products: ProductRepository,
        shelf: StockRepository,
        outbox: Outbox,
        index: ProductIndex,
        rendered: RenderedProducts,
        indexing: Indexing,
        stock: Stock,
        clock: Clock,
        low_stock_units: int,
    ) -> None:
        self._products = products
        self._shelf = shelf
        self._outbox = outbox
        self._index = index
        self._rendered = rendered
        self._indexing = indexing
        self._stock = stock
        self._clock = clock
        self._low_stock_units = low_stock_units

    async def import_lines(self, seller_id: str, lines: AsyncIterator[tuple[int, ProductIn | str]]) -> ImportReport:
        tally = _Tally()
        batch: dict[str, _Line] = {}
        own: set[str] | None = None
        async for number, content in lines:
            tally.read += 1
            if own is None and isinstance(content, ProductIn) and content.product_id:
                own = set(await self._products.ids_of_seller(seller_id))
            product = self._drafted(seller_id, number, content, own or set(), tally)
            if product is None:
                continue
            if product.product_id in batch or len(batch) == _LINES_A_WRITE:
                await self._write(seller_id, batch, tally)
                batch = {}
            batch[product.product_id] = _Line(number, product)
        await self._write(seller_id, batch, tally)
        return tally.report()

    def _drafted(
        self, seller_id: str, number: int, content: ProductIn | str, own: set[str], tally: _Tally
    ) -> Product | None:
        if isinstance(content, str):
            tally.fail(number, content)
            return None
        named = content.product_id
        product_id = named if named and named in own else id_by_source(seller_id, content)
        try:
            return product_from(content, product_id, seller_id, self._clock.now(), self._low_stock_units)
        except CohortError as error:
            tally.fail(number, error.message)
            return None

    async def _write(self, seller_id: str, batch: Mapping[str, _Line], tally: _Tally) -> None:
        known = await self._products.content_hashes(list(batch))
        new = [line for product_id, line in batch.items() if product_id not in known]
        changed = [
            line
            for product_id, line in batch.items()
            if product_id in known and known[product_id] != line.product.content_hash
        ]
        tally.unchanged += len(batch) - len(new) - len(changed)
        await self._create(seller_id, new, tally)
        for start in range(0, len(changed), _CHANGES_A_WRITE):
            await self._update(changed[start : start + _CHANGES_A_WRITE], tally)

    async def _create(self, seller_id: str, lines: Sequence[_Line], tally: _Tally) -> None:
        if not lines:
            return
        products = [line.product for line in lines]
        event = ProductCreated(seller_id=seller_id, product_ids=tuple(product.product_id for product in products))

        async def work(unit: Unit) -> None:
            await self._products.insert(products, unit)
            unit.record(event, sequence=1)

        try:
            await self._outbox.transact(work)
        except KeyTaken:
            if len(lines) == 1:
                tally.fail(lines[0].number, "one of its SKUs is used by another product of this seller")
                return
            middle = len(lines) // 2
            await self._create(seller_id, lines[:middle], tally)
            await self._create(seller_id, lines[middle:], tally)
        else:
            tally.created += len(lines)

    async def _update(self, lines: Sequence[_Line], tally: _Tally) -> None:
        for _ in range(_ATTEMPTS):
            changes = await self._changes(lines, tally)
            lines = [line for line, _, _ in changes]
            if not lines:
                return
            try:
                await self._outbox.transact(partial(self._apply, changes))
            except _MovedOn:
                continue
            except KeyTaken:
                await self._update_singly(lines, tally)
                return
            tally.updated += len(lines)
            await self._rendered.forget(line.product.product_id for line in lines)
            self._stock.changed.set()
            return
        for line in lines:
            tally.fail(line.number, "the product is being changed by others; import it again")

    async def _update_singly(self, lines: Sequence[_Line], tally: _Tally) -> None:
        if len(lines) == 1:
            tally.fail(lines[0].number, "one of its SKUs is used by another product of this seller")
            return
        for line in lines:
            await self._update([line], tally)

    async def _changes(
        self, lines: Sequence[_Line], tally: _Tally
    ) -> list[tuple[_Line, Product, dict[str, int | None]]]:
        """Each line with the product as it is, and the new stock of the variants that stay."""
        current = await self._products.load([line.product.product_id for line in lines])
        changes = []
        for line in lines:
            product = current[line.product.product_id]
            wanted = aligned(product, line.product)
            if says_the_same(product, wanted):
                tally.unchanged += 1
                continue
            try:
                changes.append((_Line(line.number, wanted), product, _new_stocks(product, wanted)))
            except CohortError as error:
                tally.fail(line.number, error.message)
        return changes

    async def _apply(self, changes: Sequence[tuple[_Line, Product, dict[str, int | None]]], unit: Unit) -> None:
        for line, current, stocks in changes:
            await self._replace(current, line.product, stocks, unit)
            event = ProductUpdated(product_id=current.product_id, seller_id=current.seller_id, fields=("all",))
            unit.record(event, sequence=current.version + 1)

    async def _replace(self, current: Product, wanted: Product, stocks: dict[str, int | None], unit: Unit) -> None:
        fields = {name: v for name, v in product_document(wanted).items() if name not in _KEPT_ON_UPDATE}
        if not await self._products.change(current.product_id, current.version, fields, unit):
            raise _MovedOn
        old = {variant.variant_id: variant for variant in current.variants}
        if current.suspended:
            wanted = replace(wanted, variants=tuple(replace(each, live=False) for each in wanted.variants))
        fresh = [variant for variant in wanted.variants if variant.variant_id not in old]
        staying = {variant.variant_id: variant for variant in wanted.variants if variant.variant_id in old}
        for variant_id, variant in old.items():
            await self._products.change_variant(variant_id, _variant_fields(staying.get(variant_id)), unit)
            stock = stocks.get(variant_id)
            if stock is not None:
                move = changed("imported", current, variant, stock, self._clock.now())
                if not await self._shelf.set_on_hand(variant, stock, move, unit):
                    raise _MovedOn
        if fresh:
            await self._products.insert_variants(fresh, self._clock.now(), unit)

    async def backfill(self, seeds: Sequence[SeedProduct], vectors: Mapping[str, Vector]) -> int:
        count = 0
        for start in range(0, len(seeds), _LINES_A_WRITE):
            batch = [product_from_seed(seed, self._low_stock_units) for seed in seeds[start : start + _LINES_A_WRITE]]
            known = await self._products.content_hashes([product.product_id for product in batch])
            new = [product for product in batch if product.product_id not in known]
            if new:
                await asyncio.gather(self._load(new), self._index.index_with_vectors(new, vectors))
                self._indexing.loaded(new)
            count += len(new)
        return count

    async def _load(self, products: Sequence[Product]) -> None:
        try:
            await self._products.load_in_bulk(products)
        except KeyTaken:  # the variants of an interrupted run, whose products were not written yet
            await self._products.remove_in_bulk([product.product_id for product in products])
            await self._products.load_in_bulk(products)

    def index_text(self, seed: SeedProduct) -> str:
        return text_of(product_from_seed(seed, self._low_stock_units))


def _new_stocks(current: Product, wanted: Product) -> dict[str, int | None]:
    """Raises StockBelowReserved."""
    old = {variant.variant_id: variant for variant in current.variants}
    return {
        variant.variant_id: new_stock(old[variant.variant_id], variant.on_hand)
        for variant in wanted.variants
        if variant.variant_id in old
    }


def _variant_fields(wanted: Variant | None) -> dict[str, Any]:
    if wanted is None:
        return {"removed": True, "live": False}
    return {
        "sku": wanted.sku,
        "options": [[name, value] for name, value in wanted.options.items()],
        "price": wanted.price,
        "compare_at_price": wanted.compare_at_price,
        "place": wanted.place,
        "removed": False,
        "live": wanted.live,
    }
