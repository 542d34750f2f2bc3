"""Replies are checked against what really happened.

A sentence may be told when every amount, id and count in it stands in this turn's tool results (or was said by the
shopper), and every action it claims has a receipt. Anything else is withheld; `told_by_receipts` speaks instead.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from agents.claims import claimed
from agents.figures import amounts, counts, legible
from services.kit.money import Money

_ID = re.compile(r"\b(?:ord|prd|var|crt|adr|pay|apr|order|rfnd)_\w{6,}\b")
_ORDER_NUMBER = re.compile(r"#\s*([0-9a-f]{6,})\b", re.IGNORECASE)
_BREAK = re.compile(r"(?<=[.!?])(?<!\b[Rr]s\.)(?<!\b[Nn]o\.)(?=\s)|(?<=\n)")
_SUM = re.compile(
    r"\b(?:totals?|paid|pay|payment|charged?|refund\w*|costs?|bill|comes? to|discount|off|cart is|yours for"
    r"|now only)\b",
    re.IGNORECASE,
)
_BOUND = re.compile(
    r"\b(?:under|below|above|over|between|up ?to|within|budget|less than|more than|at most|at least|around|remember)\b",
    re.IGNORECASE,
)
_SAME_DEED = {
    "add_to_cart": {"add_to_cart", "update_cart_item"},
    "remove_from_cart": {"remove_from_cart", "update_cart_item", "clear_cart"},
    "update_cart_item": {"update_cart_item", "add_to_cart", "remove_from_cart"},
}
_STATES = {
    "cancel_order": {"cancelled"},
    "pay_order": {"paid", "partially_refunded", "refunded"},
    "refund": {"refunded", "partially_refunded"},
    "place_order": {"pending", "confirmed", "partially_shipped", "shipped", "partially_delivered", "delivered"},
    "shipped": {"shipped", "partially_shipped", "delivered", "partially_delivered"},
    "delivered": {"delivered", "partially_delivered"},
    "request_return": {"returned", "return_requested"},
}
_STATE_KEYS = {"status", "paymentStatus"}
_MONEY_OF = {"refunded": "refund", "discount": "discount", "compareAtPrice": "discount"}
_OWN_TEXT = "store_policy"


@dataclass
class Evidence:
    """Numbers, ids and deeds of one turn that a reply may speak of.

    What the shopper said or the model itself asked for is `said`: it may be repeated as a bound, never as a sum.
    """

    amounts: set[int] = field(default_factory=set)
    said: set[int] = field(default_factory=set)
    numbers: set[int] = field(default_factory=set)
    ids: set[str] = field(default_factory=set)
    states: dict[str, set[str]] = field(default_factory=dict)
    done: set[str] = field(default_factory=set)
    own_text: str = ""

    @classmethod
    def of(cls, said: str, results: Iterable[dict[str, Any]], receipts: Iterable[dict[str, Any]]) -> "Evidence":
        """`said` is the shopper's own message; `results` are {"name", "args", "content"} of this turn's calls."""
        found = cls(done={receipt["action"] for receipt in receipts if receipt["ok"]})
        found._read_words(said)
        for result in results:
            found._read_arguments(result.get("args"))
            content = result.get("content") or {}
            found._walk(content, "")
            if result.get("name") == _OWN_TEXT:
                found.own_text += " ".join(str((content.get("data") or {}).get("text", "")).split())
        return found

    def _read_words(self, said: str) -> None:
        self.said |= amounts(said)
        for raw in re.findall(r"\d[\d,]*(?:\.\d+)?", said):
            number = float(raw.replace(",", ""))
            self.numbers.add(round(number))
            self.said.update({round(number * 100), round(number * 100_000)})
        self.numbers |= counts(said)

    def _read_arguments(self, value: Any) -> None:
        if isinstance(value, dict | list):
            for item in value.values() if isinstance(value, dict) else value:
                self._read_arguments(item)
        elif isinstance(value, int | float) and not isinstance(value, bool):
            self.numbers.add(round(value))
            self.said.add(round(value * 100))
        elif isinstance(value, str):
            self._read_words(value)

    def _walk(self, value: Any, order_id: str) -> None:
        if isinstance(value, dict):
            order_id = str(value.get("orderId") or order_id)
            for key, item in value.items():
                self._read_state(key, item, order_id)
                self._walk(item, order_id)
        elif isinstance(value, list):
            self.numbers.add(len(value))
            for item in value:
                self._walk(item, order_id)
        elif isinstance(value, bool) or value is None:
            return
        elif isinstance(value, int | float):
            self.numbers.add(round(value))
            self.amounts.add(round(value))
        else:
            self._read_text(str(value))

    def _read_state(self, key: str, value: Any, order_id: str) -> None:
        """States and sums of the shop's own fields; words inside titles and texts are no states."""
        if key in _STATE_KEYS and isinstance(value, str):
            self.states.setdefault(order_id, set()).add(value)
        if key in _MONEY_OF and isinstance(value, dict) and value.get("amount"):
            self.done.add(_MONEY_OF[key])

    def _read_text(self, text: str) -> None:
        self.ids.update(_ID.findall(text))
        self.amounts.update(amounts(text))
        self.numbers |= counts(text)
        self.numbers.update(int(n) for n in re.findall(r"\b\d{1,9}\b", text))

    def supports(self, sentence: str) -> bool:
        sentence = legible(sentence)
        if self._is_own_text(sentence):
            return True
        return (
            self._sums_known(sentence)
            and self._ids_known(sentence)
            and counts(sentence) <= self.numbers
            and all(self._did(deed, sentence) for deed in claimed(sentence))
        )

    def _is_own_text(self, sentence: str) -> bool:
        """The shop's policies may be told as they stand."""
        return bool(self.own_text) and " ".join(sentence.split()).rstrip("…. ") in self.own_text

    def _sums_known(self, sentence: str) -> bool:
        may_repeat = not _SUM.search(sentence) or bool(_BOUND.search(sentence))
        return amounts(sentence) <= (self.amounts | self.said if may_repeat else self.amounts)

    def _ids_known(self, sentence: str) -> bool:
        short = [number.lower() for number in _ORDER_NUMBER.findall(sentence)]
        return set(_ID.findall(sentence)) <= self.ids and all(any(one in known for known in self.ids) for one in short)

    def _did(self, deed: str, sentence: str) -> bool:
        """A deed of this turn, or a state a tool reported of the order that is named."""
        if _SAME_DEED.get(deed, {deed}) & self.done:
            return True
        named = [order_id for order_id in _ID.findall(sentence) if order_id in self.states]
        states = [self.states[order_id] for order_id in named] or [set().union(*self.states.values())]
        return all(_STATES.get(deed, set()) & known for known in states)


def sentences(text: str) -> list[str]:
    """The text in pieces that add up to it again."""
    return [piece for piece in _BREAK.split(text) if piece]


class Guard:
    """Takes streamed text, gives out the sentences that hold, counts those that do not."""

    def __init__(self, evidence: Evidence) -> None:
        self._evidence = evidence
        self._open = ""
        self.withheld: list[str] = []

    def feed(self, delta: str) -> list[str]:
        """Sentences that are complete and covered."""
        self._open += delta
        *complete, self._open = [*sentences(self._open)] or [""]
        return [s for s in complete if self._passes(s)]

    def finish(self) -> list[str]:
        last, self._open = self._open, ""
        return [s for s in sentences(last) if s.strip() and self._passes(s)]

    def _passes(self, sentence: str) -> bool:
        if self._evidence.supports(sentence):
            return True
        self.withheld.append(sentence)
        return False


_DEEDS = {
    "add_to_cart": "Added to your cart.",
    "remove_from_cart": "Removed from your cart.",
    "update_cart_item": "Your cart is updated.",
    "clear_cart": "Your cart is empty now.",
    "place_order": "Your order is placed.",
    "cancel_order": "The order is cancelled.",
    "pay_order": "The payment is open again.",
    "add_address": "The address is saved.",
    "set_preference": "Noted.",
}


def told_by_receipts(receipts: Sequence[dict[str, Any]], results: Sequence[dict[str, Any]]) -> str:
    """What the server itself can vouch for, when the model's own words did not hold."""
    told = [_DEEDS[receipt["action"]] for receipt in receipts if receipt["ok"] and receipt["action"] in _DEEDS]
    told += [_failure(result) for result in results if not result["content"].get("ok")]
    total = next((t for r in reversed(results) if (t := _total(r["content"]))), None)
    if total:
        told.append(f"The total is {total}.")
    return " ".join(dict.fromkeys(told)) or "Here is what I found." if results else ""


def _failure(result: dict[str, Any]) -> str:
    message = str(result["content"].get("error", {}).get("message", "it did not work"))
    return message[:1].upper() + message[1:] + ("" if message.endswith(".") else ".")


def _total(content: dict[str, Any]) -> str | None:
    data = content.get("data") or {}
    total = data.get("total") or (data.get("order") or {}).get("total")
    return Money.from_wire(total).text() if isinstance(total, dict) and "amount" in total else None
