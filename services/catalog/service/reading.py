"""What buyers read: lists, details and the prices of lines."""

from collections.abc import Awaitable, Callable, Mapping, Sequence

import orjson

from services.catalog.adapters.search_index import Found, ProductIndex
from services.catalog.models.product import Product
from services.catalog.models.views import card, priced_line, product_from_public, product_view, variant_view
from services.catalog.models.wish import ProductWish
from services.catalog.repository import ProductRepository
from services.catalog.service.rendered import RenderedProducts
from services.contracts.catalog import (
    Card,
    PricedLine,
    ProductPage,
    ProductQuery,
    ProductView,
    Status,
    VariantRequired,
)
from services.kit.errors import NotFound
from services.kit.principal import Principal

SellerNames = Callable[[Sequence[str]], Awaitable[Mapping[str, str]]]
"""Display names by seller id; unknown ids may be missing."""

_ROUNDS = 10
Cards = Callable[[Product], Card | None]
Load = Callable[[Sequence[str]], Awaitable[dict[str, Product]]]
Next = Callable[[str | None, int], Awaitable[Found]]


class Reading:
    def __init__(
        self,
        repository: ProductRepository,
        index: ProductIndex,
        rendered: RenderedProducts,
        seller_names: SellerNames,
    ) -> None:
        self._repository = repository
        self._index = index
        self._rendered = rendered
        self._seller_names = seller_names

    async def search(self, query: ProductQuery) -> ProductPage:
        wish = ProductWish.of(query)

        def shown(product: Product) -> Card | None:
            matching = wish.matching(product)
            return card(product, matching) if matching else None

        async def following(cursor: str | None, limit: int) -> Found:
            return await self._index.search(query, cursor, limit)

        start, ended = await self._start_of(query, following)
        items, cursor = ([], None) if ended else await self._page(following, shown, start, query.limit, self._public)
        if query.sort in ("price_asc", "price_desc"):
            items.sort(key=lambda item: item.price.amount, reverse=query.sort == "price_desc")
        facets = await self._index.facets(query) if query.facets else None
        return ProductPage(items=tuple(items), next_cursor=cursor, facets=facets)

    async def _start_of(self, query: ProductQuery, following: Next) -> tuple[str | None, bool]:
        """The cursor of the asked page, and whether the list ends before it."""
        if query.cursor or query.page is None or query.page == 1:
            return query.cursor, False
        skipped = await following(None, (query.page - 1) * query.limit)
        return skipped.next_cursor, skipped.next_cursor is None

    async def of_seller(self, seller_id: str, limit: int, cursor: str | None, status: Status | None) -> ProductPage:
        def shown(product: Product) -> Card | None:
            wanted = product.status == status if status else product.status != "archived"
            return card(product, product.offered) if wanted and product.offered else None

        async def following(inner: str | None, count: int) -> Found:
            return await self._index.of_seller(seller_id, status, inner, count)

        items, after = await self._page(following, shown, cursor, limit, self._repository.load)
        return ProductPage(items=tuple(items), next_cursor=after, facets=None)

    async def _page(
        self, following: Next, shown: Cards, cursor: str | None, limit: int, load: Load
    ) -> tuple[list[Card], str | None]:
        """Fill a page; what the index still lists but the catalogue denies is passed over."""
        items: list[Card] = []
        for _ in range(_ROUNDS):
            found = await following(cursor, limit - len(items))
            items += await _cards(found.product_ids, shown, load)
            cursor = found.next_cursor
            if cursor is None or len(items) >= limit:
                break
        return items, cursor

    async def _public(self, product_ids: Sequence[str]) -> dict[str, Product]:
        """Products everybody may see, from the cache where it has them."""
        kept = await self._rendered.get_many(product_ids)
        found = {product_id: product_from_public(orjson.loads(body)) for product_id, body in kept.items()}
        lacking = [product_id for product_id in product_ids if product_id not in kept]
        if lacking:
            loaded = await self._repository.load(lacking)
            public = {product_id: product for product_id, product in loaded.items() if _is_public(product)}
            await self._keep(list(public.values()))
            found.update(public)
        return found

    async def _keep(self, products: Sequence[Product]) -> None:
        names = await self._seller_names(list({product.seller_id for product in products}))
        views = [product_view(product, names.get(product.seller_id, "")) for product in products]
        await self._rendered.keep({view.product_id: view.to_json() for view in views})

    async def many(self, product_ids: Sequence[str]) -> list[Card]:
        return await _cards(product_ids, _public_card, self._public)

    async def similar(self, product_id: str, limit: int) -> list[Card]:
        return await self.many(await self._index.similar(product_id, limit))

    async def get(self, product_id: str, who: Principal | None) -> ProductView:
        view = await self._view_of_live(product_id)
        if view is not None:
            return view
        return await self._own_view(product_id, who)

    async def public_bytes(self, product_id: str) -> bytes | None:
        """The JSON of a product that everybody may see; None when there is none such."""
        body = await self._rendered.get(product_id)
        if body is not None:
            return body
        view = await self._view_of_live(product_id)
        if view is None:
            return None
        body = view.to_json()
        await self._rendered.keep({product_id: body})
        return body

    async def _view_of_live(self, product_id: str) -> ProductView | None:
        product = await self._repository.find(product_id)
        return await self.view(product) if product and _is_public(product) else None

    async def _own_view(self, product_id: str, who: Principal | None) -> ProductView:
        seller_id = who.seller_id if who else None
        product = await self._repository.find(product_id) if seller_id else None
        if product is None or product.seller_id != seller_id:
            raise NotFound.of("product")
        return await self.view(product)

    async def view(self, product: Product) -> ProductView:
        names = await self._seller_names([product.seller_id])
        return product_view(product, names.get(product.seller_id, ""))

    async def price(self, variant_ids: Sequence[str]) -> dict[str, PricedLine]:
        variants = await self._repository.variants(variant_ids)
        products = await self._repository.load([variant.product_id for variant in variants])
        current = {each.variant_id: (product, each) for product in products.values() for each in product.variants}
        wanted = [current[each.variant_id] for each in variants if each.variant_id in current]
        return {variant.variant_id: priced_line(product, variant) for product, variant in wanted}

    async def variants_of(self, product_ids: Sequence[str]) -> dict[str, tuple[PricedLine, ...]]:
        products = await self._repository.load(product_ids)
        return {
            product_id: tuple(priced_line(product, variant) for variant in product.offered)
            for product_id, product in products.items()
        }

    async def sole_variant(self, product_id: str) -> PricedLine:
        product = await self._repository.find(product_id)
        if product is None or not _is_public(product):
            raise NotFound.of("product")
        if len(product.offered) == 1:
            return priced_line(product, product.offered[0])
        options = [variant_view(variant).to_wire() for variant in product.offered if variant.available > 0]
        shown = ("variantId", "options", "price", "available")
        raise VariantRequired(
            f"{product.title} comes in several variants; say which one",
            field="variantId",
            details={"productId": product_id, "options": [{name: each[name] for name in shown} for each in options]},
        )


def _is_public(product: Product) -> bool:
    return product.live and bool(product.offered)


def _public_card(product: Product) -> Card | None:
    return card(product, product.offered) if _is_public(product) else None


async def _cards(product_ids: Sequence[str], shown: Cards, load: Load) -> list[Card]:
    products = await load(product_ids)
    cards = [shown(products[each]) for each in product_ids if each in products]
    return [each for each in cards if each is not None]
