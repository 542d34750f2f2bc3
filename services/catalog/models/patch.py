"""What a patch changes on a product. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from services.catalog.models.draft import category_path, text_attributes
from services.catalog.models.product import Product, Variant
from services.contracts.catalog import ProductPatch, StockBelowReserved, VariantPatch
from services.kit.errors import Invalid


@dataclass(frozen=True, slots=True)
class VariantChange:
    """`fields` to set; `stock` is the new count of the shelf, None when it stays."""

    variant: Variant
    fields: dict[str, Any]
    stock: int | None


@dataclass(frozen=True, slots=True)
class ProductChange:
    """`named` are the wire names of what changes; empty when nothing does."""

    fields: dict[str, Any]
    variants: tuple[VariantChange, ...]
    named: tuple[str, ...]


def changes_of(product: Product, patch: ProductPatch) -> ProductChange:
    """Raises Invalid for a variant that is not this product's, StockBelowReserved."""
    fields = {name: value for name, value in _fields_of(patch) if value != _current(product, name)}
    variants = tuple(each for each in _variant_changes(product, patch) if each.fields or each.stock is not None)
    named = [*fields, *(name for each in variants for name in each.fields)]
    if any(each.stock is not None for each in variants):
        named.append("stock")
    return ProductChange(fields, variants, tuple(dict.fromkeys(named)))


def _fields_of(patch: ProductPatch) -> Iterator[tuple[str, Any]]:
    if patch.title is not None:
        yield "title", patch.title
    if patch.description is not None:
        yield "description", patch.description
    if patch.category is not None:
        yield "category", category_path(patch.category)
    if patch.brand is not None:
        yield "brand", patch.brand
    if patch.attributes is not None:
        yield "attributes", [[name, value] for name, value in text_attributes(patch.attributes).items()]
    if patch.images is not None:
        yield "images", list(patch.images)
    if patch.status is not None:
        yield "status", patch.status


def _current(product: Product, name: str) -> Any:
    value = getattr(product, name)
    if name == "attributes":
        return [[key, text] for key, text in value.items()]
    return list(value) if isinstance(value, tuple) else value


def _variant_changes(product: Product, patch: ProductPatch) -> Iterator[VariantChange]:
    offered = {variant.variant_id: variant for variant in product.offered}
    for wanted in _variant_patches(product, patch):
        variant = offered.get(wanted.variant_id)
        if variant is None:
            raise Invalid(f"{wanted.variant_id} is no variant of this product", field="variants")
        yield _change_of(variant, wanted)


def _variant_patches(product: Product, patch: ProductPatch) -> tuple[VariantPatch, ...]:
    if patch.price is None and patch.stock is None:
        return patch.variants
    if len(product.offered) != 1 or patch.variants:
        raise Invalid(
            "price and stock are for products with one variant; say in `variants` which one changes", field="variants"
        )
    sole = product.offered[0]
    return (VariantPatch.model_construct(variant_id=sole.variant_id, price=patch.price, stock=patch.stock),)


def _change_of(variant: Variant, wanted: VariantPatch) -> VariantChange:
    fields: dict[str, Any] = {}
    if wanted.price is not None and wanted.price != variant.price:
        fields["price"] = wanted.price
    if wanted.compare_at_price is not None and wanted.compare_at_price != variant.compare_at_price:
        fields["compare_at_price"] = wanted.compare_at_price
    return VariantChange(variant, fields, new_stock(variant, wanted.stock))


def new_stock(variant: Variant, stock: int | None) -> int | None:
    """None when nothing changes. Raises StockBelowReserved."""
    if stock is None or stock == variant.on_hand:
        return None
    if stock < variant.reserved:
        raise StockBelowReserved(
            f"{variant.reserved} of {variant.sku} are held for orders; the stock cannot be set to {stock}",
            field="stock",
            details={"variantId": variant.variant_id, "reserved": variant.reserved},
        )
    return stock
