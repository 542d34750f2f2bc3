"""The compact State a model is shown: last shown products with ordinals, focus, cart, pending question, orders."""

from collections.abc import Callable
from datetime import date
from typing import Any

import orjson

from services.kit.principal import Principal

View = dict[str, Any]
_SHOWING = {"search_products", "similar_products", "get_recommendations", "compare_products"}
_CART_TOOLS = {"view_cart", "add_to_cart", "update_cart_item", "remove_from_cart", "clear_cart"}


def text(view: View, who: Principal, today: date) -> str:
    """The State block of the prompt."""
    state = {"today": today.isoformat(), "guest": who.is_guest, **view}
    if who.name:
        state["user"] = {"name": who.name}
    return "## State\n```json\n" + orjson.dumps(state).decode().replace("```", "'''") + "\n```"


def after(name: str, args: dict[str, Any], content: dict[str, Any]) -> View:
    """What a tool result changes in the view."""
    if not content.get("ok"):
        return _asked_back(name, args, content.get("error") or {})
    data = content["data"]
    for names, change in _CHANGES:
        if name in names:
            return change(name, args, data)
    return {}


def _shown(name: str, args: dict[str, Any], data: dict[str, Any]) -> View:
    """Nothing found leaves on the screen what was there; a condition that was dropped is not carried on."""
    kept = {key: value for key, value in args.items() if key not in (data.get("relaxed") or ())}
    search = {"lastSearch": kept} if name == "search_products" else {}
    if not data["items"]:
        return search
    shown = [_product(n, card) for n, card in enumerate(data["items"], start=1)]
    return {"shown": shown, "focus": shown[0]["productId"] if len(shown) == 1 else None, "pending": None, **search}


def _product(n: int, card: dict[str, Any]) -> dict[str, Any]:
    return {
        "n": n, "productId": card["productId"], "title": card["title"], "brand": card.get("brand"),
        "category": card["category"], "price": card["price"]["amount"], "colours": card.get("colours", []),
        "sizes": card.get("sizes", []), "rating": card["rating"]["average"], "available": card["available"],
    }  # fmt: skip


def cart(data: dict[str, Any]) -> dict[str, Any]:
    items = [
        {
            "productId": i["productId"], "variantId": i["variantId"], "title": i["title"], "options": i["options"],
            "qty": i["qty"], "price": i["price"]["amount"], "lineTotal": i["lineTotal"]["amount"],
        }
        for i in data["items"]
    ]  # fmt: skip
    return {"version": data["version"], "items": items, "total": data["total"]["amount"]}


def _focus(args: dict[str, Any]) -> View:
    return {"focus": args["product_id"]} if args.get("product_id") else {}


def _asked_back(name: str, args: dict[str, Any], error: dict[str, Any]) -> View:
    if error.get("code") != "variant_required":
        return {}
    return {"pending": {"tool": name, "args": args, "slot": "variant", "options": error.get("options", [])}}


def _on_orders(name: str, _args: dict[str, Any], data: dict[str, Any]) -> View:
    orders = data["items"] if name == "list_orders" else [data.get("order", data)]
    change: View = {"orders": [_order(order) for order in orders[:5]]}
    if name == "place_order":
        change["cart"] = None
    return change


def _order(order: dict[str, Any]) -> dict[str, Any]:
    return {
        "orderId": order["orderId"], "status": order["status"], "paymentStatus": order["paymentStatus"],
        "total": order["total"]["amount"], "placedAt": order["createdAt"],
        "items": [line["title"] for line in order["items"]],
    }  # fmt: skip


def _address(address: dict[str, Any]) -> dict[str, Any]:
    label = f"{address['street']}, {address['city']} {address['zipCode']}"
    return {"addressId": address["addressId"], "label": label, "isDefault": address["isDefault"]}


def _cart(_name: str, args: dict[str, Any], data: dict[str, Any]) -> View:
    return {"cart": cart(data), "pending": None, **_focus(args)}


def _opened(_name: str, _args: dict[str, Any], data: dict[str, Any]) -> View:
    return {"focus": data["productId"]}


def _preferences(_name: str, _args: dict[str, Any], data: dict[str, Any]) -> View:
    return {"preferences": data["preferences"]}


def _addresses(_name: str, _args: dict[str, Any], data: dict[str, Any]) -> View:
    return {"addresses": [_address(address) for address in data["items"]]}


_CHANGES: tuple[tuple[set[str], Callable[[str, dict[str, Any], dict[str, Any]], View]], ...] = (
    (_SHOWING, _shown),
    (_CART_TOOLS, _cart),
    ({"get_product"}, _opened),
    ({"list_orders", "place_order", "pay_order", "track_order", "cancel_order"}, _on_orders),
    ({"get_preferences", "set_preference"}, _preferences),
    ({"list_addresses"}, _addresses),
)
