"""Replies are checked against what really happened.

A sentence may be told when every amount, id and count in it stands in this turn's tool results (or was said by the
shopper), and every action it claims has a receipt. Anything else is withheld; `told_by_receipts` speaks instead.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from services.kit.money import Money

_AMOUNT = re.compile(r"(?:₹|\brs\.?|\binr)\s*([\d,]+(?:\.\d{1,2})?)", re.IGNORECASE)
_ID = re.compile(r"\b(?:ord|prd|var|crt|adr|pay|apr|order|rfnd)_\w{6,}\b")
_ORDER_NUMBER = re.compile(r"#\s*([0-9a-f]{6,})\b", re.IGNORECASE)
_COUNT = re.compile(
    r"\b(\d{1,6})\s+(?:products?|items?|results?|orders?|units?|options?|left|in stock|pieces?|addresses)\b",
    re.IGNORECASE,
)
_BREAK = re.compile(r"(?<=[.!?])(?<!\b[Rr]s\.)(?<!\b[Nn]o\.)(?=\s)|(?<=\n)")
_NEGATED = re.compile(
    r"\b(?:not|never|nothing|cannot|can't|couldn't|wasn't|isn't|hasn't|haven't|didn't|won't|no|yet|if|once|when|before"
    r"|until|should|shall|would|want|can|could)\b",
    re.IGNORECASE,
)

CLAIMS: dict[str, re.Pattern[str]] = {
    "add_to_cart": re.compile(r"\b(?:added|put)\b.*\b(?:cart|basket|it|them)\b|\badded\b", re.IGNORECASE),
    "remove_from_cart": re.compile(r"\b(?:removed|took out|taken out)\b", re.IGNORECASE),
    "clear_cart": re.compile(r"\b(?:emptied|cleared)\b", re.IGNORECASE),
    "update_cart_item": re.compile(r"\b(?:updated|changed)\b.*\b(?:quantity|cart)\b", re.IGNORECASE),
    "place_order": re.compile(
        r"\b(?:order(?: \S+)? (?:is|was|has been) (?:placed|confirmed)|placed (?:your|the|an) order|ordered)\b",
        re.IGNORECASE,
    ),
    "cancel_order": re.compile(r"\b(?:cancelled|canceled)\b", re.IGNORECASE),
    "pay_order": re.compile(
        r"\b(?:paid|payment (?:is|was|has been) (?:received|successful|complete|completed)|charged)\b", re.IGNORECASE
    ),
    "refund": re.compile(r"\brefunded\b", re.IGNORECASE),
    "add_address": re.compile(r"\b(?:saved|added)\b.*\baddress\b", re.IGNORECASE),
}  # fmt: skip
_SAME_DEED = {
    "add_to_cart": {"add_to_cart", "update_cart_item", "add_address"},
    "remove_from_cart": {"remove_from_cart", "update_cart_item", "clear_cart"},
    "clear_cart": {"clear_cart"},
    "update_cart_item": {"update_cart_item", "add_to_cart", "remove_from_cart"},
    "place_order": {"place_order"},
    "cancel_order": {"cancel_order"},
    "add_address": {"add_address"},
}
_STATES = {"cancel_order": "cancelled", "pay_order": "paid", "refund": "refunded", "place_order": "confirmed"}


@dataclass
class Evidence:
    """Numbers, ids and deeds of one turn that a reply may speak of."""

    amounts: set[int] = field(default_factory=set)
    numbers: set[int] = field(default_factory=set)
    ids: set[str] = field(default_factory=set)
    words: set[str] = field(default_factory=set)
    done: set[str] = field(default_factory=set)

    @classmethod
    def of(cls, said: str, results: Iterable[dict[str, Any]], receipts: Iterable[dict[str, Any]]) -> "Evidence":
        """`said` is the shopper's own message; `results` are {"name", "args", "content"} of this turn's calls."""
        found = cls(done={receipt["action"] for receipt in receipts if receipt["ok"]})
        found._read_words(said)
        for result in results:
            found._walk(result.get("args"), rupees=True)
            found._walk(result.get("content"))
        return found

    def _read_words(self, said: str) -> None:
        for raw in re.findall(r"\d[\d,]*(?:\.\d+)?", said):
            number = float(raw.replace(",", ""))
            self.numbers.add(round(number))
            self.amounts.update({round(number * 100), round(number * 100_000)})

    def _walk(self, value: Any, *, rupees: bool = False) -> None:
        if isinstance(value, dict):
            for item in value.values():
                self._walk(item, rupees=rupees)
        elif isinstance(value, list):
            self.numbers.add(len(value))
            for item in value:
                self._walk(item, rupees=rupees)
        elif isinstance(value, bool) or value is None:
            return
        elif isinstance(value, int | float):
            self.numbers.add(round(value))
            self.amounts.add(round(value * 100) if rupees else round(value))
        else:
            self._read_text(str(value))

    def _read_text(self, text: str) -> None:
        self.ids.update(_ID.findall(text))
        self.words.add(text.lower())
        self.amounts.update(_amounts(text))
        self.numbers.update(int(n) for n in re.findall(r"\b\d{1,9}\b", text))

    def supports(self, sentence: str) -> bool:
        return (
            _amounts(sentence) <= self.amounts
            and self._ids_known(sentence)
            and {int(n) for n in _COUNT.findall(sentence)} <= self.numbers
            and all(self._did(deed) for deed in claimed(sentence))
        )

    def _ids_known(self, sentence: str) -> bool:
        short = [number.lower() for number in _ORDER_NUMBER.findall(sentence)]
        return set(_ID.findall(sentence)) <= self.ids and all(any(one in known for known in self.ids) for one in short)

    def _did(self, deed: str) -> bool:
        """A deed of this turn, or a state a tool reported."""
        state = _STATES.get(deed)
        return bool(_SAME_DEED.get(deed, {deed}) & self.done) or (state is not None and state in self.words)


def claimed(sentence: str) -> set[str]:
    """The deeds a sentence claims to have happened; conditions, questions and denials claim nothing."""
    if sentence.rstrip().endswith("?") or _NEGATED.search(sentence):
        return set()
    return {deed for deed, pattern in CLAIMS.items() if pattern.search(sentence)} - (
        {"add_to_cart"} if CLAIMS["add_address"].search(sentence) else set()
    )


def _amounts(text: str) -> set[int]:
    return {round(float(raw.replace(",", "")) * 100) for raw in _AMOUNT.findall(text) if raw.strip(",")}


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
