"""Finding and looking at products."""

from functools import partial
from typing import Annotated, Literal

from pydantic import Field

from services.contracts.catalog import CatalogPort, ProductPage, ProductQuery
from services.kit.errors import NotFound
from services.kit.money import paise_from_rupees
from tools.kinds import Arguments, Call, Kind, Scope, Tool, ToolResult, refused

_ProductId = Annotated[
    str, Field(description="productId of a product shown in this conversation", pattern=r"^prd_\w+$")
]
_Rupees = Annotated[float | None, Field(ge=0, le=10_000_000, description="rupees, at most two decimals")]

_OPEN: dict[str, object] = {
    "min_rating": None, "size": (), "max_price": None, "min_price": None, "colour": (), "brand": (),
}  # fmt: skip
_LEAST_FIRST = tuple(_OPEN)


class SearchArguments(Arguments):
    query: Annotated[
        str, Field(max_length=500, description="what the shopper wants, in words; empty for filters alone")
    ] = ""
    category: Annotated[str | None, Field(description="a category of the shop")] = None
    brand: Annotated[str | None, Field(description="brand, several separated by commas")] = None
    colour: Annotated[str | None, Field(description="colour, several separated by commas")] = None
    size: Annotated[str | None, Field(description="size, e.g. 8 or XL")] = None
    min_price: _Rupees = None
    max_price: _Rupees = None
    min_rating: Annotated[float | None, Field(ge=0, le=5)] = None
    in_stock: bool | None = None
    exclude: Annotated[
        dict[str, list[str]] | None, Field(description='what is not wanted, e.g. {"material": ["leather"]}')
    ] = None
    sort: Literal["relevance", "price_asc", "price_desc", "rating", "newest"] = "relevance"
    limit: Annotated[int, Field(ge=1, le=20)] = 6


class ProductArguments(Arguments):
    product_id: _ProductId


class ReviewArguments(ProductArguments):
    limit: Annotated[int, Field(ge=1, le=20)] = 5


class CompareArguments(Arguments):
    product_ids: Annotated[list[str], Field(min_length=2, max_length=4)]


def tools(catalog: CatalogPort) -> list[Tool]:
    shelf = _Shelf(catalog)
    read = partial(Tool, kind=Kind.READ, scope=Scope.ANYONE)
    return [
        read("search_products", "Search the shop by words and filters.", arguments=SearchArguments, run=shelf.search),
        read("get_product", "Details, variants and stock of one product.", arguments=ProductArguments, run=shelf.get),
        read("compare_products", "Two to four products side by side.", arguments=CompareArguments, run=shelf.compare),
        read("get_reviews", "What buyers say about one product.", arguments=ReviewArguments, run=shelf.reviews),
        read("similar_products", "Products like this one.", arguments=ProductArguments, run=shelf.similar),
    ]


class _Shelf:
    def __init__(self, catalog: CatalogPort) -> None:
        self._catalog = catalog

    async def search(self, _call: Call, wish: SearchArguments) -> ToolResult:
        low, high = _paise(wish.min_price), _paise(wish.max_price)
        if low is not None and high is not None and low > high:
            return refused("invalid", "min_price is above max_price; swap them", field_name="min_price")
        page, relaxed = await self._nearest(
            ProductQuery(
                q=wish.query, category=wish.category, brand=_several(wish.brand), colour=_several(wish.colour),
                size=_several(wish.size), min_price=low, max_price=high, min_rating=wish.min_rating,
                in_stock=wish.in_stock, exclude={k: tuple(v) for k, v in (wish.exclude or {}).items()},
                sort=wish.sort, limit=wish.limit,
            )
        )  # fmt: skip
        found: dict[str, object] = {
            "items": [card.to_wire() for card in page.items],
            "more": page.next_cursor is not None,
        }
        return ToolResult({**found, "relaxed": relaxed} if relaxed else found)

    async def _nearest(self, query: ProductQuery) -> tuple[ProductPage, list[str]]:
        """What fits; else what fits without the least of the conditions, which is named. Exclusions stay."""
        page = await self._catalog.search(query)
        given = [name for name in _LEAST_FIRST if getattr(query, name)]
        for dropped in [*([name] for name in given), given]:
            if page.items or not dropped:
                break
            again = await self._catalog.search(query.model_copy(update={name: _OPEN[name] for name in dropped}))
            if again.items:
                return again, dropped
        return page, []

    async def get(self, call: Call, wish: ProductArguments) -> ToolResult:
        return ToolResult((await self._catalog.get(wish.product_id, call.who)).to_wire())

    async def reviews(self, call: Call, wish: ReviewArguments) -> ToolResult:
        page = (await self._catalog.reviews(wish.product_id, wish.limit, None, call.who)).to_wire()
        return ToolResult({"items": page["items"], "summary": page["summary"]})

    async def compare(self, call: Call, wish: CompareArguments) -> ToolResult:
        return ToolResult({"items": [(await self._catalog.get(p, call.who)).to_wire() for p in wish.product_ids]})

    async def similar(self, _call: Call, wish: ProductArguments) -> ToolResult:
        cards = await self._catalog.similar(wish.product_id)
        if not cards:
            raise NotFound.of("product with others like it")
        return ToolResult({"items": [card.to_wire() for card in cards]})


def _several(text: str | None) -> tuple[str, ...]:
    return tuple(part.strip() for part in (text or "").split(",") if part.strip())


def _paise(rupees: float | None) -> int | None:
    return None if rupees is None else paise_from_rupees(round(rupees, 2))
