"""The index on its real engine, with meaning, and a cache that goes away."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from services.catalog.adapters.conditions import PRODUCT_FIELDS
from services.catalog.adapters.search_index import ProductIndex
from services.catalog.models.draft import product_from
from services.catalog.models.product import Product
from services.catalog.service.rendered import RenderedProducts
from services.contracts.catalog import ProductQuery
from services.kit.cache import Cache, open_redis
from tests.conftest import START
from tests.services.catalog.conftest import product_in
from vectorstore.edge import EdgeIndex


@dataclass
class Meanings:
    """An embedder that knows three ideas and the words for them."""

    name: str = "meanings"
    dim: int = 4
    texts: int = 0

    async def embed_query(self, text: str) -> NDArray[np.float32]:
        return self._vector(text)

    async def embed_documents(self, texts: Sequence[str]) -> NDArray[np.float32]:
        return await self.embed(texts)

    async def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        self.texts += len(texts)
        return np.array([self._vector(text) for text in texts], dtype=np.float32)

    def _vector(self, text: str) -> NDArray[np.float32]:
        words = text.casefold()
        ideas = [
            ("shoe" in words or "footwear" in words),
            "kettle" in words or "kitchen" in words,
            "toy" in words,
            True,
        ]
        vector = np.array(ideas, dtype=np.float32) * np.array([1, 1, 1, 0.1], dtype=np.float32)
        return vector / np.linalg.norm(vector)


def _product(number: int, **fields: object) -> Product:
    return product_from(product_in(**{"title": f"Shoe {number}", **fields}), f"prd_{number}", "sel_a", START, 5)


@pytest.fixture
async def edge(tmp_path: Path) -> AsyncIterator[EdgeIndex]:
    index = await EdgeIndex.open(tmp_path / "index", 4, PRODUCT_FIELDS)
    yield index
    await index.close()


async def test_a_few_products_are_found_by_meaning_at_once(edge: EdgeIndex) -> None:
    index = ProductIndex(edge, Meanings())
    await index.index([_product(1), _product(2, title="Steel kettle", category="Kitchen")])
    found = await index.search(ProductQuery(q="footwear"), None, 1)
    assert found.product_ids == ["prd_1"]
    assert (await index.status()).missing_dense == 0


async def test_many_products_are_found_by_words_first_and_by_meaning_later(edge: EdgeIndex) -> None:
    embedder = Meanings()
    index = ProductIndex(edge, embedder, embedder)
    await index.index([_product(number) for number in range(30)])
    assert embedder.texts == 0
    assert len((await index.search(ProductQuery(q="shoe"), None, 50)).product_ids) == 30
    status = await index.status()
    assert (status.points, status.missing_dense, status.embedded) == (30, 30, 0)

    assert await index.embed_missing() == 30

    status = await index.status()
    assert (status.points, status.missing_dense, status.embedded) == (30, 0, 30)
    assert await index.embed_missing() == 0


async def test_a_change_of_stock_keeps_the_vector(edge: EdgeIndex) -> None:
    embedder = Meanings()
    index = ProductIndex(edge, embedder, embedder)
    await index.index([_product(1, stock=0)])
    await index.index([_product(1, stock=3)], new_texts=False)
    assert embedder.texts == 1
    assert (await index.search(ProductQuery(in_stock=True), None, 5)).product_ids == ["prd_1"]
    assert await index.embed_missing() == 0


async def test_filters_sorts_and_facets_hold_on_the_engine(edge: EdgeIndex) -> None:
    index = ProductIndex(edge, None)
    sizes = [("Red", "8", 2500, 3), ("Blue", "8", 1500, 3), ("Red", "9", 1500, 0)]
    variants = [{"options": {"colour": c, "size": s}, "price": p, "stock": n} for c, s, p, n in sizes]
    plain = [_product(number, price=100 * number, stock=1, attributes={"colour": "Red"}) for number in range(1, 9)]
    await index.index([_product(0, variants=variants), *plain])

    one_variant = ProductQuery(colour=("red",), size=("8",), max_price=200_000)
    assert (await index.search(one_variant, None, 20)).product_ids == []
    for sort, expected in (("price_asc", [1, 2, 3, 4, 5, 6, 7, 8, 0]), ("price_desc", [0, 8, 7, 6, 5, 4, 3, 2, 1])):
        found, cursor = [], None
        while True:
            page = await index.search(ProductQuery(colour=("red",), in_stock=True, sort=sort), cursor, 2)
            found += page.product_ids
            cursor = page.next_cursor
            if cursor is None:
                break
        assert found == [f"prd_{number}" for number in expected]
    without_red = await index.search(ProductQuery(exclude={"colour": ("red",)}), None, 20)
    assert without_red.product_ids == ["prd_0"]
    facets = await index.facets(ProductQuery())
    assert {(facet.value, facet.count) for facet in facets["colour"]} == {("Red", 9), ("Blue", 1)}


async def test_a_slow_reader_does_not_bring_an_old_product_back(redis) -> None:
    rendered = RenderedProducts(Cache(redis, "test:slow:"))
    await rendered.forget(["prd_1"])
    await rendered.keep({"prd_1": b"read before the change"})
    assert await rendered.get("prd_1") is None


async def test_what_could_not_be_forgotten_is_not_shown_when_redis_is_back(redis) -> None:
    class Switch:
        """A client that can be led to a server that is away."""

        def __init__(self) -> None:
            self.away = open_redis("redis://127.0.0.1:1")
            self.current = redis

        def __getattr__(self, name: str) -> object:
            return getattr(self.current, name)

    client = Switch()
    rendered = RenderedProducts(Cache(client, "test:away:"))
    await rendered.keep({"prd_1": b"old"})
    client.current = client.away
    await rendered.forget(["prd_1"])
    assert await rendered.get("prd_1") is None
    client.current = redis
    assert await rendered.get("prd_1") is None
    await client.away.aclose()
