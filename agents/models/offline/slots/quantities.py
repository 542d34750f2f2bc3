# ruff: noqa: E501 - patterns and word lists read best unbroken
"""How many: `two of them`, `2 pcs`, `a pair`, `ek aur`."""

import re
from dataclasses import dataclass

from agents.models.offline.slots.draft import Draft
from agents.models.offline.slots.numbers import WORDS, alternatives, value

_N = rf"\d{{1,10}}|{alternatives(WORDS)}"
_UNIT = r"(?:pcs?|pieces?|pis|units?|nos|qty|quantity|copies|sets?|packs?|packets?|boxes|bottles?|jodi|nag)"
_SIGNED = re.compile(r"(?<![\w-])(?P<n>-\d{1,10})(?:\s+of\s+(?:them|these|those|it|that|this|the|each))?\b")
_COUPLE = re.compile(r"\b(?:a\s+)?(?P<n>couple|half a dozen|dozen)(?:\s+of(?:\s+(?:them|these|those|it))?)?\b")
_PAIR = re.compile(r"\b(?:a|one|ek)\s+(?:pair|jodi)(?:\s+of)?\b(?:\s+(?:it|them|these|those|that|this)\b)?")
_PAIRS = re.compile(rf"\b(?P<n>{_N})\s+pairs?(?:\s+of)?\b")
_OF_THEM = re.compile(
    rf"\b(?P<n>{_N})\s+of\s+(?=the\b)|\b(?P<m>{_N})\s+of\s+(?:them|em|'em|these|those|it|that|this|each|both)\b|\b(?P<k>{_N})\s+(?:each|of each)\b"
)
_UNITS = re.compile(rf"\b(?P<n>{_N})\s*{_UNIT}\b(?!\s+of\s+\d)")
_QTY = re.compile(
    rf"\b(?:qty|quantity|quantities|count|total|kul)\s*(?:to|of|is|as|=|:|ko)?\s*(?P<n>-?\d{{1,10}}|{alternatives(WORDS)})\b"
)
_TIMES = re.compile(r"(?:\bx\s?(?P<n>\d{1,3})\b)|(?:\b(?P<m>\d{1,3})\s?x\b(?!\s*\d))")
_MORE = re.compile(
    rf"\b(?:(?P<n>{_N}|an?)\s+more|(?P<m>{_N})\s+aur|another\s+(?P<k>{_N})|(?:increase|up|raise|badha\w*)\s+(?:\w+\s+){{0,3}}?by\s+(?P<j>{_N}))\b|\banother(?: one)?\b|\bone more\b|\baur ek\b"
)
_LESS = re.compile(
    rf"\b(?:(?P<n>{_N})\s+(?:less|fewer|kam)|(?:reduce|decrease|lower|down|cut|ghata\w*)\s+(?:\w+\s+){{0,3}}?by\s+(?P<m>{_N}))\b"
)
_ONLY = re.compile(rf"\b(?:only|just|sirf|bas)\s+(?P<n>{_N})\b(?!\s*(?:rs|rupees|k\b|inch|star))")
_TO = re.compile(
    rf"\b(?:make|change|set|update|increase|reduce|decrease|want|need|kar|karo|bring|up|down|keep|rakho|from \d+)\b(?:\s+[\w§]+){{0,5}}?\s+(?:to\s+|it\s+)?(?P<n>-?\d{{1,10}}|{alternatives(WORDS)})\b(?!\s*(?:rs|inch|star|number))|\b(?:to)\s+(?P<m>-?\d{{1,10}}|{alternatives(WORDS)})\b|\b(?P<k>\d{{1,4}}|{alternatives(WORDS)})\s+kar(?:o|do| do| dena)?\b"
)
_LEADING = re.compile(
    rf"^(?:(?:please|pls|ok|okay|can you|could you)\s+)?(?:add|buy|get|take|order|put|i want|i need|i'll take|ill take|i will take|give me|want|need|daal|dal|remove|delete)?\s*(?:me\s+)?(?P<n>\d{{1,10}}|{alternatives({k: v for k, v in WORDS.items() if k != 'one'})})(?=\s+(?:of\b|in\b|[a-z§])|\s*$)(?!\s+(?:inch|gb|star|rs|you)\b)"
)
_HINGLISH = re.compile(
    rf"\b(?P<n>\d{{1,3}}|{alternatives(WORDS)})\s+(?=(?:add|daal|dal|dedo|de do|chahiye|le|lo|bhej|hata|kam)\b)"
)


@dataclass(frozen=True)
class Quantity:
    """`qty` is absolute; `delta` is said against what is there."""

    qty: int | None = None
    delta: int | None = None


def read_quantity(draft: Draft) -> Quantity:
    """Quantities that are clear without knowing what is being done."""
    delta = _delta(draft)
    if delta is not None:
        return Quantity(delta=delta)
    if draft.take(_PAIR, "qty"):
        return Quantity(1)
    couple = draft.take(_COUPLE, "qty")
    if couple:
        return Quantity({"couple": 2, "dozen": 12, "half a dozen": 6}[couple["n"]])
    return Quantity(_first(draft, (_SIGNED, _PAIRS, _OF_THEM, _UNITS, _QTY, _TIMES, _ONLY)))


def read_bare_quantity(draft: Draft, *, changing: bool) -> Quantity:
    """A bare number, where an amount is what the sentence must hold: `make it 3`, `add 2 red ones`."""
    return Quantity(_first(draft, (_TO, _HINGLISH, _LEADING) if changing else (_HINGLISH, _LEADING)))


def _delta(draft: Draft) -> int | None:
    more = draft.take(_MORE, "qty")
    if more:
        return _number(more) or 1
    less = draft.take(_LESS, "qty")
    return -(_number(less) or 1) if less else None


def _first(draft: Draft, patterns: tuple[re.Pattern[str], ...]) -> int | None:
    for pattern in patterns:
        match = pattern.search(draft.text)
        if match:
            group = next(n for n, said in enumerate(match.groups(), 1) if said)
            draft.cut(match.start(group), match.end(), "qty")
            return _number(match)
    return None


def _number(match: re.Match[str]) -> int | None:
    said = next((group for group in match.groups() if group), None)
    if said in {"a", "an"}:
        return 1
    amount = value(said) if said else None
    return int(amount) if amount is not None else None
