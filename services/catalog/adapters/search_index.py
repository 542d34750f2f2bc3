"""The catalogue's index: which products answer a question and in which order. Never prices or stock."""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple, Protocol

from services.catalog.adapters import cursors
from services.catalog.adapters.conditions import condition_of, lowest_price, of_seller, point_of
from services.catalog.adapters.faceting import FIELDS, counted_facets, facets_of_hits
from services.catalog.adapters.price_order import Place, first_places
from services.catalog.models.product import Product
from services.catalog.models.wish import ProductWish
from services.contracts.catalog import Facet, IndexStatus, ProductQuery, Status, Vocabulary
from vectorstore.embeddings import Embedder, Matrix, Vector
from vectorstore.index import All, BadCursor, Condition, Hit, OrderBy, Payload, Point, Range, VectorIndex

_INLINE_AT_MOST = 20
_SORTED_MATCHES = 100
_FACET_MATCHES = 200
_VOCABULARY = 2_000
_TEXTS_A_ROUND = 256
_COUNTABLE = 1_000_000

_ORDERS: dict[str, OrderBy] = {
    "relevance": ("popularity", "desc"),
    "rating": ("rating", "desc"),
    "newest": ("created", "desc"),
}


class BulkEmbedder(Protocol):
    """Embeds many texts without slowing the questions of buyers."""

    async def embed(self, texts: Sequence[str]) -> Matrix: ...


class Found(NamedTuple):
    """Product ids in order; `next_cursor` goes on behind the last, None at the end."""

    product_ids: list[str]
    next_cursor: str | None


class ProductIndex:
    """Products in a vector index. Without an embedder search goes by keywords alone."""

    def __init__(self, index: VectorIndex, embedder: Embedder | None, bulk: BulkEmbedder | None = None) -> None:
        self._index = index
        self._embedder = embedder
        self._bulk = bulk
        self._missing: int | None = None
        self._embedded = 0

    async def index(self, products: Sequence[Product], *, new_texts: bool = True) -> None:
        """Put products in place. A few get their vectors at once, many are found by keywords until `embed_missing`."""
        points = [point_of(product) for product in products]
        if new_texts and self._embedder and len(points) <= _INLINE_AT_MOST:
            points = await self._with_vectors(self._embedder, points)
        elif new_texts:
            self._missing = None
        await self._index.upsert(points)

    async def index_with_vectors(self, products: Sequence[Product], vectors: Mapping[str, Vector]) -> None:
        """Products whose vectors were made before; the others are left to `embed_missing`."""
        points = [point_of(product) for product in products]
        await self._index.upsert([Point(p.id, p.payload, p.text, vectors.get(p.id)) for p in points])
        self._missing = None

    async def remove(self, product_ids: Iterable[str]) -> None:
        await self._index.delete(product_ids)

    async def known(self) -> set[str]:
        return await self._index.ids()

    async def embed_missing(self) -> int:
        """Give vectors to all products that lack one; returns how many got one."""
        done = 0
        if self._bulk is None:
            return done
        await self._count_missing()
        while rows := await self._index.missing_dense(_TEXTS_A_ROUND):
            vectors = await self._bulk.embed([text for _, text in rows])
            by_id = {point_id: vectors[row] for row, (point_id, _) in enumerate(rows)}
            await self._index.set_vectors(by_id, made_from=dict(rows))
            done += len(rows)
            self._embedded += len(rows)
            if self._missing is not None:  # None: products came meanwhile, and whoever asks counts again
                self._missing = max(0, self._missing - len(rows))
        return done

    async def status(self) -> IndexStatus:
        missing = await self._count_missing()
        return IndexStatus(points=await self._index.count(), missing_dense=missing, embedded=self._embedded)

    async def search(self, query: ProductQuery, cursor: str | None, limit: int) -> Found:
        """Up to `limit` products behind `cursor`. Raises CursorInvalid."""
        wish = ProductWish.of(query)
        where = condition_of(wish)
        text = query.q.strip()
        if text:
            return await self._by_text(text, query, wish, cursor, limit)
        if query.sort in ("price_asc", "price_desc"):
            return await self._by_price(wish, where, cursor, limit, dearest_first=query.sort == "price_desc")
        return await self._listed(where, query.sort, cursor, limit)

    async def of_seller(self, seller_id: str, status: Status | None, cursor: str | None, limit: int) -> Found:
        return await self._listed(of_seller(seller_id, status), "newest", cursor, limit)

    async def similar(self, product_id: str, limit: int) -> list[str]:
        where = condition_of(ProductWish.of(ProductQuery()))
        return [hit.id for hit in await self._index.similar(product_id, where, limit)]

    async def facets(self, query: ProductQuery) -> dict[str, tuple[Facet, ...]]:
        """What else the products that answer the question can be narrowed by; with text, of the best matches."""
        text = query.q.strip()
        if text:
            where = condition_of(ProductWish.of(query))
            hits = await self._index.search(text, await self._vector(text), where, _FACET_MATCHES)
            return facets_of_hits(hits, query)
        return await counted_facets(self._index, query)

    async def vocabulary(self) -> Vocabulary:
        live = condition_of(ProductWish.of(ProductQuery()))
        found = await self._index.facets(list(FIELDS.values()), live, _VOCABULARY)
        words = {field: tuple(str(value) for value, _ in found[field]) for field in FIELDS.values()}
        return Vocabulary(
            categories=words["category"], brands=words["brand"], colours=words["colours"], sizes=words["sizes"]
        )

    async def _by_text(
        self, text: str, query: ProductQuery, wish: ProductWish, cursor: str | None, limit: int
    ) -> Found:
        offset: int = cursors.decode(cursor, f"text:{query.sort}", int)[0] if cursor else 0
        where = condition_of(wish)
        vector = await self._vector(text)
        if query.sort == "relevance":
            hits = await self._index.search(text, vector, where, limit + 1, max(0, offset))
            ids = [hit.id for hit in hits]
        else:
            best = await self._index.search(text, vector, where, _SORTED_MATCHES)
            ids = [hit.id for hit in _sorted(best, query, wish)][max(0, offset) : max(0, offset) + limit + 1]
        following = cursors.encode(f"text:{query.sort}", offset + limit) if len(ids) > limit else None
        return Found(ids[:limit], following)

    async def _listed(self, where: Condition, sort: str, cursor: str | None, limit: int) -> Found:
        inner: str | None = cursors.decode(cursor, sort, str)[0] if cursor else None
        try:
            hits, following = await self._index.scroll(where, _ORDERS[sort], limit, inner)
        except BadCursor as error:
            raise cursors.refused() from error
        return Found([hit.id for hit in hits], cursors.encode(sort, following) if following else None)

    async def _by_price(
        self, wish: ProductWish, where: Condition, cursor: str | None, limit: int, *, dearest_first: bool
    ) -> Found:
        sign, field = (-1, "price_max") if dearest_first else (1, "price")
        kind = "price_desc" if dearest_first else "price_asc"
        after = Place(*cursors.decode(cursor, kind, int, str)) if cursor else None
        bounded = All([where, *_unpassed(after, dearest_first=dearest_first)])

        async def read(count: int, inner: str | None) -> tuple[list[Hit], str | None]:
            return await self._index.scroll(bounded, (field, "desc" if dearest_first else "asc"), count, inner)

        places = await first_places(
            read,
            bound=lambda hit: sign * int(_number(hit.payload, field)),
            key=lambda hit: sign * lowest_price(hit.payload, wish.variant),
            after=after,
            count=limit + 1,
        )
        page = places[:limit]
        following = cursors.encode(kind, page[-1].key, page[-1].product_id) if len(places) > limit else None
        return Found([place.product_id for place in page], following)

    async def _vector(self, text: str) -> Vector | None:
        return await self._embedder.embed_query(text) if self._embedder else None

    async def _with_vectors(self, embedder: Embedder, points: list[Point]) -> list[Point]:
        vectors = await embedder.embed_documents([point.text or "" for point in points])
        return [Point(p.id, p.payload, p.text, vectors[row]) for row, p in enumerate(points)]

    async def _count_missing(self) -> int:
        if self._missing is None:
            self._missing = len(await self._index.missing_dense(_COUNTABLE))
        return self._missing


def _unpassed(after: Place | None, *, dearest_first: bool) -> list[Condition]:
    """Products that may have a variant behind `after`."""
    if after is None:
        return []
    return [Range("price", lte=-after.key) if dearest_first else Range("price_max", gte=after.key)]


def _sorted(hits: Sequence[Hit], query: ProductQuery, wish: ProductWish) -> list[Hit]:
    if query.sort == "price_asc":
        return sorted(hits, key=lambda hit: lowest_price(hit.payload, wish.variant))
    if query.sort == "price_desc":
        return sorted(hits, key=lambda hit: -lowest_price(hit.payload, wish.variant))
    field = _ORDERS[query.sort][0]
    return sorted(hits, key=lambda hit: -_number(hit.payload, field))


def _number(payload: Payload, field: str) -> float:
    value = payload[field]
    return value if isinstance(value, int | float) else 0
