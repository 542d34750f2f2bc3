# ruff: noqa: E501 - tables of cases read best with a case a line
"""What a conversation may look like when a sentence arrives."""

import json
from typing import Any

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage, ToolMessage

Json = dict[str, Any]


def product(n: int, title: str, brand: str, rupees: int, **more: Any) -> Json:
    return {
        "n": n, "productId": f"prd_{n}", "title": title, "brand": brand, "category": "Sneakers", "price": rupees * 100,
        "colours": ["Red"], "sizes": ["7", "8", "9"], "rating": 4.0, "available": 5,
    } | more  # fmt: skip


SHOWN = [
    product(1, "Kestroval Rue Sneakers", "Kestroval", 1499, rating=4.2),
    product(2, "Padvika Street Canvas Sneakers", "Padvika", 999, colours=["Red", "White"]),
    product(3, "Tarmigo Leather Sneakers", "Tarmigo", 1899, rating=4.6),
]
CART = {
    "version": 3,
    "items": [
        {"productId": "prd_1", "variantId": "var_1", "title": "Kestroval Rue Sneakers", "options": {"size": "8"}, "qty": 1, "price": 149900, "lineTotal": 149900},
        {"productId": "prd_9", "variantId": "var_9", "title": "Annavel Steel Bottle", "options": {}, "qty": 2, "price": 49900, "lineTotal": 99800},
    ],
    "total": 249700,
}  # fmt: skip
LAST_SEARCH = {"query": "sneakers", "category": "Sneakers", "colour": "Red", "max_price": 2000, "in_stock": True}
ORDERS = [
    {"orderId": "ord_7", "status": "pending", "paymentStatus": "unpaid", "total": 249700, "placedAt": "2026-11-20", "items": ["Kestroval Rue Sneakers"]},
    {"orderId": "ord_6", "status": "delivered", "paymentStatus": "paid", "total": 49900, "placedAt": "2026-10-02", "items": ["Annavel Steel Bottle"]},
]  # fmt: skip
NEW: Json = {"today": "2026-11-22", "guest": False, "user": {"name": "Asha Rao"}}
LOOKING: Json = {**NEW, "shown": SHOWN, "lastSearch": LAST_SEARCH}
SHOPPING: Json = {**LOOKING, "cart": CART}


def variant(colour: str, size: str, available: int = 5) -> Json:
    return {
        "variantId": f"var_{colour}_{size}".lower(),
        "options": {"colour": colour, "size": size},
        "price": 99900,
        "available": available,
    }


VARIANTS = [variant(colour, size, 0 if size == "7" else 5) for colour in ("Red", "White") for size in ("7", "8", "9")]
PENDING: Json = {
    "tool": "add_to_cart",
    "args": {"product_id": "prd_2", "qty": 2},
    "slot": "variant",
    "options": VARIANTS,
}


def messages(text: str, state: Json, done: list[BaseMessage] | None = None) -> list[BaseMessage]:
    """As the graph sends them."""
    block = f"## State\n```json\n{json.dumps(state)}\n```"
    return [SystemMessage("You help shoppers."), SystemMessage(block), HumanMessage(text), *(done or [])]


def answered(message: AIMessage, *results: Json) -> list[BaseMessage]:
    """The model's calls with what the tools gave back."""
    answers = [
        ToolMessage(json.dumps(result), tool_call_id=call["id"] or "")
        for call, result in zip(message.tool_calls, results, strict=True)
    ]
    return [message, *answers]


def ok(**data: Any) -> Json:
    return {"ok": True, "data": data}


def failed(code: str, **more: Any) -> Json:
    return {"ok": False, "error": {"code": code, "message": f"{code} happened", **more}}


def rupees(amount: int) -> Json:
    return {"amount": amount * 100, "currency": "INR"}
