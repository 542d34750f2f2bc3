"""Filling and changing the cart."""

from collections.abc import Sequence
from typing import Any

from agents.models.offline.dialogue.browse import found_by, which_product
from agents.models.offline.dialogue.resolve import Resolved, ResolvedLines, resolve, resolve_lines
from agents.models.offline.dialogue.variants import Choice, hints_of, narrow
from agents.models.offline.dialogue.wish import Wish
from agents.models.offline.moves import Act, Ask, Call, Move, Say, act
from agents.models.offline.turn import Json, Line
from services.contracts.cart import MAX_QTY

_FEW = 4
_ADDS = frozenset({"add", "buy", "order", "put", "get"})


def view_cart(wish: Wish) -> Move | None:
    return None if wish.done("view_cart") else act("view_cart")


def clear_cart(wish: Wish) -> Move | None:
    if wish.done("clear_cart"):
        return None
    return act("clear_cart") if wish.state.cart or "cart" not in wish.state.raw else Say("cart_empty")


def add(wish: Wish) -> Move | None:
    done = wish.done("add_to_cart")
    if done:
        return None if done.ok else choose_variant(wish)
    quantity = wish.slots.quantity
    if quantity.qty is not None and quantity.qty < 1:
        return _how_many(wish, quantity.qty)
    if quantity.qty is not None and quantity.qty > MAX_QTY:
        return _how_many(wish, quantity.qty)
    if (quantity.delta is not None or _counts_again(wish)) and _in_cart(wish):
        return change_qty(wish)
    return _add_meant(wish, resolve(wish.slots, wish.state))


def _how_many(wish: Wish, qty: int) -> Move:
    """Not less than one and not more than a cart line holds; the answer may be a bare number."""
    meant = resolve(wish.slots, wish.state).things
    ask = Ask("add_to_cart", {"product_id": meant[0].product_id}, "qty") if len(meant) == 1 else None
    return Say("bad_quantity", {"qty": qty, "most": MAX_QTY}, ask)


def _counts_again(wish: Wish) -> bool:
    """`2 of them` right after it was put in sets the number; naming a product, or saying `add`, adds."""
    words = wish.slots.said.lower().split()
    in_cart = any(line.product_id == wish.state.focus for line in wish.state.cart)
    return in_cart and len(words) <= _FEW and words[0] not in _ADDS and _points_back(wish)


def _points_back(wish: Wish) -> bool:
    slots = wish.slots
    return bool(slots.quantity.qty and not slots.reference.pointed and not slots.categories and not slots.query)


def _add_meant(wish: Wish, meant: Resolved) -> Move:
    qty = wish.slots.quantity.qty or wish.slots.quantity.delta or 1
    if not meant.things:
        if not wish.state.shown and (wish.slots.categories or wish.slots.query):
            return _look_first(wish)
        return which_product(meant, "add_to_cart", {"qty": qty})
    return Act(tuple(Call("add_to_cart", {"product_id": product.product_id, "qty": qty}) for product in meant.things))


def _look_first(wish: Wish) -> Move:
    return Say("nothing_shown") if wish.done("search_products") else act("search_products", **found_by(wish.slots))


def choose_variant(wish: Wish) -> Move | None:
    """After `variant_required`: what the words or known tastes settle, else the question with what is in stock."""
    failed = wish.done("add_to_cart")
    if failed is None or failed.code != "variant_required":
        return None
    options = options_of(failed.error)
    counted = wish.slots.said.strip() == str(failed.args.get("qty"))  # the answer to how many is no size
    choice = narrow(options, "" if counted else wish.slots.said, hints_of(wish.state))
    return settle(choice, failed.args)


def options_of(error: Json) -> list[Json]:
    return [option for option in error.get("options") or [] if isinstance(option, dict)]


def settle(choice: Choice, args: Json) -> Move:
    """Add the only choice left, or ask among them."""
    qty = args.get("qty", 1)
    if choice.only:
        return act("add_to_cart", variant_id=choice.only["variantId"], qty=qty)
    return ask_variant(choice, args)


def ask_variant(choice: Choice, args: Json) -> Move:
    if not choice.options:
        return Say("variants_gone")
    values: dict[str, Any] = {"axes": choice.axes, "refused": choice.refused, "qty": args.get("qty", 1)}
    return Say("ask_variant", values, Ask("add_to_cart", args, "variant", choice.options))


def _in_cart(wish: Wish) -> bool:
    return not wish.slots.reference.ordinals and bool(resolve_lines(wish.slots, wish.state).lines)


def change_qty(wish: Wish) -> Move | None:
    if wish.done("update_cart_item", "remove_from_cart"):
        return None
    if wish.done("add_to_cart"):
        return choose_variant(wish)
    if _of_what_is_talked_about(wish):
        return add(wish)
    if not wish.state.cart and "cart" in wish.state.raw:
        return Say("cart_empty")
    return _change_meant(wish, resolve_lines(wish.slots, wish.state))


def _change_meant(wish: Wish, meant: ResolvedLines) -> Move:
    if not meant.lines:
        return which_line(meant.candidates, "update_cart_item", _asked_quantity(wish))
    if wish.slots.quantity.qty is None and wish.slots.quantity.delta is None:
        line = meant.lines[0]
        return Say("ask_qty", {"title": line.title}, Ask("update_cart_item", {"variant_id": line.variant_id}, "qty"))
    return Act(tuple(_changed(line, wish) for line in meant.lines))


def _of_what_is_talked_about(wish: Wish) -> bool:
    """`2 of them` before any of it is in the cart adds it."""
    focus = wish.state.focus
    return bool(focus and _points_back(wish) and all(line.product_id != focus for line in wish.state.cart))


def _asked_quantity(wish: Wish) -> Json:
    quantity = wish.slots.quantity
    return {name: n for name, n in (("qty", quantity.qty), ("delta", quantity.delta)) if n is not None}


def _changed(line: Line, wish: Wish) -> Call:
    quantity = wish.slots.quantity
    qty = quantity.qty if quantity.qty is not None else max(line.qty + (quantity.delta or 0), 0)
    return quantity_call(line.variant_id, qty)


def quantity_call(variant_id: str, qty: int) -> Call:
    if qty <= 0:
        return Call("remove_from_cart", {"variant_id": variant_id})
    return Call("update_cart_item", {"variant_id": variant_id, "qty": qty})


def remove(wish: Wish) -> Move | None:
    if wish.done("remove_from_cart", "clear_cart", "update_cart_item"):
        return None
    if not wish.state.cart and "cart" in wish.state.raw:
        return Say("cart_empty")
    meant = resolve_lines(wish.slots, wish.state)
    if meant.lines:
        return Act(tuple(_less(line, wish) for line in meant.lines))
    return which_line(meant.candidates, "remove_from_cart", {})


def _less(line: Line, wish: Wish) -> Call:
    """`remove one of the shoes` takes one away; `remove the shoes` takes the line away."""
    taken = wish.slots.quantity.qty
    if taken and taken < line.qty:
        return quantity_call(line.variant_id, line.qty - taken)
    return Call("remove_from_cart", {"variant_id": line.variant_id})


def which_line(candidates: Sequence[Line], tool: str, args: Json) -> Move:
    if not candidates:
        return Say("not_in_cart")
    options = [line_option(line) for line in candidates]
    return Say("ask_line", {"options": options}, Ask(tool, args, "item", options))


def line_option(line: Line) -> Json:
    return {
        "n": line.n,
        "variantId": line.variant_id,
        "productId": line.product_id,
        "title": line.title,
        "options": dict(line.options),
        "qty": line.qty,
    }
