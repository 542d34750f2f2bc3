"""What Razorpay checks on a request body before it looks at any state."""

import re
from typing import Any

from services.payments.adapters.sandbox.errors import RazorpayError, id_malformed, idempotency_key_malformed

SMALLEST = 100
"""The least amount of an order, a refund or a transfer, in paise."""
LARGEST = 10**12
CURRENCY = "INR"
_NOTES = 15
_NOTE_LENGTH = 256
_RECEIPT_LENGTH = 40
_IDEMPOTENCY_KEY = re.compile(r"[A-Za-z0-9_-]{10,}")


def whole_amount(body: dict[str, Any]) -> int:
    """The amount in paise; at least one rupee."""
    if body.get("amount") is None:
        raise RazorpayError("amount: is required.", field="amount")
    amount = body["amount"]
    if isinstance(amount, str) and re.fullmatch(r"-?\d{1,15}", amount):
        amount = int(amount)
    if not isinstance(amount, int) or isinstance(amount, bool):
        raise RazorpayError("The amount must be an integer.", field="amount")
    if amount > LARGEST:
        raise RazorpayError("Amount exceeds maximum amount allowed.", field="amount")
    return amount


def amount_or(body: dict[str, Any], default: int) -> int:
    """The amount asked for, or all of `default` if none is named."""
    if body.get("amount") is None:
        return default
    amount = whole_amount(body)
    if amount < SMALLEST:
        raise RazorpayError("The amount must be at least INR 1.00", field="amount")
    return amount


def order_amount(body: dict[str, Any]) -> int:
    amount = whole_amount(body)
    if amount <= 0:
        raise RazorpayError("The amount must be at least INR 1.00", field="amount")
    if amount < SMALLEST:
        raise RazorpayError(
            "Order amount less than minimum amount allowed",
            field="amount",
            step="order_creation",
            reason="amount_less_than_minimum_amount",
        )
    return amount


def currency(body: dict[str, Any]) -> str:
    given = body.get("currency")
    if given is None:
        raise RazorpayError("currency: is required.", field="currency")
    if given != CURRENCY:
        raise RazorpayError("Currency is not supported", field="currency")
    return CURRENCY


def receipt(body: dict[str, Any]) -> str | None:
    given = body.get("receipt")
    if given is None:
        return None
    if not isinstance(given, str):
        raise RazorpayError("The receipt must be a string.", field="receipt")
    if len(given) > _RECEIPT_LENGTH:
        raise RazorpayError(f"receipt: the length must be no more than {_RECEIPT_LENGTH}.", field="receipt")
    return given


def notes(body: dict[str, Any]) -> dict[str, str] | list[str]:
    """Notes as sent; Razorpay answers an empty list where there are none."""
    given = body.get("notes") or {}
    if not isinstance(given, dict):
        raise RazorpayError("The notes must be an object.", field="notes")
    if len(given) > _NOTES:
        raise RazorpayError(f"Number of fields in notes should be less than or equal to {_NOTES}", field="notes")
    found = {str(key): str(value) for key, value in given.items()}
    if any(len(text) > _NOTE_LENGTH for pair in found.items() for text in pair):
        raise RazorpayError(f"notes may not be greater than {_NOTE_LENGTH} characters.", field="notes")
    return found or []


def speed(body: dict[str, Any]) -> str:
    given = body.get("speed") or "normal"
    if given not in ("normal", "optimum"):
        raise RazorpayError("The selected speed is invalid.", field="speed")
    return str(given)


def hold(body: dict[str, Any]) -> tuple[bool, int | None]:
    """Whether a transfer is kept back, and until when (Unix time; None: until further notice)."""
    until = body.get("on_hold_until")
    if until is not None and (not isinstance(until, int) or not 0 <= until <= LARGEST):
        raise RazorpayError("The on_hold_until must be a timestamp.", field="on_hold_until")
    return truth(body.get("on_hold")), until


def linked_account_notes(body: dict[str, Any]) -> list[str]:
    given = body.get("linked_account_notes") or []
    if not isinstance(given, list):
        raise RazorpayError("The linked_account_notes must be a list.", field="linked_account_notes")
    return [str(name)[:_NOTE_LENGTH] for name in given[:_NOTES]]


def truth(given: Any) -> bool:
    """Razorpay takes true, 1 and "1" for a switch that is on."""
    return given in (True, 1, "1", "true")


def known_id(given: str, prefix: str) -> str:
    if not re.fullmatch(prefix + r"[A-Za-z0-9]{14}", given):
        raise id_malformed(given)
    return given


def idempotency_key(given: str | None) -> str | None:
    if given is not None and not _IDEMPOTENCY_KEY.fullmatch(given):
        raise idempotency_key_malformed()
    return given
