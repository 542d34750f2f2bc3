"""From the cart to the parcel: totals, orders, payment, addresses."""

from agents.models.offline.dialogue.wish import Wish
from agents.models.offline.moves import Ask, Move, Say, act
from agents.models.offline.slots.draft import Draft
from agents.models.offline.slots.purchase import Method, looks_like_address, read_address, read_method
from agents.models.offline.turn import Json

_NEEDED = ("name", "street", "city", "state", "zip_code", "phone")
_OPEN = frozenset({"pending", "confirmed"})


def quote(wish: Wish) -> Move | None:
    if wish.done("get_quote", "view_cart"):
        return None
    tool = "view_cart" if wish.state.guest else "get_quote"
    return act(tool) if tool == "view_cart" else act(tool, payment_method=wish.slots.method)


def checkout(wish: Wish) -> Move | None:
    placed = wish.done("place_order")
    if placed:
        return ask_address({}) if placed.code == "address_required" else None
    if wish.state.guest:
        return Say("login_to_buy", {"cart": bool(wish.state.cart)})
    if not wish.state.cart and "cart" in wish.state.raw and not wish.turn.steps:
        return Say("cart_empty")
    return act("place_order", address_id=_default_address(wish), payment_method=_method(wish))


def _method(wish: Wish) -> Method:
    return wish.slots.method or read_method(Draft(wish.slots.said)) or "razorpay"


def _default_address(wish: Wish) -> str | None:
    """The address that is named by its label's words, else none: the default is the shop's to know."""
    said = wish.slots.said.lower()
    for address in wish.state.addresses or ():
        label = str(address.get("label", "")).split(":")[0].strip().lower()
        if label and label in said.split():
            return str(address["addressId"])
    return None


def pay(wish: Wish) -> Move | None:
    if wish.done("pay_order"):
        return None
    unpaid = [
        order
        for order in _orders(wish) or []
        if order.get("paymentStatus") == "unpaid" and order.get("status") == "pending"
    ]
    return _about_order(wish, "pay_order", unpaid, none="nothing_to_pay")


def track(wish: Wish) -> Move | None:
    if wish.done("track_order"):
        return None
    return _about_order(wish, "track_order", _orders(wish) or [], none="no_orders")


def cancel(wish: Wish) -> Move | None:
    if wish.done("cancel_order"):
        return None
    still_open = [order for order in _orders(wish) or [] if order.get("status") in _OPEN]
    return _about_order(wish, "cancel_order", still_open, none="nothing_to_cancel", alone=True)


def list_orders(wish: Wish) -> Move | None:
    return None if wish.done("list_orders") else act("list_orders")


def change_address(wish: Wish) -> Move | None:
    if wish.done("change_order_address"):
        return None
    if not wish.turn.may_call("change_order_address"):
        return Say("cannot_change_address")
    still_open = [order for order in _orders(wish) or [] if order.get("status") in _OPEN]
    return _about_order(wish, "change_order_address", still_open, none="no_orders", alone=True)


def return_item(wish: Wish) -> Move | None:
    if wish.done("request_return", "store_policy"):
        return None
    if not wish.turn.may_call("request_return"):
        return act("store_policy", topic="returns")
    delivered = [order for order in _orders(wish) or [] if order.get("status") == "delivered"]
    return _about_order(wish, "request_return", delivered, none="nothing_to_return", alone=True)


def _orders(wish: Wish) -> list[Json] | None:
    listed = wish.done("list_orders")
    return (listed.data or {}).get("items") or [] if listed and listed.ok else wish.state.orders


def _about_order(wish: Wish, tool: str, orders: list[Json], *, none: str, alone: bool = False) -> Move:
    """Act on the order that is named, placed or the only one; `alone` asks when several could be meant."""
    order_id = wish.slots.order_id or _pointed(wish, orders)
    if order_id:
        return act(tool, order_id=order_id)
    if not orders:
        return Say(none) if wish.done("list_orders") else act("list_orders")
    if len(orders) == 1 or not alone or _says_last(wish):
        return act(tool, order_id=orders[0]["orderId"])
    if not wish.done("list_orders"):  # what is told about orders must come from this turn
        return act("list_orders")
    return Say(
        "ask_order", {"orders": orders[:5]}, Ask(tool, {}, "order", [_order_option(order) for order in orders[:5]])
    )


def _says_last(wish: Wish) -> bool:
    said = wish.slots.said.lower().split()
    return bool({"last", "latest", "recent", "just", "abhi", "newest"} & set(said))


def _pointed(wish: Wish, orders: list[Json]) -> str | None:
    ordinals = wish.slots.reference.ordinals
    if len(ordinals) == 1 and 1 <= ordinals[0] <= len(orders):
        return str(orders[ordinals[0] - 1]["orderId"])
    return None


def _order_option(order: Json) -> Json:
    return {"orderId": order["orderId"], "total": order.get("total"), "status": order.get("status")}


def addresses(wish: Wish) -> Move | None:
    return None if wish.done("list_addresses") else act("list_addresses")


def add_address(wish: Wish) -> Move | None:
    if wish.done("add_address"):
        return None
    said = wish.slots.said
    return complete_address(wish, read_address(said) if looks_like_address(said) else {})


def ask_address(known: Json) -> Move:
    missing = [field for field in _NEEDED if not known.get(field)]
    return Say("ask_address", {"missing": missing, "known": known}, Ask("add_address", known, "address"))


def complete_address(wish: Wish, parts: Json) -> Move:
    """Save the address once nothing is missing; the buyer's own name stands in for a missing one."""
    known = {"name": wish.state.name, **parts} if wish.state.name else parts
    if all(known.get(field) for field in _NEEDED):
        return act("add_address", **known)
    return ask_address(known if parts else {})
