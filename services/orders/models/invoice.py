"""What an invoice says: one per seller's part, all amounts as they were sold. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from services.contracts.auth import Address
from services.contracts.orders import Part, TaxSplit
from services.orders.models.billing import SoldLine, indian_day
from services.orders.models.order import Order
from services.orders.models.parts import Issuer


@dataclass(frozen=True)
class InvoiceRow:
    """Amounts in paise; `taxable` is without the tax, `total` with it."""

    title: str
    qty: int
    price: int
    discount: int
    taxable: int
    tax: TaxSplit
    total: int


@dataclass(frozen=True)
class Invoice:
    """`total` is the sum of the rows and the shipping."""

    number: str
    order_id: str
    issued_at: datetime
    issuer: Issuer
    buyer: Address
    rows: tuple[InvoiceRow, ...]
    shipping: int
    cancelled: bool

    @property
    def day(self) -> str:
        return f"{indian_day(self.issued_at):%d %B %Y}"

    @property
    def taxable(self) -> int:
        return sum(row.taxable for row in self.rows)

    @property
    def cgst(self) -> int:
        return sum(row.tax.cgst for row in self.rows)

    @property
    def sgst(self) -> int:
        return sum(row.tax.sgst for row in self.rows)

    @property
    def igst(self) -> int:
        return sum(row.tax.igst for row in self.rows)

    @property
    def total(self) -> int:
        return sum(row.total for row in self.rows) + self.shipping


def invoice_of(order: Order, part: Part, issuers: Mapping[str, Issuer]) -> Invoice:
    """Of a part that has its number."""
    return Invoice(
        number=part.invoice_number or "",
        order_id=order.order_id,
        issued_at=order.confirmed_at or order.created_at,
        issuer=issuers.get(part.seller_id) or Issuer(seller_id=part.seller_id, name=part.seller_id),
        buyer=order.address,
        rows=tuple(_row(line) for line in order.lines_of({part.seller_id})),
        shipping=part.shipping.amount,
        cancelled=part.status == "cancelled",
    )


def _row(line: SoldLine) -> InvoiceRow:
    total = line.line_total.amount
    return InvoiceRow(
        title=", ".join([line.title, *line.options.values()]),
        qty=line.qty,
        price=line.price.amount,
        discount=line.discount.amount,
        taxable=total - line.tax.total,
        tax=line.tax,
        total=total,
    )
