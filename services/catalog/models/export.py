"""A product as a line of a file that can be imported again. Pure."""

import re
from typing import Any

from services.catalog.models.product import Product, Variant, cheapest
from services.kit.ids import named_id

COLUMNS = (
    "productId", "externalId", "title", "description", "category", "brand", "price", "compareAtPrice", "stock",
    "status", "attributes", "images", "variants",
)  # fmt: skip
_FORMULA = re.compile(r"^'*[=+\-@\t\r]")
_ESCAPED = re.compile(r"^'+[=+\-@\t\r]")


def line_of(product: Product) -> dict[str, Any]:
    """Prices in rupees. A lone variant without options is the product's own price and stock."""
    shown = cheapest(product.offered)
    line: dict[str, Any] = {
        "productId": product.product_id,
        "externalId": product.external_id,
        "title": product.title,
        "description": product.description,
        "category": product.category,
        "brand": product.brand,
        "price": _rupees(shown.price),
        "status": product.status,
        "attributes": dict(product.attributes),
        "images": list(product.images),
    }
    if _is_plain(product):
        line |= {"compareAtPrice": _rupees(shown.compare_at_price), "stock": shown.on_hand}
    else:
        line["variants"] = [_variant(variant) for variant in product.offered]
    return {name: line[name] for name in COLUMNS if line.get(name) not in (None, "", {}, [])}


def _is_plain(product: Product) -> bool:
    """Whether an import without variants gives the same one again."""
    base = named_id("var", product.product_id, "")
    alone = product.offered[0]
    return len(product.offered) == 1 and not alone.options and alone.sku == auto_sku(base) == auto_sku(alone.variant_id)


def auto_sku(variant_id: str) -> str:
    """The SKU of a variant whose seller gave none."""
    return f"SKU-{variant_id[-12:].upper()}"


def _variant(variant: Variant) -> dict[str, Any]:
    compare_at = {"compareAtPrice": _rupees(variant.compare_at_price)} if variant.compare_at_price is not None else {}
    return {
        "sku": variant.sku,
        "options": dict(variant.options),
        "price": _rupees(variant.price),
        **compare_at,
        "stock": variant.on_hand,
    }


def _rupees(paise: int | None) -> str | None:
    return None if paise is None else f"{paise // 100}.{paise % 100:02d}"


def escaped(cell: str) -> str:
    """No spreadsheet takes the cell for a formula."""
    return f"'{cell}" if _FORMULA.match(cell) else cell


def unescaped(cell: str) -> str:
    return cell[1:] if _ESCAPED.match(cell) else cell
