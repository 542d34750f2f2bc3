"""The hosted page where a person stands for the buyer."""

from html import escape

from services.payments.adapters.sandbox.entities import Entity
from services.payments.adapters.sandbox.payments import FAILURE, SUCCESS

_STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:26rem;margin:4rem auto;padding:0 1rem;color:#1b2559}"
    "h1{font-size:1.2rem}dl{display:grid;grid-template-columns:auto 1fr;gap:.25rem 1rem}dd{margin:0;"
    "overflow-wrap:anywhere}button{font:inherit;padding:.6rem 1rem;margin:.5rem .5rem 0 0;border-radius:.4rem;"
    "border:1px solid #1b2559;background:#fff;color:inherit}button.pay{background:#1b2559;color:#fff}"
)
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}


def rupees(paise: int) -> str:
    """`₹1,499.00`."""
    return f"₹{paise // 100:,}.{paise % 100:02d}"


def checkout_page(order: Entity) -> str:
    """The order and a form; a paid order has nothing left to choose."""
    choice = (
        "<p>This order is paid.</p>"
        if order["status"] == "paid"
        else '<form method="post">'
        f'<button class="pay" name="vpa" value="{SUCCESS}">Pay {rupees(order["amount_due"])}</button>'
        f'<button name="vpa" value="{FAILURE}">Let the payment fail</button></form>'
    )
    return _page("Sandbox checkout", {"Order": order["id"], "Amount": rupees(order["amount"])}, choice)


def paid_page(handed_over: Entity) -> str:
    """What the checkout hands to its caller."""
    return _page("Payment successful", handed_over, "<p>You may close this page.</p>")


def failed_page(description: str) -> str:
    return _page("Payment failed", {"Reason": description}, '<form method="get"><button>Try again</button></form>')


def _page(title: str, facts: Entity, rest: str) -> str:
    rows = "".join(f"<dt>{escape(str(name))}</dt><dd>{escape(str(value))}</dd>" for name, value in facts.items())
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        f'<meta name="viewport" content="width=device-width"><style>{_STYLE}</style></head>'
        f"<body><h1>{escape(title)}</h1><dl>{rows}</dl>{rest}"
        "<p><small>No real money moves here.</small></p></body></html>"
    )
