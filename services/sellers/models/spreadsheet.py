"""A seller's orders and variants as CSV, a line of an order or a variant a row. Pure."""

import csv
import io
import re
from collections.abc import Iterable

from services.contracts.sellers import SellerOrder, SellerProduct
from services.kit.money import Money

ORDER_COLUMNS = (
    "orderId", "placedAt", "status", "paymentStatus", "city", "state", "productId", "variantId", "title", "qty",
    "price", "lineTotal", "currency",
)  # fmt: skip
PRODUCT_COLUMNS = (
    "productId", "variantId", "sku", "title", "options", "price", "currency", "available", "lowStock",
)  # fmt: skip
_FORMULA = re.compile(r"^\s*[=+\-@]")

Row = tuple[str | int, ...]


def csv_of(rows: Iterable[Row]) -> bytes:
    """No spreadsheet takes a text for a formula: it gets an apostrophe in front."""
    text = io.StringIO()
    csv.writer(text).writerows([_safe(cell) for cell in row] for row in rows)
    return text.getvalue().encode()


def order_rows(order: SellerOrder) -> list[Row]:
    about = (
        order.order_id, order.placed_at.isoformat(), order.status, order.payment_status, order.city, order.state,
    )  # fmt: skip
    return [
        (
            *about, line.product_id, line.variant_id, line.title, line.qty,
            _rupees(line.price), _rupees(line.line_total), line.price.currency,
        )
        for line in order.lines
    ]  # fmt: skip


def product_rows(product: SellerProduct) -> list[Row]:
    options = "; ".join(f"{name}: {value}" for name, value in product.options.items())
    low = "yes" if product.low_stock else "no"
    return [
        (
            product.product_id, product.variant_id, product.sku, product.title, options,
            _rupees(product.price), product.price.currency, product.available, low,
        )
    ]  # fmt: skip


def _rupees(price: Money) -> str:
    return f"{price.amount // 100}.{price.amount % 100:02d}"


def _safe(cell: str | int) -> str | int:
    return f"'{cell}" if isinstance(cell, str) and _FORMULA.match(cell) else cell
