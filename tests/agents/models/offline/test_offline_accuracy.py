# ruff: noqa: E501 - tables of cases read best with a case a line
"""How well sentences are read that the planner was not trained on."""

from collections.abc import Callable

import pytest

from agents.models.offline import OfflinePlanner
from agents.models.offline.intents import IntentReader
from agents.models.offline.labelled import Labelled, Part, labelled, split
from agents.models.offline.slots.grammar import read_slots
from agents.models.offline.slots.lexicon import Lexicon
from tests.agents.models.offline.situations import ORDERS, SHOPPING, messages

TOOLS = {
    "search": "search_products", "refine": "search_products", "similar": "similar_products", "details": "get_product",
    "compare": "compare_products", "add": "add_to_cart", "change_qty": "update_cart_item", "remove": "remove_from_cart",
    "clear_cart": "clear_cart", "view_cart": "view_cart", "quote": "get_quote", "checkout": "place_order",
    "pay": "pay_order", "track": "track_order", "list_orders": "list_orders", "cancel": "cancel_order",
    "addresses": "list_addresses", "add_address": "add_address", "get_preferences": "get_preferences",
    "set_preference": "set_preference", "policy": "store_policy", "human": "hand_over",
    "seller_metrics": "seller_metrics", "seller_orders": "seller_orders", "seller_inventory": "seller_inventory",
    "recommend": "get_recommendations", "reviews": "get_reviews", "return_item": "request_return",
    "change_address": "change_order_address", "greet": "", "thanks": "", "help": "", "out_of_scope": "", "affirm": "", "deny": "",
    "bargain": "", "undo": "", "not_allowed": "",
}  # fmt: skip
STATE = {**SHOPPING, "focus": "prd_2", "orders": ORDERS}


@pytest.fixture(scope="module")
def parts() -> dict[Part, list[Labelled]]:
    return split(list(labelled()))


def chosen_tool(planner: OfflinePlanner, text: str) -> str:
    """The tool called, or the one a question back is about; empty for plain words."""
    message = planner.invoke(messages(text, STATE))
    if message.tool_calls:
        return message.tool_calls[0]["name"]
    return str(message.additional_kwargs.get("ask", {}).get("tool", ""))


def share(sentences: list[Labelled], right: Callable[[Labelled], bool]) -> float:
    return sum(map(right, sentences)) / len(sentences)


def test_there_is_enough_and_varied_data(parts: dict[Part, list[Labelled]]) -> None:
    sentences = [sentence for rows in parts.values() for sentence in rows]
    assert len(sentences) >= 600
    assert sum(sentence.tag == "h" for sentence in sentences) >= 100
    assert sum(sentence.tag == "r" for sentence in sentences) >= 100
    assert len({sentence.text for sentence in sentences}) == len(sentences)


def test_the_tool_is_right_for_most_sentences_never_seen(
    planner: OfflinePlanner, parts: dict[Part, list[Labelled]]
) -> None:
    held_out = share(parts["test"], lambda s: chosen_tool(planner, s.text) == TOOLS[s.intent])
    assert held_out >= 0.86


def test_words_alone_read_three_intents_in_four(lexicon: Lexicon, parts: dict[Part, list[Labelled]]) -> None:
    reader = IntentReader()
    assert share(parts["test"], lambda s: reader.read(read_slots(s.text, lexicon)).intent == s.intent) >= 0.75
