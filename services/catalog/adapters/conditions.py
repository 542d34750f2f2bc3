"""A question to the catalogue in the index's words, and a product as the index keeps it."""

import math
from typing import Any

from services.catalog.models.product import Product, Variant
from services.catalog.models.wish import ProductWish, VariantWish
from services.catalog.models.words import category_keys, colour_keys, key_of, size_keys
from services.contracts.catalog import Status
from vectorstore.index import All, Condition, Fields, Match, Nested, Not, Point, Range
from vectorstore.index import Any as AnyOf

PRODUCT_FIELDS: Fields = {
    "status": "keyword",
    "seller_id": "keyword",
    "categories": "keyword",
    "category": "keyword",
    "brand_key": "keyword",
    "brand": "keyword",
    "colours": "keyword",
    "sizes": "keyword",
    "rating": "float",
    "popularity": "integer",
    "created": "integer",
    "price": "integer",
    "price_max": "integer",
    "variants[].colour": "keyword",
    "variants[].size": "keyword",
    "variants[].price": "integer",
    "variants[].in_stock": "integer",
}
"""What the index of products must be opened with."""

_HIDDEN = "hidden"
"""In the index: active, but its seller is suspended."""
_DESCRIPTION_CHARACTERS = 1_200
_ATTRIBUTE_CHARACTERS = 200


def point_of(product: Product) -> Point:
    """Without a vector; `price` and `price_max` are the lowest and highest of its variants."""
    prices = [variant.price for variant in product.offered]
    payload = {
        "status": _HIDDEN if product.suspended and product.status == "active" else product.status,
        "seller_id": product.seller_id,
        "categories": list(category_keys(product.category)),
        "category": product.category,
        "brand_key": key_of(product.brand or ""),
        "colours": list(product.colours),
        "sizes": list(product.sizes),
        "rating": product.rating_average,
        "popularity": round(product.rating_average * math.log1p(product.rating_count) * 1_000),
        "created": int(product.created_at.timestamp()),
        "price": min(prices, default=0),
        "price_max": max(prices, default=0),
        "variants": [_variant_payload(product, variant) for variant in product.offered],
        **({"brand": product.brand} if product.brand else {}),
    }
    return Point(id=product.product_id, payload=payload, text=text_of(product))


def text_of(product: Product) -> str:
    """What keywords and meaning are taken from; the title is the heading."""
    facts = [product.brand, product.category.replace(">", " "), *product.colours]
    attributes = "; ".join(value for value in product.attributes.values() if _tells(value))
    lines = [
        " ".join(product.title.split()),
        " ".join(fact for fact in facts if fact),
        product.description[:_DESCRIPTION_CHARACTERS],
        attributes[:_ATTRIBUTE_CHARACTERS],
    ]
    return "\n".join(line for line in lines if line)


def condition_of(wish: ProductWish) -> Condition:
    """Products that buyers may see and that answer the question."""
    conditions: list[Condition] = [Match("status", ["active"])]
    if wish.category:
        conditions.append(Match("categories", [wish.category]))
    if wish.brands:
        conditions.append(Match("brand_key", sorted(wish.brands)))
    if wish.seller_id:
        conditions.append(Match("seller_id", [wish.seller_id]))
    if wish.min_rating is not None:
        conditions.append(Range("rating", gte=wish.min_rating))
    if wish.without_brands:
        conditions.append(Not(Match("brand_key", sorted(wish.without_brands))))
    if wish.without_categories:
        conditions.append(Not(Match("categories", sorted(wish.without_categories))))
    if of_one := _variant_conditions(wish.variant):
        conditions.append(Nested("variants", of_one))
    return All(conditions)


def of_seller(seller_id: str, status: Status | None) -> Condition:
    """A seller's own products; without `status` those that are not archived."""
    states: list[str] = [status] if status else ["active", "draft"]
    if "active" in states:
        states.append(_HIDDEN)
    return All([Match("seller_id", [seller_id]), Match("status", states)])


def lowest_price(payload: Any, wish: VariantWish) -> int:
    """The lowest price among the indexed variants that answer the question."""
    prices = [variant["price"] for variant in payload["variants"] if answers(variant, wish)]
    return int(min(prices, default=payload["price"]))


def _variant_conditions(wish: VariantWish) -> list[Condition]:
    conditions: list[Condition] = []
    if wish.colours:
        conditions.append(Match("colour", sorted(wish.colours)))
    if wish.sizes:
        conditions.append(Match("size", sorted(wish.sizes)))
    if wish.min_price is not None or wish.max_price is not None:
        conditions.append(Range("price", gte=wish.min_price, lte=wish.max_price))
    if wish.in_stock:
        conditions.append(Match("in_stock", [1]))
    if wish.without_colours or wish.without_sizes:
        refused = [Match("colour", sorted(wish.without_colours)), Match("size", sorted(wish.without_sizes))]
        conditions.append(Not(AnyOf([match for match in refused if match.values])))
    return conditions


def answers(variant: Any, wish: VariantWish) -> bool:
    """Whether an indexed variant does."""
    price, colours, sizes = variant["price"], variant["colour"], variant["size"]
    return bool(
        (wish.min_price is None or price >= wish.min_price)
        and (wish.max_price is None or price <= wish.max_price)
        and (variant["in_stock"] or not wish.in_stock)
        and (not wish.colours or not wish.colours.isdisjoint(colours))
        and (not wish.sizes or not wish.sizes.isdisjoint(sizes))
        and wish.without_colours.isdisjoint(colours)
        and wish.without_sizes.isdisjoint(sizes)
    )


def _variant_payload(product: Product, variant: Variant) -> dict[str, object]:
    colour, size = product.colour_of(variant), product.size_of(variant)
    return {
        "colour": list(colour_keys(colour)) if colour else [],
        "size": list(size_keys(size)) if size else [],
        "price": variant.price,
        "in_stock": int(variant.available > 0),
    }


def _tells(value: str) -> bool:
    """Bare numbers and yes or no say nothing without the attribute's name, and names are the same everywhere."""
    return value.casefold() not in {"true", "false", "yes", "no", "y", "n"} and any(map(str.isalpha, value))
