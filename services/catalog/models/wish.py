"""What a question asks of a product, checked against the product itself and never against the index."""

from dataclasses import dataclass

from services.catalog.models.product import Product, Variant
from services.catalog.models.words import (
    category_key,
    category_keys,
    colour_key,
    colour_keys,
    key_of,
    size_key,
    size_keys,
)
from services.contracts.catalog import ProductQuery

_EXCLUDED_BY_FIELD = ("brand", "category", "colour", "color", "size")


@dataclass(frozen=True, slots=True)
class VariantWish:
    """All of it must hold for one and the same variant."""

    colours: frozenset[str]
    sizes: frozenset[str]
    without_colours: frozenset[str]
    without_sizes: frozenset[str]
    min_price: int | None
    max_price: int | None
    in_stock: bool

    @classmethod
    def of(cls, query: ProductQuery) -> "VariantWish":
        refused = (*query.exclude.get("colour", ()), *query.exclude.get("color", ()))
        return cls(
            colours=frozenset(map(colour_key, query.colour)),
            sizes=frozenset(map(size_key, query.size)),
            without_colours=frozenset(map(colour_key, refused)),
            without_sizes=frozenset(map(size_key, query.exclude.get("size", ()))),
            min_price=query.min_price,
            max_price=query.max_price,
            in_stock=bool(query.in_stock),
        )

    def met_by(self, product: Product, variant: Variant) -> bool:
        return (
            self._in_price(variant.price)
            and (variant.available > 0 or not self.in_stock)
            and self._has(product.colour_of(variant), product.size_of(variant))
        )

    def _in_price(self, price: int) -> bool:
        above = self.min_price is None or price >= self.min_price
        return above and (self.max_price is None or price <= self.max_price)

    def _has(self, colour: str | None, size: str | None) -> bool:
        colours = colour_keys(colour) if colour else ()
        sizes = size_keys(size) if size else ()
        wanted = (not self.colours or not self.colours.isdisjoint(colours)) and (
            not self.sizes or not self.sizes.isdisjoint(sizes)
        )
        return wanted and self.without_colours.isdisjoint(colours) and self.without_sizes.isdisjoint(sizes)


@dataclass(frozen=True, slots=True)
class ProductWish:
    """What holds for the product as a whole."""

    category: str | None
    brands: frozenset[str]
    without_brands: frozenset[str]
    without_categories: frozenset[str]
    seller_id: str | None
    min_rating: float | None
    without_facts: tuple[tuple[str, tuple[str, ...]], ...]
    variant: VariantWish

    @classmethod
    def of(cls, query: ProductQuery) -> "ProductWish":
        return cls(
            category=category_key(query.category) if query.category else None,
            brands=frozenset(map(key_of, query.brand)),
            without_brands=frozenset(map(key_of, query.exclude.get("brand", ()))),
            without_categories=frozenset(map(category_key, query.exclude.get("category", ()))),
            seller_id=query.seller_id,
            min_rating=query.min_rating,
            without_facts=tuple(
                (key_of(name), tuple(map(key_of, values)))
                for name, values in query.exclude.items()
                if name not in _EXCLUDED_BY_FIELD
            ),
            variant=VariantWish.of(query),
        )

    def matching(self, product: Product) -> list[Variant]:
        """The variants that answer the question; empty when the product does not."""
        if not product.live or not self._fits(product):
            return []
        return [variant for variant in product.offered if self.variant.met_by(product, variant)]

    def _fits(self, product: Product) -> bool:
        brand = key_of(product.brand or "")
        categories = category_keys(product.category)
        return (
            (self.category is None or self.category in categories)
            and (not self.brands or brand in self.brands)
            and brand not in self.without_brands
            and self.without_categories.isdisjoint(categories)
            and (self.seller_id is None or self.seller_id == product.seller_id)
            and (self.min_rating is None or product.rating_average >= self.min_rating)
            and not (self.without_facts and self._has_refused_fact(product))
        )

    def _has_refused_fact(self, product: Product) -> bool:
        """An attribute of that name says one of the refused words: `material: Genuine Leather` says leather."""
        facts = {key_of(name): f" {key_of(value)} " for name, value in product.attributes.items()}
        return any(f" {word} " in facts.get(name, "") for name, refused in self.without_facts for word in refused)
