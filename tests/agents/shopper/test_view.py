"""What a search leaves on the screen."""

from typing import Any

from agents.shopper import view

CARD = {
    "productId": "prd_1", "title": "Rue", "brand": "Kestroval", "category": "Shoes", "price": {"amount": 99900},
    "rating": {"average": 4.1}, "available": 3,
}  # fmt: skip


def after(data: dict[str, Any], **args: Any) -> dict[str, Any]:
    return view.after("search_products", args, {"ok": True, "data": data})


def test_a_search_that_finds_nothing_leaves_what_was_shown() -> None:
    assert "shown" not in after({"items": []}, query="shoes")


def test_a_dropped_condition_is_not_carried_on() -> None:
    change = after({"items": [CARD], "relaxed": ["max_price"]}, query="shoes", max_price=100, colour="Red")
    assert change["lastSearch"] == {"query": "shoes", "colour": "Red"}
    assert change["shown"][0]["productId"] == "prd_1"
