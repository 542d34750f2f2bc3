"""Products that leave the market: archived, deleted for good, or hidden with their seller."""

from collections.abc import Awaitable, Callable, Sequence

from services.catalog.models.product import Product
from services.catalog.repository import LedgerRepository, ProductRepository
from services.catalog.service.editing import MovedOn, SellerStatusOf
from services.catalog.service.indexing import Indexing
from services.catalog.service.rendered import RenderedProducts
from services.contracts.catalog import ProductOrdered
from services.contracts.events import ProductDeleted, ProductUpdated
from services.kit.clock import Clock
from services.kit.errors import Conflict, NotFound
from services.kit.outbox import Outbox, Unit
from services.kit.principal import Principal

WasOrdered = Callable[[str], Awaitable[bool]]
"""Whether any order ever named the product."""

_ATTEMPTS = 8
_PRODUCTS_A_WRITE = 25


class Removing:
    def __init__(
        self,
        *,
        products: ProductRepository,
        ledger: LedgerRepository,
        outbox: Outbox,
        rendered: RenderedProducts,
        indexing: Indexing,
        seller_status: SellerStatusOf,
        was_ordered: WasOrdered,
        clock: Clock,
    ) -> None:
        self._products = products
        self._ledger = ledger
        self._outbox = outbox
        self._rendered = rendered
        self._indexing = indexing
        self._seller_status = seller_status
        self._was_ordered = was_ordered
        self._clock = clock

    async def archive(self, who: Principal, product_id: str) -> None:
        for _ in range(_ATTEMPTS):
            product = await self._own(who, product_id)
            if product.status == "archived":
                return
            try:
                await self._write(product, self._archived(product))
            except MovedOn:
                continue
            return
        raise _busy()

    async def delete(self, who: Principal, product_id: str) -> None:
        """Archived first, so that nothing new can name it; only then is it sure that nothing ever did."""
        await self._own(who, product_id)
        await self._refuse_ordered(product_id)
        await self.archive(who, product_id)
        for _ in range(_ATTEMPTS):
            product = await self._own(who, product_id)
            if any(variant.reserved for variant in product.variants):
                raise ProductOrdered("an order that is being placed names this product; it is archived now")
            await self._refuse_ordered(product_id)
            try:
                await self._write(product, self._deleted(product))
            except MovedOn:
                continue
            return
        raise _busy()

    async def _refuse_ordered(self, product_id: str) -> None:
        if await self._was_ordered(product_id):
            raise ProductOrdered("orders name this product, so it can be archived but not deleted")

    async def _own(self, who: Principal, product_id: str) -> Product:
        product = await self._products.find(product_id)
        if product is None or product.seller_id != who.seller_id:
            raise NotFound.of("product")
        return product

    async def _write(self, product: Product, step: Callable[[Unit], Awaitable[None]]) -> None:
        event = ProductDeleted(product_id=product.product_id, seller_id=product.seller_id)

        async def work(unit: Unit) -> None:
            await step(unit)
            unit.record(event, sequence=product.version + 1)

        try:
            await self._outbox.transact(work)
        finally:
            await self._rendered.forget([product.product_id])

    def _archived(self, product: Product) -> Callable[[Unit], Awaitable[None]]:
        fields = {"status": "archived", "updated_at": self._clock.now(), "content_hash": None}

        async def step(unit: Unit) -> None:
            if not await self._products.change(product.product_id, product.version, fields, unit):
                raise MovedOn
            await self._products.set_live(product.product_id, live=False, unit=unit)

        return step

    def _deleted(self, product: Product) -> Callable[[Unit], Awaitable[None]]:
        async def step(unit: Unit) -> None:
            if not await self._products.delete(product, unit):
                raise MovedOn
            await self._ledger.forget(product.product_id, unit)

        return step

    async def refresh_seller(self, seller_id: str) -> int:
        """Returns how many products were hidden or shown again."""
        suspended = await self._seller_status(seller_id) == "suspended"
        ids = await self._products.ids_of_seller(seller_id)
        moved = 0
        for start in range(0, len(ids), _PRODUCTS_A_WRITE):
            moved += await self._suspend(ids[start : start + _PRODUCTS_A_WRITE], suspended=suspended)
        return moved

    async def _suspend(self, product_ids: Sequence[str], *, suspended: bool) -> int:
        for _ in range(_ATTEMPTS):
            products = (await self._products.load(product_ids)).values()
            changing = [product for product in products if product.suspended != suspended]
            try:
                if changing:
                    await self._outbox.transact(lambda unit, these=changing: _hide(self._products, these, unit))  # type: ignore[misc]
            except MovedOn:
                continue
            await self._rendered.forget(product_ids)
            await self._indexing.refresh([product.product_id for product in changing], new_texts=False)
            return len(changing)
        raise _busy()


async def _hide(products: ProductRepository, changing: Sequence[Product], unit: Unit) -> None:
    for product in changing:
        suspended = not product.suspended
        if not await products.change(product.product_id, product.version, {"suspended": suspended}, unit):
            raise MovedOn
        await products.set_live(product.product_id, live=product.status == "active" and not suspended, unit=unit)
        told = ProductUpdated(product_id=product.product_id, seller_id=product.seller_id, fields=("seller",))
        unit.record(told, sequence=product.version + 1)


def _busy() -> Conflict:
    return Conflict("the product is being changed by others at this moment; try again")
