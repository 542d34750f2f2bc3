# ruff: noqa: E501 - patterns and word lists read best unbroken
"""How to pay, which order or product by its id, and where to: what a sentence says about a purchase."""

import re
from typing import Literal

from agents.models.offline.slots.draft import Draft

Method = Literal["razorpay", "cod"]
_COD = re.compile(
    r"\b(?:by |with |via |using |as )?(?:cod|c\.o\.d\.?|cash(?: on delivery| on delievery| on dilivery| par| se)?|cash on \w+|pay on delivery|nagad|nakad)\b"
)
_ONLINE = re.compile(
    r"\b(?:by |with |via |using |through )?(?:online|razorpay|upi|gpay|google pay|phonepe|phone pe|paytm|(?:credit |debit )?card|net ?banking|prepaid)\b(?: (?:payment|se))?"
)
_ORDER_ID = re.compile(r"\bord_[0-9a-z]+\b")
_PRODUCT_ID = re.compile(r"\bprd_[0-9a-z]+\b")
_PIN = re.compile(r"(?<!\d)(?P<zip>[1-9]\d{2}\s?\d{3})(?!\d)")
_PHONE = re.compile(r"<phone:\d+>|(?:\+91[- ]?)?\b[6-9]\d{9}\b")
_LEAD = re.compile(
    r"^.*?\b(?:address(?: is| to|:)?|deliver(?:ed)?(?: it)?(?: to| at)|ship(?: it)? to|send(?: it)? to|bhejo|pata hai|add(?=\s+\d))\b\s*(?:is\b|:|-|,)?\s*",
    re.IGNORECASE | re.DOTALL,
)
STATES = {
    name.lower(): name
    for name in (
        "Andhra Pradesh", "Arunachal Pradesh", "Assam", "Bihar", "Chhattisgarh", "Goa", "Gujarat", "Haryana",
        "Himachal Pradesh", "Jharkhand", "Karnataka", "Kerala", "Madhya Pradesh", "Maharashtra", "Manipur",
        "Meghalaya", "Mizoram", "Nagaland", "Odisha", "Punjab", "Rajasthan", "Sikkim", "Tamil Nadu", "Telangana",
        "Tripura", "Uttar Pradesh", "Uttarakhand", "West Bengal", "Delhi", "Chandigarh", "Puducherry",
        "Jammu and Kashmir", "Ladakh",
    )
}  # fmt: skip
_STATE = re.compile(r"\b(" + "|".join(sorted(STATES, key=len, reverse=True)) + r")\b", re.IGNORECASE)


def read_method(draft: Draft) -> Method | None:
    if draft.take(_COD, "pay"):
        return "cod"
    return "razorpay" if draft.take(_ONLINE, "pay") else None


def read_order_id(draft: Draft) -> str | None:
    found = draft.take(_ORDER_ID, "order")
    return found.group() if found else None


def read_product_ids(draft: Draft) -> tuple[str, ...]:
    return tuple(match.group() for match in draft.take_all(_PRODUCT_ID, "product"))


def looks_like_address(said: str) -> bool:
    return _PIN.search(said) is not None and said.count(",") + len(said.split()) >= 4


def read_address(said: str) -> dict[str, str]:
    """Parts of an address as typed: street, city, state, zip_code, phone, and name when one leads."""
    text = (
        _LEAD.sub("", said.strip(), count=1)
        if re.search(r"address|deliver|ship|send|add\b|bhejo|pata", said, re.IGNORECASE)
        else said.strip()
    )
    parts: dict[str, str] = {}
    for field, pattern in (("phone", _PHONE), ("zip_code", _PIN), ("state", _STATE)):
        found = pattern.search(text)
        if found:
            parts[field] = STATES[found.group().lower()] if field == "state" else found.group().replace(" ", "")
            text = text[: found.start()] + "," + text[found.end() :]
    return parts | _places(text)


def _places(text: str) -> dict[str, str]:
    """What is left, by commas: [name,] street …, city."""
    pieces = [piece.strip(" .-:\n") for piece in re.split(r"[,\n]", text)]
    pieces = [
        piece
        for piece in pieces
        if piece and piece.lower() not in {"india", "phone", "pin", "pincode", "pin code", "mobile"}
    ]
    places: dict[str, str] = {}
    if len(pieces) > 2 and not any(c.isdigit() for c in pieces[0]):
        places["name"] = pieces.pop(0)
    if len(pieces) > 1:
        places["city"] = pieces.pop()
    if pieces:
        places["street"] = ", ".join(pieces)
    return places
