"""Razorpay's entities as they stand on the wire, and the record that keeps one."""

import secrets
import string
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

Entity = dict[str, Any]
Clock = Callable[[], datetime]
Ids = Callable[[str], str]
"""Makes a new id for a Razorpay prefix such as `order_`."""

_ALPHABET = string.ascii_letters + string.digits


def new_razorpay_id(prefix: str) -> str:
    """`prefix` and 14 random letters and digits, the form of every Razorpay id."""
    return prefix + "".join(secrets.choice(_ALPHABET) for _ in range(14))


@dataclass(frozen=True)
class Record:
    """One stored thing. `entity` is what the API shows, `hidden` what it does not; `stored` is the version it was
    read at (0: not stored yet), and a write holds only if the store still has that version.
    """

    kind: str
    id: str
    entity: Entity
    hidden: Entity = field(default_factory=dict)
    stored: int = 0

    def changed(self, **values: Any) -> "Record":
        return replace(self, entity={**self.entity, **values})

    def marked(self, **values: Any) -> "Record":
        return replace(self, hidden={**self.hidden, **values})


@dataclass(frozen=True)
class Event:
    """A webhook to come: its name and the entities it carries, as they are at that moment."""

    name: str
    carries: Mapping[str, Entity]
    group: str
    """The order it belongs to; events of one group are sent one after the other."""


def collection(items: list[Entity]) -> Entity:
    return {"entity": "collection", "count": len(items), "items": items}


def new_order(order_id: str, amount: int, receipt: str | None, notes: Any, at: int) -> Entity:
    return {
        "id": order_id,
        "entity": "order",
        "amount": amount,
        "amount_paid": 0,
        "amount_due": amount,
        "currency": "INR",
        "receipt": receipt,
        "offer_id": None,
        "status": "created",
        "attempts": 0,
        "notes": notes,
        "created_at": at,
    }


def new_payment(payment_id: str, order: Entity, vpa: str, rrn: str, at: int) -> Entity:
    """An authorised UPI payment of the whole order."""
    return {
        "id": payment_id,
        "entity": "payment",
        "amount": order["amount"],
        "currency": order["currency"],
        "status": "authorized",
        "order_id": order["id"],
        "invoice_id": None,
        "international": False,
        "method": "upi",
        "amount_refunded": 0,
        "refund_status": None,
        "captured": False,
        "description": None,
        "card_id": None,
        "bank": None,
        "wallet": None,
        "vpa": vpa,
        "email": "void@razorpay.com",
        "contact": "+919999999999",
        "notes": order["notes"],
        "fee": None,
        "tax": None,
        "error_code": None,
        "error_description": None,
        "error_source": None,
        "error_step": None,
        "error_reason": None,
        "acquirer_data": {"rrn": rrn},
        "created_at": at,
        "upi": {"vpa": vpa},
    }


def fee_of(amount: int) -> tuple[int, int]:
    """Razorpay's fee in paise, tax included, and the tax in it: 2 % and 18 % GST on that."""
    base = amount * 2 // 100
    tax = base * 18 // 100
    return base + tax, tax


def new_refund(
    refund_id: str, payment: Entity, amount: int, *, speed: str, receipt: str | None, notes: Any, at: int
) -> Entity:
    return {
        "id": refund_id,
        "entity": "refund",
        "amount": amount,
        "currency": payment["currency"],
        "payment_id": payment["id"],
        "notes": notes,
        "receipt": receipt,
        "acquirer_data": {"arn": None},
        "created_at": at,
        "batch_id": None,
        "status": "processed",
        "speed_processed": "normal",
        "speed_requested": speed,
    }


def new_transfer(
    transfer_id: str, payment: Entity, account: str, amount: int, *, hold: tuple[bool, int | None], notes: Any, at: int
) -> Entity:
    """A processed transfer; what its linked account sees of the notes is set by the caller."""
    return {
        "id": transfer_id,
        "entity": "transfer",
        "status": "processed",
        "source": payment["id"],
        "recipient": account,
        "amount": amount,
        "currency": payment["currency"],
        "amount_reversed": 0,
        "fees": 0,
        "tax": 0,
        "notes": notes,
        "linked_account_notes": [],
        "on_hold": hold[0],
        "on_hold_until": hold[1],
        "settlement_status": None,
        "recipient_settlement_id": None,
        "processed_at": at,
        "created_at": at,
        "error": {"code": None, "description": None, "field": None, "source": None, "step": None, "reason": None},
    }


def new_reversal(reversal_id: str, transfer: Entity, amount: int, refund_id: str | None, at: int) -> Entity:
    return {
        "id": reversal_id,
        "entity": "reversal",
        "transfer_id": transfer["id"],
        "amount": amount,
        "fee": 0,
        "tax": 0,
        "currency": transfer["currency"],
        "notes": [],
        "initiator_id": None,
        "customer_refund_id": refund_id,
        "created_at": at,
    }
