"""The catalogue: products, their variants with stock, and search."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import suppress
from datetime import datetime

from services.catalog.adapters.images import ImageStore
from services.catalog.adapters.search_index import ProductIndex
from services.catalog.repository import LedgerRepository, ProductRepository, ReviewRepository, StockRepository
from services.catalog.service.editing import Editing, SellerStatusOf
from services.catalog.service.exporting import Exporting
from services.catalog.service.importing import Importing
from services.catalog.service.indexing import Indexing
from services.catalog.service.ledger import Ledger
from services.catalog.service.picturing import Picturing
from services.catalog.service.reading import Reading, SellerNames
from services.catalog.service.removing import Removing, WasOrdered
from services.catalog.service.rendered import RenderedProducts
from services.catalog.service.reviewing import HasReceived, Reviewing
from services.catalog.service.stock import Stock
from services.catalog.service.suggesting import Suggesting
from services.contracts.catalog import (
    Card,
    CatalogPort,
    ExportFormat,
    ImportReport,
    IndexStatus,
    LineIn,
    ModerationIn,
    PricedLine,
    ProductIn,
    ProductPage,
    ProductPatch,
    ProductQuery,
    ProductView,
    ReplyIn,
    ReviewIn,
    ReviewPage,
    ReviewView,
    SeedProduct,
    Status,
    StockChange,
    StockChanged,
    StockLedger,
    Suggestion,
    Vocabulary,
)
from services.kit.cache import Cache
from services.kit.clock import Clock
from services.kit.errors import Forbidden
from services.kit.events import Envelope
from services.kit.faults import NO_CRASHES, CrashPoints
from services.kit.idempotency import CommandKey, Idempotency
from services.kit.log import get_logger
from services.kit.outbox import Outbox
from services.kit.principal import Principal
from vectorstore.embeddings import Vector

log = get_logger("catalog")


class CatalogService(CatalogPort):
    """Implements the port; beside it what only its own process needs: rendering, indexing, bulk loading, loops."""

    def __init__(
        self,
        *,
        products: ProductRepository,
        stock: StockRepository,
        ledger: LedgerRepository,
        reviews: ReviewRepository,
        images: ImageStore,
        outbox: Outbox,
        idempotency: Idempotency,
        index: ProductIndex,
        cache: Cache,
        seller_names: SellerNames,
        seller_status: SellerStatusOf,
        was_ordered: WasOrdered,
        has_received: HasReceived,
        clock: Clock,
        crash: CrashPoints = NO_CRASHES,
        low_stock_units: int = 5,
    ) -> None:
        rendered = RenderedProducts(cache)
        self._reading = Reading(products, index, rendered, seller_names)
        self._stock = Stock(
            shelf=stock,
            products=products,
            ledger=ledger,
            outbox=outbox,
            rendered=rendered,
            clock=clock,
            crash=crash,
            low_stock_units=low_stock_units,
        )
        self._editing = Editing(
            products=products,
            shelf=stock,
            outbox=outbox,
            idempotency=idempotency,
            reading=self._reading,
            stock=self._stock,
            rendered=rendered,
            seller_status=seller_status,
            clock=clock,
            low_stock_units=low_stock_units,
        )
        self._suggesting = Suggesting(products)
        self._indexing = Indexing(products, index, self._suggesting, clock)
        self._ledger = Ledger(
            products=products,
            shelf=stock,
            ledger=ledger,
            outbox=outbox,
            idempotency=idempotency,
            stock=self._stock,
            clock=clock,
        )
        self._reviewing = Reviewing(
            products=products,
            reviews=reviews,
            outbox=outbox,
            idempotency=idempotency,
            rendered=rendered,
            has_received=has_received,
            clock=clock,
        )
        self._removing = Removing(
            products=products,
            ledger=ledger,
            outbox=outbox,
            rendered=rendered,
            indexing=self._indexing,
            seller_status=seller_status,
            was_ordered=was_ordered,
            clock=clock,
        )
        self._picturing = Picturing(
            products=products,
            store=images,
            outbox=outbox,
            rendered=rendered,
            reading=self._reading,
            was_ordered=was_ordered,
            clock=clock,
        )
        self._exporting = Exporting(products)
        self._importing = Importing(
            products=products,
            shelf=stock,
            outbox=outbox,
            index=index,
            rendered=rendered,
            indexing=self._indexing,
            stock=self._stock,
            clock=clock,
            low_stock_units=low_stock_units,
        )

    async def search(self, query: ProductQuery) -> ProductPage:
        return await self._reading.search(query)

    async def get(self, product_id: str, who: Principal | None = None) -> ProductView:
        return await self._reading.get(product_id, who)

    async def public_bytes(self, product_id: str) -> bytes | None:
        """The JSON of a product everybody may see, from the cache if it is there; None when there is none such."""
        return await self._reading.public_bytes(product_id)

    async def many(self, product_ids: Sequence[str]) -> list[Card]:
        return await self._reading.many(product_ids)

    async def similar(self, product_id: str, limit: int = 6) -> list[Card]:
        return await self._reading.similar(product_id, limit)

    async def suggest(self, typed: str, limit: int = 10) -> tuple[Suggestion, ...]:
        return await self._suggesting.suggest(typed, limit)

    async def refresh_suggestions(self) -> None:
        """Read all completions again, for what another process changed."""
        await self._suggesting.refresh()

    async def reviews(
        self, product_id: str, limit: int = 20, cursor: str | None = None, who: Principal | None = None
    ) -> ReviewPage:
        return await self._reviewing.page(who, product_id, limit, cursor)

    async def review(
        self, who: Principal, product_id: str, review: ReviewIn, key: CommandKey | None = None
    ) -> ReviewView:
        return await self._reviewing.write(who, product_id, review, key)

    async def reply_to_review(self, who: Principal, product_id: str, review_id: str, reply: ReplyIn) -> ReviewView:
        return await self._reviewing.reply(who, product_id, review_id, reply.text)

    async def moderate_review(
        self, who: Principal, product_id: str, review_id: str, moderation: ModerationIn
    ) -> ReviewView:
        if not who.is_admin:
            raise Forbidden("this is for admins")
        return await self._reviewing.moderate(product_id, review_id, hidden=moderation.action == "hide")

    async def create(self, who: Principal, product: ProductIn, key: CommandKey | None = None) -> ProductView:
        return await self._editing.create(who, product, key)

    async def update(self, who: Principal, product_id: str, patch: ProductPatch) -> ProductView:
        return await self._editing.update(who, product_id, patch)

    async def archive(self, who: Principal, product_id: str) -> None:
        await self._removing.archive(who, product_id)

    async def delete(self, who: Principal, product_id: str) -> None:
        await self._removing.delete(who, product_id)

    async def refresh_seller(self, seller_id: str) -> int:
        return await self._removing.refresh_seller(seller_id)

    async def require_own(self, who: Principal, product_id: str) -> None:
        """Raises NotFound when the product is not the caller's."""
        await self._picturing.own(who, product_id)

    async def add_image(self, who: Principal, product_id: str, content: bytes) -> ProductView:
        return await self._picturing.add(who, product_id, content)

    async def remove_image(self, who: Principal, product_id: str, url: str) -> ProductView:
        return await self._picturing.remove(who, product_id, url)

    async def change_stock(
        self, who: Principal, product_id: str, change: StockChange, key: CommandKey | None = None
    ) -> StockChanged:
        return await self._ledger.change(who, product_id, change, key)

    async def stock_ledger(self, who: Principal, product_id: str, limit: int, cursor: str | None) -> StockLedger:
        return await self._ledger.read(who, product_id, limit, cursor)

    async def may_sell(self, who: Principal) -> str:
        """The caller's seller id. Raises SellerNotApproved."""
        return await self._editing.may_sell(who.seller_id)

    async def of_seller(
        self, who: Principal, limit: int, cursor: str | None, status: Status | None = None
    ) -> ProductPage:
        if who.seller_id is None:
            raise Forbidden("this is for sellers")
        return await self._reading.of_seller(who.seller_id, limit, cursor, status)

    async def import_lines(self, seller_id: str, lines: AsyncIterator[tuple[int, ProductIn | str]]) -> ImportReport:
        return await self._importing.import_lines(seller_id, lines)

    def export(self, who: Principal, form: ExportFormat) -> AsyncIterator[bytes]:
        if who.seller_id is None:
            raise Forbidden("this is for sellers")
        return self._exporting.export(who.seller_id, form)

    async def backfill(self, products: Sequence[SeedProduct], vectors: Mapping[str, Vector] | None = None) -> int:
        """Load finished products without events and index them; those that are there are left as they are.

        `vectors` by product id, made from `index_text`. Returns how many were new.
        """
        return await self._importing.backfill(products, vectors or {})

    def index_text(self, product: SeedProduct) -> str:
        """The text a product's vector is made from."""
        return self._importing.index_text(product)

    async def vocabulary(self) -> Vocabulary:
        return await self._indexing.vocabulary()

    async def price(self, variant_ids: Sequence[str]) -> dict[str, PricedLine]:
        return await self._reading.price(variant_ids)

    async def variants_of(self, product_ids: Sequence[str]) -> dict[str, tuple[PricedLine, ...]]:
        return await self._reading.variants_of(product_ids)

    async def sole_variant(self, product_id: str) -> PricedLine:
        return await self._reading.sole_variant(product_id)

    async def reserve(self, order_id: str, lines: Sequence[LineIn]) -> None:
        await self._stock.reserve(order_id, lines)

    async def commit(self, order_id: str, lines: Sequence[LineIn]) -> None:
        await self._stock.commit(order_id, lines)

    async def release(self, order_id: str, lines: Sequence[LineIn]) -> None:
        await self._stock.release(order_id, lines)

    async def restock(self, order_id: str, lines: Sequence[LineIn]) -> None:
        await self._stock.restock(order_id, lines)

    async def holds_older_than(self, moment: datetime) -> list[tuple[str, list[LineIn]]]:
        return await self._stock.holds_older_than(moment)

    async def follow(self, event: Envelope) -> None:
        """Bring the index up to date with the products an event speaks of."""
        await self._indexing.follow(event)

    async def flush_inventory(self) -> int:
        """Write inventory events for all stock that moved since the last time; returns how many products."""
        return await self._stock.flush()

    async def inventory_loop(self, *, poll_seconds: float = 5.0, gather_seconds: float = 0.05) -> None:
        """Until cancelled: tell stock that moved, changes of `gather_seconds` together.

        Changes made by another process are seen within `poll_seconds`. One such loop in the whole installation.
        """
        while True:
            self._stock.changed.clear()
            try:
                await self._stock.flush()
            except Exception as error:  # noqa: BLE001 - an outage of the database is outlived; the marks stay
                log.warning("inventory_flush_failed", error=repr(error))
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stock.changed.wait(), poll_seconds)
            await asyncio.sleep(gather_seconds)

    async def embed_missing(self) -> int:
        """Give vectors to all indexed products that lack one; returns how many got one."""
        return await self._indexing.embed_missing()

    async def embedding_loop(self, *, poll_seconds: float = 60.0) -> None:
        """Until cancelled: vectors for whatever has none."""
        await self._indexing.embedding_loop(poll_seconds)

    async def index_status(self) -> IndexStatus:
        return await self._indexing.status()

    async def repair_index(self) -> int:
        """Make index and documents agree on which products there are (after a start, or an erased index)."""
        return await self._indexing.repair()
