"""What sellers do to their own products."""

from collections.abc import Awaitable, Callable
from dataclasses import replace

from services.catalog.models.draft import id_by_source, product_from
from services.catalog.models.ledger import changed
from services.catalog.models.patch import ProductChange, changes_of
from services.catalog.models.product import Product
from services.catalog.repository import ProductRepository, StockRepository
from services.catalog.repository.products import KeyTaken
from services.catalog.service.reading import Reading
from services.catalog.service.rendered import RenderedProducts
from services.catalog.service.stock import Stock
from services.contracts.catalog import (
    ExternalIdTaken,
    ProductIn,
    ProductPatch,
    ProductView,
    SellerNotApproved,
    SkuTaken,
)
from services.contracts.events import ProductCreated, ProductUpdated
from services.kit.clock import Clock
from services.kit.errors import Conflict, NotFound
from services.kit.idempotency import CommandKey, Idempotency
from services.kit.outbox import Outbox, Unit
from services.kit.principal import Principal

SellerStatusOf = Callable[[str], Awaitable[str | None]]
"""pending, approved or suspended by seller id; None when there is no such seller."""

_ATTEMPTS = 8


class MovedOn(Exception):
    """Somebody changed the product between reading and writing."""


class Editing:
    def __init__(
        self,
        *,
        products: ProductRepository,
        shelf: StockRepository,
        outbox: Outbox,
        idempotency: Idempotency,
        reading: Reading,
        stock: Stock,
        rendered: RenderedProducts,
        seller_status: SellerStatusOf,
        clock: Clock,
        low_stock_units: int,
    ) -> None:
        self._products = products
        self._shelf = shelf
        self._outbox = outbox
        self._idempotency = idempotency
        self._reading = reading
        self._stock = stock
        self._rendered = rendered
        self._seller_status = seller_status
        self._clock = clock
        self._low_stock_units = low_stock_units

    async def may_sell(self, seller_id: str | None) -> str:
        """The id again. Raises SellerNotApproved."""
        if seller_id is None or await self._seller_status(seller_id) != "approved":
            raise SellerNotApproved("only approved sellers may offer products")
        return seller_id

    async def create(self, who: Principal, product: ProductIn, key: CommandKey | None) -> ProductView:
        seller_id = await self.may_sell(who.seller_id)
        async with self._idempotency.attempt(key, "prd") as attempt:
            if attempt.answer is not None:
                return ProductView.from_wire(attempt.answer).as_replayed()
            product_id = id_by_source(seller_id, product) if product.external_id else attempt.new_id
            drafted = product_from(product, product_id, seller_id, self._clock.now(), self._low_stock_units)
            view = await self._reading.view(drafted)

            async def work(unit: Unit) -> None:
                await self._products.insert([drafted], unit)
                unit.record(ProductCreated(seller_id=seller_id, product_ids=(product_id,)), sequence=1)
                await self._idempotency.complete(attempt, view, unit)

            try:
                await self._outbox.transact(work)
            except KeyTaken as error:
                raise await self._taken(drafted) from error
            return view

    async def _taken(self, drafted: Product) -> Conflict:
        if await self._products.find(drafted.product_id):
            return ExternalIdTaken(
                "you already have a product under this externalId",
                field="externalId",
                details={"productId": drafted.product_id},
            )
        return SkuTaken("you already use one of these SKUs on another product", field="sku")

    async def update(self, who: Principal, product_id: str, patch: ProductPatch) -> ProductView:
        for _ in range(_ATTEMPTS):
            product = await self._own(who, product_id)
            change = changes_of(product, patch)
            if not change.named:
                return await self._reading.view(product)
            try:
                await self._write(product, change)
            except MovedOn:
                continue
            return await self._reading.view(await self._own(who, product_id))
        raise Conflict("the product is being changed by others at this moment; try again")

    async def _own(self, who: Principal, product_id: str) -> Product:
        product = await self._products.find(product_id)
        if product is None or product.seller_id != who.seller_id:
            raise NotFound.of("product")
        return product

    async def _write(self, product: Product, change: ProductChange) -> None:
        event = ProductUpdated(product_id=product.product_id, seller_id=product.seller_id, fields=change.named)

        async def work(unit: Unit) -> None:
            await self._set(product, change, unit)
            unit.record(event, sequence=product.version + 1)

        try:
            await self._outbox.transact(work)
        finally:
            await self._rendered.forget([product.product_id])
        await self._stock.moved(each.variant.variant_id for each in change.variants if each.stock is not None)

    async def _set(self, product: Product, change: ProductChange, unit: Unit) -> None:
        fields = {**change.fields, "updated_at": self._clock.now(), "content_hash": None}
        if not await self._products.change(product.product_id, product.version, fields, unit):
            raise MovedOn
        for each in change.variants:
            if each.fields:
                await self._products.change_variant(each.variant.variant_id, each.fields, unit)
            if each.stock is not None:
                move = changed("edited", product, each.variant, each.stock, self._clock.now())
                if not await self._shelf.set_on_hand(each.variant, each.stock, move, unit):
                    raise MovedOn
        if "status" in change.fields:
            live = replace(product, status=change.fields["status"]).live
            await self._products.set_live(product.product_id, live=live, unit=unit)
