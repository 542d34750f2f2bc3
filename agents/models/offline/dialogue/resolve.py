"""Which products or cart lines a reference means."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

from rapidfuzz.distance import DamerauLevenshtein

from agents.models.offline.slots.grammar import Slots
from agents.models.offline.slots.lexicon import stem
from agents.models.offline.turn import Line, Product, State

Thing = TypeVar("Thing", Product, Line)
_WORD = re.compile(r"[\w']+")
_SHORTEST_FUZZY = 5
_IDLE = frozenset(
    [
        "add",
        "put",
        "remove",
        "delete",
        "take",
        "buy",
        "get",
        "cart",
        "basket",
        "bag",
        "one",
        "my",
        "from",
        "in",
        "into",
        "to",
        "item",
        "product",
        "it",
        "please",
        "out",
        "of",
        "quantity",
        "qty",
        "change",
        "the",
        "and",
        "size",
        "number",
        "want",
        "need",
        "have",
        "show",
        "open",
        "details",
        "tell",
        "more",
        "about",
        "compare",
        "with",
        "kar",
        "karo",
        "do",
        "daal",
        "me",
        "mein",
        "se",
        "hata",
        "hatao",
        "ko",
        "wala",
        "i'll",
        "ill",
        "go",
        "back",
        "order",
        "off",
        "drop",
        "rid",
        "anymore",
        "don't",
        "dont",
        "update",
        "make",
        "just",
        "only",
        "ki",
        "ka",
        "ke",
        "ab",
        "bhi",
        "now",
        "still",
        "also",
        "too",
        "so",
        "ok",
        "okay",
        "no",
        "yes",
        "pls",
        "info",
        "information",
        "detail",
        "on",
        "spec",
        "specs",
        "price",
        "gimme",
        "give",
        "put",
        "stick",
        "place",
        "throw",
        "grab",
        "keep",
        "piece",
        "pair",
        "pairs",
        "qty",
        "dal",
        "do",
        "rakh",
        "sirf",
        "like",
        "similar",
        "anything",
        "something",
        "is",
        "are",
        "what",
        "which",
        "how",
        "much",
        "does",
        "this",
        "that",
        "after",
        "all",
        "any",
    ]
)


@dataclass(frozen=True)
class Resolved:
    """`things` are meant; without any, `candidates` could be (several), or `beyond` is a number nothing stands at."""

    things: tuple[Product, ...] = ()
    candidates: tuple[Product, ...] = ()
    beyond: int | None = None


@dataclass(frozen=True)
class ResolvedLines:
    lines: tuple[Line, ...] = ()
    candidates: tuple[Line, ...] = ()


def resolve(slots: Slots, state: State) -> Resolved:
    """Products meant by a sentence: by id, place, quality, name, or the one talked about."""
    shown = state.shown
    if slots.product_ids:
        return Resolved(tuple(_known(product_id, shown) for product_id in slots.product_ids))
    if slots.reference.ordinals:
        return _by_place(slots.reference.ordinals, shown)
    if slots.reference.both or slots.reference.all:
        return Resolved(shown) if slots.reference.all or len(shown) == 2 else Resolved(candidates=shown)
    if slots.reference.superlative and shown:
        return Resolved((_best(slots.reference.superlative, shown),))
    return _the_other(state, shown) if slots.reference.other else _by_name(slots, state)


def _by_name(slots: Slots, state: State) -> Resolved:
    named = _named(slots, state.shown)
    if named:
        return Resolved(named) if len(named) == 1 else Resolved(candidates=named)
    return _talked_about(state, state.shown)


def _by_place(ordinals: tuple[int, ...], shown: Sequence[Product]) -> Resolved:
    found = []
    for ordinal in ordinals:
        place = len(shown) if ordinal == -1 else ordinal
        product = next((item for item in shown if item.n == place), None)
        if product is None:
            return Resolved(beyond=place)
        found.append(product)
    return Resolved(tuple(dict.fromkeys(found)))


def _the_other(state: State, shown: Sequence[Product]) -> Resolved:
    """Not the one talked about last; with more than one left it must be asked."""
    left = tuple(product for product in shown if product.product_id != state.focus)
    return Resolved(left) if len(left) == 1 else Resolved(candidates=left)


def _best(quality: str, shown: Sequence[Product]) -> Product:
    if quality == "best_rated":
        return max(shown, key=lambda product: product.rating)
    return (min if quality == "cheapest" else max)(shown, key=lambda product: product.price)


def _named(slots: Slots, shown: Sequence[Product]) -> tuple[Product, ...]:
    wanted = naming_words(slots)
    colours = tuple(colour.lower() for colour in slots.colours)
    brands = tuple(brand.lower() for brand in slots.brands)
    if not (wanted or brands or (colours and slots.reference.words)):
        return ()
    return tuple(
        product
        for product in shown
        if (not brands or product.brand.lower() in brands)
        and (not colours or not slots.reference.words or set(colours) & {c.lower() for c in product.colours})
        and _mentions(f"{product.title} {product.category} {product.brand}", wanted)
    )


def naming_words(slots: Slots) -> list[str]:
    """Words that could name a product: not its colour or brand, which are slots of their own."""
    aside = {part for value in (*slots.colours, *slots.brands) for part in value.lower().split()}
    said = [*_WORD.findall(slots.query), *(slots.reference.words if not aside else ())]
    return [stem(word) for word in dict.fromkeys(said) if word not in _IDLE and word not in aside and len(word) > 1]


def _mentions(text: str, wanted: Sequence[str]) -> bool:
    words = [stem(word) for word in _WORD.findall(text.lower())]
    return all(any(_alike(word, have) for have in words) for word in wanted)


def _alike(said: str, have: str) -> bool:
    return said == have or (
        len(said) >= _SHORTEST_FUZZY and said[0] == have[0] and DamerauLevenshtein.distance(said, have) == 1
    )


def _talked_about(state: State, shown: Sequence[Product]) -> Resolved:
    if state.focus:
        return Resolved((_known(state.focus, shown),))
    if len(shown) == 1:
        return Resolved((shown[0],))
    return Resolved(candidates=tuple(shown))


def _known(product_id: str, shown: Sequence[Product]) -> Product:
    for product in shown:
        if product.product_id == product_id:
            return product
    return Product.of({"productId": product_id}, 0)


def resolve_lines(slots: Slots, state: State) -> ResolvedLines:
    """Cart lines meant by a sentence; places count in the cart, then in what was shown."""
    lines = state.cart
    if slots.reference.both or slots.reference.all:
        return ResolvedLines(lines)
    if slots.reference.ordinals:
        return _lines_by_place(slots.reference.ordinals, state)
    if slots.reference.superlative and lines:
        pick = max if slots.reference.superlative == "dearest" else min
        return ResolvedLines((pick(lines, key=lambda line: line.price),))
    named = _lines_named(slots, state)
    if named:
        return ResolvedLines(named) if len(named) == 1 else ResolvedLines(candidates=named)
    if naming_words(slots) and not slots.reference.pronoun:
        return ResolvedLines(candidates=lines)
    return _line_talked_about(state)


def _lines_by_place(ordinals: tuple[int, ...], state: State) -> ResolvedLines:
    found = []
    for ordinal in ordinals:
        place = len(state.cart) if ordinal == -1 else ordinal
        line = next((item for item in state.cart if item.n == place), None) or _line_of_shown(place, state)
        if line is None:
            return ResolvedLines(candidates=state.cart)
        found.append(line)
    return ResolvedLines(tuple(found))


def _line_of_shown(place: int, state: State) -> Line | None:
    product = next((item for item in state.shown if item.n == place), None)
    return next((line for line in state.cart if product and line.product_id == product.product_id), None)


def _lines_named(slots: Slots, state: State) -> tuple[Line, ...]:
    wanted = [*naming_words(slots), *(stem(part) for brand in slots.brands for part in brand.lower().split())]
    wanted += [stem(part) for colour in slots.colours for part in colour.lower().split()]
    if not wanted:
        return ()
    categories = {product.product_id: product.category for product in state.shown}
    return tuple(
        line
        for line in state.cart
        if _mentions(f"{line.title} {' '.join(line.options.values())} {categories.get(line.product_id, '')}", wanted)
    )


def _line_talked_about(state: State) -> ResolvedLines:
    if len(state.cart) == 1:
        return ResolvedLines(state.cart)
    focused = tuple(line for line in state.cart if line.product_id == state.focus)
    return ResolvedLines(focused) if len(focused) == 1 else ResolvedLines(candidates=focused or state.cart)
