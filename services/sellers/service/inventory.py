"""A seller's variants with what is left of them; prices and stock are the catalogue's of now."""

from collections.abc import Sequence

from services.contracts.catalog import CatalogPort, PricedLine
from services.contracts.events import ProductCreated
from services.contracts.sellers import SellerProduct, StockLevel
from services.kit.events import Envelope
from services.kit.principal import Principal
from services.kit.wire import Page
from services.sellers.models.cursors import cursor_of, numbered_position
from services.sellers.repository import LowStockRepository
from services.sellers.repository.low_stock import SHARDS
from services.sellers.service.profiles import shop_of

_PRODUCTS_A_PAGE = 20
_VARIANTS_A_QUERY = 50


class Inventory:
    def __init__(self, low: LowStockRepository, catalog: CatalogPort, *, low_stock_units: int) -> None:
        self._low = low
        self._catalog = catalog
        self._low_stock_units = low_stock_units

    async def page(self, who: Principal, *, low_stock: bool, limit: int, cursor: str | None) -> Page[SellerProduct]:
        seller_id = shop_of(who)
        if low_stock:
            return await self._low_page(seller_id, limit, cursor)
        return await self._whole_page(who, limit, cursor)

    async def _whole_page(self, who: Principal, limit: int, cursor: str | None) -> Page[SellerProduct]:
        """Variants product by product; the cursor is the catalogue's and how many variants of its page were shown."""
        skipped, inner = numbered_position(cursor)
        shown = await self._catalog.of_seller(who, min(limit, _PRODUCTS_A_PAGE), inner or None)
        ids = [card.product_id for card in shown.items]
        offers = await self._catalog.variants_of(ids) if ids else {}
        lines = [line for product_id in ids for line in offers.get(product_id, ())][skipped:]
        items = [self._view(line) for line in lines[:limit]]
        if len(lines) > limit:
            return Page(items=items, next_cursor=cursor_of(str(skipped + limit), inner))
        following = cursor_of("0", shown.next_cursor) if shown.next_cursor else None
        return Page(items=items, next_cursor=following)

    async def _low_page(self, seller_id: str, limit: int, cursor: str | None) -> Page[SellerProduct]:
        shard, after = numbered_position(cursor)
        items: list[SellerProduct] = []
        while shard < SHARDS:
            ids = [variant_id for variant_id in await self._low.of_seller(seller_id, shard) if variant_id > after]
            for start in range(0, len(ids), _VARIANTS_A_QUERY):
                for line in await self._still_low(ids[start : start + _VARIANTS_A_QUERY]):
                    if len(items) == limit:
                        return Page(items=items, next_cursor=cursor_of(str(shard), after))
                    items.append(self._view(line))
                    after = line.variant_id
            shard, after = shard + 1, ""
        return Page(items=items)

    async def _still_low(self, variant_ids: Sequence[str]) -> list[PricedLine]:
        lines = await self._catalog.price(variant_ids)
        return [lines[each] for each in variant_ids if each in lines and self._is_low(lines[each])]

    def _is_low(self, line: PricedLine) -> bool:
        return line.active and line.available <= self._low_stock_units

    def _view(self, line: PricedLine) -> SellerProduct:
        return SellerProduct(
            product_id=line.product_id,
            variant_id=line.variant_id,
            sku=line.sku,
            title=line.title,
            options=line.options,
            price=line.price,
            available=line.available,
            low_stock=self._is_low(line),
        )

    async def follow(self, events: Sequence[Envelope]) -> None:
        """Look at the products these events speak of; what they say matters less than that they came."""
        products: dict[str, None] = {}
        for event in events:
            if event.type == ProductCreated.TYPE:
                products.update(dict.fromkeys(event.data["productIds"]))
            elif event.type.startswith(("product.", "inventory.")):
                products[event.data["productId"]] = None
        await self.check(list(products))

    async def note(self, levels: Sequence[StockLevel]) -> None:
        low = {
            level.variant_id: (level.product_id, level.seller_id)
            for level in levels
            if level.available <= self._low_stock_units
        }
        await self._low.set_low(list(dict.fromkeys(level.product_id for level in levels)), low)

    async def check(self, product_ids: Sequence[str]) -> None:
        if not product_ids:
            return
        offers = await self._catalog.variants_of(product_ids)
        low = {
            line.variant_id: (line.product_id, line.seller_id)
            for lines in offers.values()
            for line in lines
            if self._is_low(line)
        }
        await self._low.set_low(product_ids, low)
