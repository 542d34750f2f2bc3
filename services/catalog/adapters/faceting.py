"""Facets: what the products that answer a question can be narrowed by, with their numbers.

A count is what asking for the value too would give, so colour, size and price are counted by variants that answer.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from services.catalog.adapters.conditions import answers, condition_of
from services.catalog.models.wish import ProductWish
from services.catalog.models.words import colour_key, colour_keys, key_of, size_key, size_keys
from services.contracts.catalog import Facet, ProductQuery
from vectorstore.index import Hit, VectorIndex

FIELDS = {"category": "category", "brand": "brand", "colour": "colours", "size": "sizes"}
"""Facet → field of the index."""
_PRICE_STEPS = (0, 500_00, 1_000_00, 2_500_00, 5_000_00, 10_000_00, 25_000_00)
_VALUES = 50
_COUNTED_BY_VARIANT = 20

Facets = dict[str, tuple[Facet, ...]]


async def counted_facets(index: VectorIndex, query: ProductQuery) -> Facets:
    """Of all products that answer a question without text."""
    where = condition_of(ProductWish.of(query))
    counted = await index.facets(list(FIELDS.values()), where, _VALUES)
    facets = {name: _merged((str(value), n) for value, n in counted[field]) for name, field in FIELDS.items()}
    if _asks_of_variants(query):
        facets["colour"] = await _recounted(index, query, "colour", facets["colour"])
        facets["size"] = await _recounted(index, query, "size", facets["size"])
    return {**facets, "price": await _price_ranges(index, query)}


def facets_of_hits(hits: Sequence[Hit], query: ProductQuery) -> Facets:
    """Of the products a search with text has found."""
    wish = ProductWish.of(query).variant
    found = [(hit.payload, [v for v in _variants(hit.payload) if answers(v, wish)]) for hit in hits]
    return {
        "category": _tally([payload["category"]] for payload, _ in found),
        "brand": _tally([payload["brand"]] if payload.get("brand") else [] for payload, _ in found),
        "colour": _tally(_held(payload["colours"], variants, "colour", colour_key) for payload, variants in found),
        "size": _tally(_held(payload["sizes"], variants, "size", size_key) for payload, variants in found),
        "price": _ranges_of([[variant["price"] for variant in variants] for _, variants in found]),
    }


def _asks_of_variants(query: ProductQuery) -> bool:
    refuses = any(name in query.exclude for name in ("colour", "color", "size"))
    bounded = query.min_price is not None or query.max_price is not None
    return bool(query.colour or query.size or query.in_stock or bounded or refuses)


async def _recounted(index: VectorIndex, query: ProductQuery, name: str, values: Sequence[Facet]) -> tuple[Facet, ...]:
    """By variants that have the value and answer the question, for the most frequent values."""
    narrowed = [query.model_copy(update={name: (facet.value,)}) for facet in values[:_COUNTED_BY_VARIANT]]
    asked = [_both(query, one, name) for one in narrowed]
    counts = await asyncio.gather(*(_count(index, one) for one in asked))
    return _merged((facet.value, n) for facet, n in zip(values, counts, strict=False) if n)


def _both(query: ProductQuery, narrowed: ProductQuery, name: str) -> ProductQuery | None:
    """None when the value is none of those asked for."""
    key, keys = (colour_key, colour_keys) if name == "colour" else (size_key, size_keys)
    asked = {key(value) for value in getattr(query, name)}
    return narrowed if not asked or not asked.isdisjoint(keys(getattr(narrowed, name)[0])) else None


async def _count(index: VectorIndex, query: ProductQuery | None) -> int:
    return await index.count(condition_of(ProductWish.of(query))) if query else 0


async def _price_ranges(index: VectorIndex, query: ProductQuery) -> tuple[Facet, ...]:
    ranges = list(_ranges())
    within = [_within(query, low, high) for low, high in ranges]
    counts = await asyncio.gather(*(_count(index, one) for one in within))
    return tuple(Facet(value=_named(*r), count=n) for r, n in zip(ranges, counts, strict=True) if n)


def _within(query: ProductQuery, low: int, high: int | None) -> ProductQuery | None:
    """The question for prices from `low` to `high` of what it asks for; None when there are none."""
    lowest = max(low, query.min_price or 0)
    bounds = [bound for bound in (high, query.max_price) if bound is not None]
    highest = min(bounds, default=None)
    if highest is not None and lowest > highest:
        return None
    return query.model_copy(update={"min_price": lowest, "max_price": highest})


def _ranges_of(prices: Sequence[Sequence[int]]) -> tuple[Facet, ...]:
    counted = [(r, sum(any(_lies(price, *r) for price in own) for own in prices)) for r in _ranges()]
    return tuple(Facet(value=_named(*r), count=n) for r, n in counted if n)


def _ranges() -> Iterable[tuple[int, int | None]]:
    """In paise, both ends inclusive."""
    for low, following in zip(_PRICE_STEPS, (*_PRICE_STEPS[1:], None), strict=True):
        yield low, None if following is None else following - 1


def _lies(price: int, low: int, high: int | None) -> bool:
    return price >= low and (high is None or price <= high)


def _named(low: int, high: int | None) -> str:
    return f"{low // 100}-" + ("" if high is None else f"{high // 100}.{high % 100:02d}")


def _variants(payload: Mapping[str, object]) -> list[Any]:
    found = payload["variants"]
    return found if isinstance(found, list) else []


def _held(values: Any, variants: Sequence[Any], name: str, key: Callable[[str], str]) -> list[str]:
    """Of a product's colours or sizes those that one of the variants has."""
    return [value for value in values if any(key(value) in variant[name] for variant in variants)]


def _tally(values: Iterable[Sequence[Any]]) -> tuple[Facet, ...]:
    counts: Counter[str] = Counter()
    for of_one in values:
        counts.update(map(str, of_one))
    return _merged(counts.most_common())


def _merged(values: Iterable[tuple[str, int]]) -> tuple[Facet, ...]:
    """Spellings of one value together, under the most frequent."""
    shown: dict[str, tuple[str, int]] = {}
    for value, count in values:
        name, so_far = shown.get(key_of(value), (value, 0))
        shown[key_of(value)] = (name, so_far + count)
    ordered = sorted(shown.values(), key=lambda entry: (-entry[1], entry[0]))
    return tuple(Facet(value=value, count=count) for value, count in ordered)
