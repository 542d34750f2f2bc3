"""Invoices as PDF, a page (or more) for each; the same invoices give the same bytes."""

from collections.abc import Sequence
from pathlib import Path

from fpdf import FPDF
from fpdf.enums import XPos, YPos
from fpdf.fonts import FontFace

from services.kit.money import inr
from services.orders.models.invoice import Invoice, InvoiceRow

_FONTS = Path(__file__).parent / "fonts"
_COLUMNS = ("Item", "Qty", "Price", "Discount", "Taxable", "GST", "CGST", "SGST", "IGST", "Total")
_WIDTHS = (46, 9, 20, 18, 20, 11, 16, 16, 16, 22)
_ALIGN = ("LEFT", *("RIGHT",) * 9)


def printed(invoices: Sequence[Invoice]) -> bytes:
    pdf = FPDF()
    pdf.add_font("DejaVu", "", _FONTS / "DejaVuSans.ttf")
    pdf.add_font("DejaVu", "B", _FONTS / "DejaVuSans-Bold.ttf")
    pdf.set_creation_date(invoices[0].issued_at)
    pdf.set_title("Invoice " + ", ".join(invoice.number for invoice in invoices))
    for invoice in invoices:
        pdf.add_page()
        _head(pdf, invoice)
        _rows(pdf, invoice)
        _sums(pdf, invoice)
    return bytes(pdf.output())


def _head(pdf: FPDF, invoice: Invoice) -> None:
    _line(pdf, "Tax invoice" + (" (cancelled)" if invoice.cancelled else ""), 16, "B")
    _line(pdf, f"Invoice {invoice.number} of {invoice.day}, order {invoice.order_id}")
    pdf.ln(3)
    _line(pdf, "Sold by", style="B")
    gstin = f", GSTIN {invoice.issuer.gstin}" if invoice.issuer.gstin else ""
    _line(pdf, f"{invoice.issuer.name}, {invoice.issuer.state}{gstin}")
    pdf.ln(2)
    buyer = invoice.buyer
    _line(pdf, "Delivered to", style="B")
    _line(pdf, buyer.name)
    _line(pdf, f"{buyer.street}, {buyer.city} {buyer.zip_code}, {buyer.state}, {buyer.country}")
    pdf.ln(4)


def _line(pdf: FPDF, text: str, size: float = 9, style: str = "") -> None:
    pdf.set_font("DejaVu", style, size)
    pdf.multi_cell(0, size * 0.6, text, new_x=XPos.LMARGIN, new_y=YPos.NEXT)


def _rows(pdf: FPDF, invoice: Invoice) -> None:
    pdf.set_font("DejaVu", "", 7)
    bold = FontFace(emphasis="BOLD")
    with pdf.table(col_widths=_WIDTHS, text_align=_ALIGN, headings_style=bold, line_height=5) as table:
        table.row(_COLUMNS)
        for row in invoice.rows:
            table.row(_cells(row))
    pdf.ln(3)


def _cells(row: InvoiceRow) -> list[str]:
    amounts = (row.price, row.discount, row.taxable)
    taxes = (row.tax.cgst, row.tax.sgst, row.tax.igst, row.total)
    return [row.title, str(row.qty), *map(_text, amounts), f"{row.tax.rate}%", *map(_text, taxes)]


def _sums(pdf: FPDF, invoice: Invoice) -> None:
    sums = (
        ("Taxable value", invoice.taxable),
        ("CGST", invoice.cgst),
        ("SGST", invoice.sgst),
        ("IGST", invoice.igst),
        ("Shipping", invoice.shipping),
    )
    for name, amount in sums:
        _line(pdf, f"{name}: {_text(amount)}")
    _line(pdf, f"Total: {_text(invoice.total)}", 11, "B")


def _text(paise: int) -> str:
    return inr(paise).text()
