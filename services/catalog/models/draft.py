"""From what a seller sends to a product: ids, variants and a hash that tells whether anything changed. Pure."""

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime

import orjson

from services.catalog.models.export import auto_sku
from services.catalog.models.product import Product, Variant, normal_options
from services.catalog.models.words import key_of
from services.contracts.catalog import ProductIn, SeedProduct, VariantIn
from services.kit.errors import Invalid
from services.kit.ids import named_id
from services.kit.text import plain

_ATTRIBUTE_LENGTH = 1_000


def id_by_source(seller_id: str, product: ProductIn) -> str:
    """The id that always belongs to this entry of the seller's own list, so that sending it again finds it."""
    skus = [variant.sku for variant in product.variants if variant.sku]
    identity = product.external_id or (f"sku:{skus[0]}" if skus else f"title:{product.title}/{product.brand or ''}")
    return named_id("prd", seller_id, identity)


def content_hash(product: ProductIn) -> str:
    return hashlib.sha256(
        orjson.dumps(product.model_dump(mode="json", exclude={"product_id"}), option=orjson.OPT_SORT_KEYS)
    ).hexdigest()


def text_attributes(attributes: Mapping[str, str | float | bool]) -> dict[str, str]:
    """Every value as text without markup; booleans as yes and no, whole numbers without a fraction."""
    named = {plain(name)[:100]: _as_text(value) for name, value in attributes.items()}
    return {name: value for name, value in named.items() if name and value}


def category_path(text: str) -> str:
    """`Shoes>Sneakers` → `Shoes > Sneakers`. Raises Invalid for nothing but separators."""
    levels = [" ".join(level.split()) for level in text.split(">") if level.strip()]
    if not levels:
        raise Invalid("a category is a name or a path such as `Shoes > Sneakers`", field="category")
    return " > ".join(levels)


def product_from(product: ProductIn, product_id: str, seller_id: str, now: datetime, low_stock_units: int) -> Product:
    """Raises Invalid when two variants are the same."""
    drafted = Product(
        product_id=product_id,
        seller_id=seller_id,
        title=product.title,
        description=product.description,
        category=category_path(product.category),
        brand=product.brand,
        attributes=text_attributes(product.attributes),
        images=product.images,
        status=product.status,
        rating_average=0.0,
        rating_count=0,
        external_id=product.external_id,
        content_hash=content_hash(product),
        created_at=now,
        updated_at=now,
        version=1,
    )
    variants = tuple(_variants_from(product, drafted))
    _check_distinct(variants)
    return replace(drafted, variants=tuple(replace(v, low=v.on_hand <= low_stock_units) for v in variants))


def product_from_seed(seed: SeedProduct, low_stock_units: int) -> Product:
    return Product(
        product_id=seed.product_id,
        seller_id=seed.seller_id,
        title=seed.title,
        description=seed.description,
        category=category_path(seed.category),
        brand=seed.brand,
        attributes=dict(seed.attributes),
        images=seed.images,
        status=seed.status,
        rating_average=seed.rating_average,
        rating_count=seed.rating_count,
        external_id=seed.external_id,
        content_hash=None,
        created_at=seed.created_at,
        updated_at=seed.created_at,
        version=1,
        variants=tuple(
            Variant(
                variant_id=variant.variant_id,
                product_id=seed.product_id,
                seller_id=seed.seller_id,
                sku=variant.sku,
                options=normal_options(variant.options),
                price=variant.price,
                compare_at_price=variant.compare_at_price,
                on_hand=variant.stock,
                live=seed.status == "active",
                place=place,
                low=variant.stock <= low_stock_units,
            )
            for place, variant in enumerate(seed.variants)
        ),
    )


def _variants_from(product: ProductIn, drafted: Product) -> Iterator[Variant]:
    offered = product.variants or (
        # made, not validated: prices of the product are paise already
        VariantIn.model_construct(compare_at_price=product.compare_at_price, stock=product.stock),
    )
    for place, variant in enumerate(offered):
        options = normal_options(variant.options)
        variant_id = named_id("var", drafted.product_id, variant.sku or _options_key(options))
        yield Variant(
            variant_id=variant_id,
            product_id=drafted.product_id,
            seller_id=drafted.seller_id,
            sku=variant.sku or auto_sku(variant_id),
            options=options,
            price=product.price if variant.price is None else variant.price,
            compare_at_price=variant.compare_at_price,
            on_hand=variant.stock,
            live=drafted.live,
            place=place,
        )


def _check_distinct(variants: tuple[Variant, ...]) -> None:
    checks: list[tuple[str, Callable[[Variant], str]]] = [
        ("SKU", lambda variant: variant.sku),
        ("options", lambda variant: _options_key(variant.options)),
    ]
    for what, of in checks:
        if len({of(variant) for variant in variants}) < len(variants):
            raise Invalid(f"two variants have the same {what}", field="variants")


def _options_key(options: Mapping[str, str]) -> str:
    return "/".join(f"{name}={key_of(options[name])}" for name in sorted(options))


def _as_text(value: str | float | bool) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return plain(str(value))[:_ATTRIBUTE_LENGTH]


def aligned(current: Product, wanted: Product) -> Product:
    """With the ids of the variants that have the same SKUs already."""
    ids = {variant.sku: variant.variant_id for variant in current.variants}
    variants = tuple(replace(each, variant_id=ids.get(each.sku, each.variant_id)) for each in wanted.variants)
    distinct_ids = {variant.variant_id for variant in variants}
    return replace(wanted, variants=variants) if len(distinct_ids) == len(variants) else wanted


def says_the_same(current: Product, wanted: Product) -> bool:
    """Whether replacing the one by the other changes nothing."""
    fields = ("title", "description", "category", "brand", "attributes", "images", "status")
    return all(getattr(current, name) == getattr(wanted, name) for name in fields) and (
        [_offer(variant) for variant in current.offered] == [_offer(variant) for variant in wanted.variants]
    )


def _offer(variant: Variant) -> tuple[object, ...]:
    options = dict(variant.options)
    return (variant.variant_id, variant.sku, options, variant.price, variant.compare_at_price, variant.on_hand)
