# ruff: noqa: E501 - patterns and word lists read best unbroken
"""Answers to what was asked back."""

import re
from dataclasses import replace

from agents.models.offline.dialogue.basket import ask_variant, choose_variant, quantity_call, which_line
from agents.models.offline.dialogue.browse import found_by, which_product
from agents.models.offline.dialogue.purchase import complete_address
from agents.models.offline.dialogue.resolve import resolve, resolve_lines
from agents.models.offline.dialogue.variants import hints_of, pick
from agents.models.offline.dialogue.wish import Wish
from agents.models.offline.moves import Act, Call, Move, Say, act
from agents.models.offline.slots.draft import Draft
from agents.models.offline.slots.numbers import WORDS
from agents.models.offline.slots.purchase import looks_like_address, read_address, read_method
from agents.models.offline.slots.quantities import read_quantity
from agents.models.offline.turn import Json

__all__ = ["answer", "choose_variant"]
_OTHER_WISH = frozenset(
    {
        "search",
        "view_cart",
        "clear_cart",
        "checkout",
        "track",
        "list_orders",
        "cancel",
        "help",
        "greet",
        "quote",
        "policy",
        "human",
        "remove",
        "refine",
        "compare",
        "similar",
        "details",
        "return_item",
        "bargain",
        "undo",
        "not_allowed",
        "out_of_scope",
        "recommend",
        "reviews",
        "pay",
        "addresses",
        "thanks",
    }
)
_GIVEN_UP = re.compile(
    r"^\s*(?:no|nope|never ?mind|cancel|stop|forget (?:it|that)|leave it|skip(?: it)?|nahi|rehne do|chhodo|not now)[\s.!]*(?:thanks|thank you|it|that)?[\s.!]*$"
)
_NUMBER = re.compile(
    rf"^\W*(?:option |number |no\.? |#|make it |just |only )?(?P<n>\d{{1,3}}|{'|'.join(sorted(WORDS, key=len, reverse=True))})\b"
)
_SURE_OF_OTHER, _SURE_ENOUGH = 0.75, 0.35  # words that fit no option are hardly an answer


def answer(wish: Wish, sureness: float) -> Move | None:
    """The move that completes what is pending; None when the sentence is no answer to it."""
    pending = wish.state.pending
    if not pending:
        return None
    if _GIVEN_UP.match(wish.slots.said.lower()):
        return Say("left_alone")
    completes = _COMPLETE.get(str(pending.get("slot")))
    return completes(wish, pending, sureness) if completes else None


def _variant(wish: Wish, pending: Json, sureness: float) -> Move | None:
    options = [option for option in pending.get("options") or [] if isinstance(option, dict)]
    choice = pick(options, wish.slots.said, hints_of(wish.state))
    if not choice.understood and not choice.refused:
        return None if _wants_else(wish, sureness, _SURE_ENOUGH) else ask_variant(choice, pending.get("args") or {})
    if not choice.understood and _wants_else(wish, sureness) and len(wish.slots.said.split()) > 4:
        return None
    args = dict(pending.get("args") or {})
    counted = read_quantity(Draft(wish.slots.said)).qty
    if counted and counted > 0:
        args["qty"] = counted
    if choice.only and not choice.refused:
        return act("add_to_cart", variant_id=choice.only["variantId"], qty=args.get("qty", 1))
    return ask_variant(choice, args)


def _wants_else(wish: Wish, sureness: float, sure: float = _SURE_OF_OTHER) -> bool:
    return wish.intent in _OTHER_WISH and (sureness >= sure or len(wish.slots.said.split()) > 3)


def _product(wish: Wish, pending: Json, sureness: float) -> Move | None:
    meant = resolve(_with_number(wish).slots, wish.state)
    if not meant.things or not _answers(wish, sureness):
        return (
            None
            if _wants_else(wish, sureness) or not _answers(wish, sureness)
            else which_product(meant, pending["tool"], pending["args"])
        )
    return Act(
        tuple(Call(pending["tool"], {**pending["args"], "product_id": product.product_id}) for product in meant.things)
    )


def _products(wish: Wish, pending: Json, sureness: float) -> Move | None:
    meant = resolve(_with_number(wish).slots, wish.state)
    if len(meant.things) < 2 or not _answers(wish, sureness):
        return None
    return act(pending["tool"], product_ids=[product.product_id for product in meant.things])


def _answers(wish: Wish, sureness: float) -> bool:
    """Short, or pointing at something: an answer rather than a new wish."""
    return wish.slots.reference.pointed or len(wish.slots.said.split()) <= 4 or not _wants_else(wish, sureness)


def _with_number(wish: Wish) -> Wish:
    """`2` alone means the second."""
    reference = wish.slots.reference
    number = _number(wish.slots.said)
    if reference.pointed or number is None:
        return wish
    return replace(wish, slots=replace(wish.slots, reference=replace(reference, ordinals=(number,))))


def _number(said: str) -> int | None:
    found = _NUMBER.match(said.lower())
    if not found:
        return None
    return int(found["n"]) if found["n"].isdigit() else WORDS[found["n"]]


_REFUSES = re.compile(r"^\W*(?:no|nope|not|nahi)\b")


def _item(wish: Wish, pending: Json, sureness: float) -> Move | None:
    if _REFUSES.match(wish.slots.said.lower()) and not wish.slots.reference.ordinals:
        return None
    meant = resolve_lines(_with_number(wish).slots, wish.state)
    if not meant.lines:
        return None if _wants_else(wish, sureness) else which_line(meant.candidates, pending["tool"], pending["args"])
    if pending["tool"] == "remove_from_cart":
        return Act(tuple(Call("remove_from_cart", {"variant_id": line.variant_id}) for line in meant.lines))
    line, asked = meant.lines[0], pending["args"]
    if "qty" not in asked and "delta" not in asked:
        return None
    return Act((quantity_call(line.variant_id, asked.get("qty", line.qty + asked.get("delta", 0))),))


def _qty(wish: Wish, pending: Json, _: float) -> Move | None:
    number = wish.slots.quantity.qty if wish.slots.quantity.qty is not None else _number(wish.slots.said)
    if number is None:
        return None
    if pending["tool"] == "add_to_cart":
        return act("add_to_cart", **{**pending["args"], "qty": number}) if number > 0 else None
    return Act((quantity_call(pending["args"]["variant_id"], number),))


def _order(wish: Wish, pending: Json, _: float) -> Move | None:
    options = pending.get("options") or []
    place = next(iter(_with_number(wish).slots.reference.ordinals), None)
    if wish.slots.order_id:
        return act(pending["tool"], order_id=wish.slots.order_id)
    if place is None or not options:
        return None
    chosen = options[-1] if place == -1 else options[place - 1] if place <= len(options) else None
    return act(pending["tool"], order_id=chosen["orderId"]) if chosen else None


def _address(wish: Wish, pending: Json, sureness: float) -> Move | None:
    said = wish.slots.said
    parts = read_address(said)
    known = dict(pending.get("args") or {})
    if not looks_like_address(said) and _wants_else(wish, sureness):
        return None
    return complete_address(wish, known | _filling(parts, known, said)) if parts else None


def _filling(parts: dict[str, str], known: Json, said: str) -> dict[str, str]:
    """A lone word answers the one part that is missing."""
    missing = [field for field in ("name", "street", "city", "state", "zip_code", "phone") if not known.get(field)]
    lone = set(parts) <= {"street"} and len(missing) == 1
    return {missing[0]: said.strip()} if lone else {k: v for k, v in parts.items() if k in missing or k != "street"}


def _query(wish: Wish, _: Json, sureness: float) -> Move | None:
    if wish.intent != "search" and sureness >= _SURE_OF_OTHER:
        return None
    slots = wish.slots
    return act("search_products", **found_by(slots)) if slots.query or slots.categories or slots.filters else None


def _payment_method(wish: Wish, pending: Json, _: float) -> Move | None:
    method = read_method(Draft(wish.slots.said))
    return act(pending["tool"], **{**pending["args"], "payment_method": method}) if method else None


def _topic(wish: Wish, pending: Json, _: float) -> Move | None:
    said = wish.slots.said.lower()
    topic = next((option["topic"] for option in pending.get("options") or [] if option["topic"][:4] in said), None)
    return act("store_policy", topic=topic) if topic else None


_COMPLETE = {
    "variant": _variant, "product": _product, "products": _products, "item": _item, "qty": _qty, "order": _order,
    "address": _address, "query": _query, "payment_method": _payment_method, "topic": _topic,
}  # fmt: skip
