"""Finding and looking at products."""

import re
from collections.abc import Iterable
from typing import Any

from agents.models.offline.dialogue.resolve import Resolved, resolve
from agents.models.offline.dialogue.wish import Wish
from agents.models.offline.moves import Act, Ask, Call, Move, Say, act
from agents.models.offline.slots.grammar import Slots
from agents.models.offline.turn import Json, Product, Step

_MORE = 20
_ASIDE = frozenset(
    [
        "other",
        "another",
        "more",
        "colour",
        "colours",
        "color",
        "colors",
        "brand",
        "brands",
        "options",
        "option",
        "different",
        "next",
        "ones",
        "one",
        "same",
        "but",
        "also",
        "meant",
        "i",
    ]
)
_MORE_OF_IT = re.compile(r"\b(?:more|next|rest|else|aur)\b")
_LIKE_IT = re.compile(r"\b(?:like|similar|alike|alternativ\w*|resembl\w*|jais[aei]|same|goes? with)\b")
_NOUN = re.compile(r"\b(?:ones?|wal[aei]|of (?:them|these|those))\b")
_SUPERLATIVES = {"cheapest": "price_asc", "dearest": "price_desc", "best_rated": "rating"}
_FILTERS = ("category", "brand", "colour", "size", "min_price", "max_price", "min_rating", "sort", "exclude")


def search(wish: Wish) -> Move | None:
    found = wish.done("search_products")
    if found:
        return _nothing_below(wish, found)
    slots, before = wish.slots, wish.state.last_search
    if not _names_something(slots):
        if before and (slots.filters or wish.intent == "refine"):
            return refine(wish)
        if not slots.filters:
            return Say("ask_query", ask=Ask("search_products", {}, "query"))
    return act("search_products", **found_by(slots))


def refine(wish: Wish) -> Move | None:
    found = wish.done("search_products")
    if found:
        return _nothing_below(wish, found)
    slots, before = wish.slots, wish.state.last_search
    if before is None or _is_another_search(slots, before):
        return search(wish) if slots.filters or _names_something(slots) else _nothing_shown(wish)
    if _MORE_OF_IT.search(wish.slots.said.lower()) and not slots.filters and before.get("limit") == _MORE:
        return Say("no_more")
    return act("search_products", **_narrowed(wish, before))


def _nothing_below(wish: Wish, found: Step) -> Move | None:
    """`cheaper` than the cheapest there is: said so, instead of showing the same again."""
    data = found.data or {}
    beyond = not data.get("items") or "max_price" in (data.get("relaxed") or ())
    if wish.slots.relative != "cheaper" or wish.slots.prices.any or not found.ok or not beyond:
        return None
    return Say("already_cheapest")


def _nothing_shown(wish: Wish) -> Move:
    return Say("ask_query", ask=Ask("search_products", {}, "query")) if not wish.state.shown else Say("unclear")


def _names_something(slots: Slots) -> bool:
    return bool(slots.categories or _words(slots))


def _words(slots: Slots) -> str:
    return " ".join(word for word in slots.query.split() if word not in _ASIDE)


def _is_another_search(slots: Slots, before: Json) -> bool:
    category = slots.categories[-1] if slots.categories else None
    return bool(
        category and category != before.get("category") and category.lower() not in str(before.get("query", "")).lower()
    )


def found_by(slots: Slots) -> Json:
    """The arguments of a new search."""
    category = slots.categories[-1] if slots.categories else None
    named = slots.brands[0] if slots.brands else slots.colours[0] if slots.colours else ""
    query = slots.query or (category or named).lower()
    return {"query": query} | _filters(slots, category)


def _filters(slots: Slots, category: str | None) -> Json:
    relative = {"cheaper": "price_asc", "dearer": "price_desc"}.get(slots.relative or "")
    relative = relative or _SUPERLATIVES.get(slots.reference.superlative or "")
    wanted: Json = {
        "category": category,
        "brand": _one_or_many(slots.brands),
        "colour": _one_or_many(slots.colours),
        "size": slots.size,
        "min_price": slots.prices.low,
        "max_price": slots.prices.high,
        "min_rating": slots.rating,
        "exclude": slots.exclude or None,
        "sort": slots.sort or relative,
        "in_stock": True,
    }
    return {name: value for name, value in wanted.items() if value is not None}


def _one_or_many(values: tuple[str, ...]) -> str | list[str] | None:
    return None if not values else values[0] if len(values) == 1 else list(values)


def _narrowed(wish: Wish, before: Json) -> Json:
    """The last search with what was said now put over it."""
    slots = wish.slots
    asked = _filters(slots, slots.categories[-1] if slots.categories else None) | _relative_price(wish)
    if slots.relative:
        asked.pop("sort", None)
    merged = {**before, **asked, "exclude": _merged(before.get("exclude") or {}, slots.exclude)}
    merged["query"] = _joined(str(before.get("query", "")), _words(slots), slots)
    for field, values in merged["exclude"].items():
        if merged.get(field) in values:
            del merged[field]
    if not merged["exclude"]:
        del merged["exclude"]
    return (
        _other_kinds(wish, _no_crossed_prices(merged, asked)) if merged == before else _no_crossed_prices(merged, asked)
    )


def _relative_price(wish: Wish) -> Json:
    """`cheaper` is below what was shown, or below the one that was pointed at."""
    if not wish.slots.relative or wish.slots.prices.any:
        return {}
    prices = [product.price for product in _measure(wish) if product.price]
    if not prices:
        return {"sort": "price_asc" if wish.slots.relative == "cheaper" else "price_desc"}
    if wish.slots.relative == "cheaper":
        return {"max_price": _rupees(min(prices) - 100)}
    return {"min_price": _rupees(max(prices) + 100)}


def _measure(wish: Wish) -> Iterable[Product]:
    pointed = resolve(wish.slots, wish.state)
    return pointed.things or wish.state.shown


def _rupees(paise: int) -> int | float:
    return max(paise, 100) // 100 if paise % 100 == 0 else max(paise, 100) / 100


def _merged(before: dict[str, list[str]], now: dict[str, list[str]]) -> dict[str, list[str]]:
    fields = {*before, *now}
    return {field: list(dict.fromkeys([*before.get(field, ()), *now.get(field, ())])) for field in sorted(fields)}


def _joined(before: str, words: str, slots: Slots) -> str:
    if slots.reference.pointed and not words:
        return before
    added = [word for word in words.split() if word not in before.split()]
    return " ".join([*added, before]).strip()


def _no_crossed_prices(merged: Json, asked: Json) -> Json:
    """A new bound beyond the old opposite one drops the old."""
    low, high = merged.get("min_price"), merged.get("max_price")
    if low is None or high is None or low <= high:
        return merged
    dropped = "min_price" if "max_price" in asked else "max_price"
    return {name: value for name, value in merged.items() if name != dropped}


def _other_kinds(wish: Wish, args: Json) -> Json:
    """`other colours`, `other brands`: without those seen; otherwise more of the same."""
    said = wish.slots.query.split()
    for field, words in (("colour", {"colour", "colours", "color", "colors"}), ("brand", {"brand", "brands"})):
        if words & set(said):
            seen = [args[field]] if args.get(field) else _seen(wish, field)
            return {k: v for k, v in args.items() if k != field} | {
                "exclude": _merged(args.get("exclude") or {}, {field: seen})
            }
    return args | {"limit": _MORE}


def _seen(wish: Wish, field: str) -> list[str]:
    if field == "brand":
        return list(dict.fromkeys(product.brand for product in wish.state.shown if product.brand))
    return list(dict.fromkeys(colour for product in wish.state.shown for colour in product.colours))


def similar(wish: Wish) -> Move | None:
    if wish.done("similar_products", "search_products"):
        return None
    said = wish.slots.said.lower()
    goes_on = _MORE_OF_IT.search(said) and not _LIKE_IT.search(said) and not wish.slots.reference.any
    pointed = wish.slots.reference.any or wish.state.focus or len(wish.state.shown) == 1
    if (goes_on or not pointed) and wish.state.last_search:  # `show me more` points at nothing: the search goes on
        return refine(wish)
    return _about_one(wish, "similar_products")


def details(wish: Wish) -> Move | None:
    if wish.done("get_product", "search_products"):
        return None
    if not wish.state.shown and not wish.state.focus and not wish.slots.product_ids:
        return search(wish)
    if wish.slots.reference.superlative and wish.state.last_search and not _NOUN.search(wish.slots.said.lower()):
        return refine(wish)  # `which is the cheapest` asks about all there is, `the cheapest one` picks from the list
    return _about_one(wish, "get_product")


def reviews(wish: Wish) -> Move | None:
    if wish.done("get_reviews"):
        return None
    if not wish.turn.may_call("get_reviews"):
        return Say("no_reviews")
    return _about_one(wish, "get_reviews")


def _about_one(wish: Wish, tool: str) -> Move:
    meant = resolve(wish.slots, wish.state)
    if meant.things:
        return Act(tuple(Call(tool, {"product_id": product.product_id}) for product in meant.things[:3]))
    return which_product(meant, tool, {})


def which_product(meant: Resolved, tool: str, args: Json) -> Move:
    """Ask which product is meant, or say that there is none to mean."""
    if meant.beyond is not None:
        return Say("beyond_list", {"n": meant.beyond}, Ask(tool, args, "product"))
    if not meant.candidates:
        return Say("nothing_shown", ask=Ask("search_products", {}, "query"))
    options = [product_option(product) for product in meant.candidates[:10]]
    return Say("ask_product", {"options": options}, Ask(tool, args, "product", options))


def product_option(product: Product) -> dict[str, Any]:
    return {"n": product.n, "productId": product.product_id, "title": product.title, "price": product.price}


def compare(wish: Wish) -> Move | None:
    if wish.done("compare_products"):
        return None
    meant = resolve(wish.slots, wish.state)
    shown = wish.state.shown
    chosen = meant.things
    if len(chosen) == 1 and wish.state.focus and wish.state.focus != chosen[0].product_id:
        return act("compare_products", product_ids=[wish.state.focus, chosen[0].product_id])
    if len(chosen) < 2 and not wish.slots.reference.ordinals and 2 <= len(shown) <= 4:
        chosen = shown
    if len(chosen) >= 2:
        return act("compare_products", product_ids=[product.product_id for product in chosen[:4]])
    if meant.beyond is not None or not shown:
        return which_product(meant, "compare_products", {})
    return Say(
        "ask_compare",
        {"count": len(shown)},
        Ask("compare_products", {}, "products", [product_option(p) for p in shown]),
    )


def recommend(wish: Wish) -> Move | None:
    if wish.done("get_recommendations", "search_products"):
        return None
    if wish.turn.may_call("get_recommendations"):
        return act("get_recommendations", context="cart" if "cart" in wish.slots.said.lower() else "home")
    return act("search_products", query=" ".join(wish.slots.categories).lower(), sort="rating", in_stock=True)
