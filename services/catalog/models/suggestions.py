"""Completions of what somebody begins to type, out of the titles, brands and categories that are on offer. Pure."""

import unicodedata
from bisect import bisect_left, insort
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from heapq import nsmallest
from itertools import islice

from services.catalog.models.product import Product
from services.contracts.catalog import Suggestion, SuggestionKind

_WORDS_TO_BEGIN_AT = 8
_LOOKED_AT = 1_500
_KEY_CHARACTERS = 48
_BULK = 50


@dataclass(frozen=True, slots=True)
class Offered:
    """What of a product completes words; `weight` grows with its popularity."""

    product_id: str
    title: str
    brand: str | None
    category: str
    weight: float

    @classmethod
    def of(cls, product: Product) -> "Offered":
        weight = product.rating_average * product.rating_count
        return cls(product.product_id, product.title, product.brand, product.category, weight)


@dataclass(slots=True)
class _Entry:
    kind: SuggestionKind
    text: str
    product_id: str | None
    weight: float


class Suggestions:
    """Each text is found by the beginning of each of its words."""

    def __init__(self) -> None:
        self._offered: dict[str, Offered] = {}
        self._names = _Prefixes()
        self._titles = _Prefixes()
        self._counts: Counter[tuple[SuggestionKind, str]] = Counter()

    def put(self, products: Iterable[Offered]) -> None:
        wanted = [each for each in products if self._offered.get(each.product_id) != each]
        self.drop(each.product_id for each in wanted)
        self._titles.add(
            {each.product_id: _Entry("title", each.title, each.product_id, each.weight) for each in wanted}
        )
        for each in wanted:
            self._offered[each.product_id] = each
            self._count(each, 1)

    def drop(self, product_ids: Iterable[str]) -> None:
        for product_id in product_ids:
            gone = self._offered.pop(product_id, None)
            if gone is not None:
                self._titles.remove(product_id)
                self._count(gone, -1)

    def _count(self, product: Offered, by: int) -> None:
        for kind, text in _names_of(product):
            self._counts[kind, text] += by
            name = f"{kind}:{text}"
            if not self._counts[kind, text]:
                del self._counts[kind, text]
                self._names.remove(name)
            else:
                self._names.add({name: _Entry(kind, text, None, self._counts[kind, text])})

    def complete(self, typed: str, limit: int) -> tuple[Suggestion, ...]:
        """Categories and brands first, in at most half of the places unless titles leave some free."""
        wanted = folded(typed)
        if not wanted:
            return ()
        names = self._names.best(wanted, limit)
        titles = self._titles.best(wanted, limit)
        room = max(limit - len(titles), (limit + 1) // 2)
        chosen = [*names[:room], *titles][:limit]
        return tuple(Suggestion(text=each.text, kind=each.kind, product_id=each.product_id) for each in chosen)


class _Prefixes:
    """Texts in the order of their keys: a key is the text from one of its words on."""

    def __init__(self) -> None:
        self._entries: dict[str, _Entry] = {}
        self._keys: list[tuple[str, int, str]] = []

    def add(self, entries: dict[str, _Entry]) -> None:
        fresh = {name: entry for name, entry in entries.items() if name not in self._entries}
        self._entries.update(entries)
        keys = [(key, place, name) for name, entry in fresh.items() for place, key in _keys(entry.text)]
        if len(fresh) >= _BULK:
            self._keys.extend(keys)
            self._keys.sort()
        else:
            for key in keys:
                insort(self._keys, key)

    def remove(self, name: str) -> None:
        for place, key in _keys(self._entries.pop(name).text):
            del self._keys[bisect_left(self._keys, (key, place, name))]

    def best(self, prefix: str, limit: int) -> list[_Entry]:
        """Of several entries with one text the first; what begins with the prefix comes before what holds it later."""
        found: dict[str, tuple[bool, float, str, str]] = {}
        for place, name in self._beginning_with(prefix):
            entry = self._entries[name]
            rank = (place > 0, -entry.weight, entry.text, name)
            same = found.get(entry.text)
            if same is None or rank < same:
                found[entry.text] = rank
        return [self._entries[name] for *_, name in nsmallest(limit, found.values())]

    def _beginning_with(self, prefix: str) -> Iterator[tuple[int, str]]:
        start = bisect_left(self._keys, (prefix,))
        for key, place, name in islice(self._keys, start, start + _LOOKED_AT):
            if not key.startswith(prefix):
                return
            yield place, name


def folded(text: str) -> str:
    """Lower case without accents and punctuation, single spaces; the marks of Indic scripts stay."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    kept = (c if unicodedata.category(c)[0] in "LNM" else " " for c in decomposed if not "\u0300" <= c <= "\u036f")
    return " ".join("".join(kept).split())[:_KEY_CHARACTERS]


def _keys(text: str) -> list[tuple[int, str]]:
    words = folded(text[:300]).split()
    return [(place, " ".join(words[place:])) for place in range(min(len(words), _WORDS_TO_BEGIN_AT))]


def _names_of(product: Offered) -> Iterator[tuple[SuggestionKind, str]]:
    if product.brand:
        yield "brand", product.brand
    levels = product.category.split(" > ")
    for depth in range(len(levels)):
        yield "category", " > ".join(levels[: depth + 1])
