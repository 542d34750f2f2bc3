# ruff: noqa: E501 - patterns and word lists read best unbroken
"""Which product, line or order is meant: ordinals, pronouns, superlatives."""

import re
from dataclasses import dataclass
from typing import Literal

from agents.models.offline.slots.draft import Draft
from agents.models.offline.slots.numbers import ORDINALS, WORDS, alternatives

Superlative = Literal["cheapest", "dearest", "best_rated"]
_THING = r"(?:ones?|items?|products?|options?|results?|choices?|pairs?|pick|number|wal[aeiy]+|vala|vali|vale)"
_ORD = rf"(?:{alternatives(ORDINALS)})"
_SEVERAL = re.compile(
    rf"\b(?:the\s+)?(?P<a>{_ORD})(?:\s*,\s*(?:the\s+)?(?P<c>{_ORD}))?\s*(?:and|&|aur|n|with|or|vs\.?|versus|se|,)\s*(?:the\s+)?(?P<b>{_ORD})\b(?:\s+{_THING}|\s+two)?"
)
_FIRST_N = re.compile(
    r"\b(?:the\s+)?(?:first|top)\s+(?P<n>two|three|four|five|2|3|4|5)\b(?!\s*(?:inch|gb|kg|stars?))(?:\s+(?:ones?|items?|products?|options?|results?))?"
)
_ORDINAL = re.compile(
    rf"\b(?:the\s+)?(?P<ord>{_ORD})(?:\s+{_THING}\b|(?=\s*(?:$|[.,!?;§]|\b(?:and|aur|in|with|to|from|please|pls|into|is|has|also|for|ko|ka|ki|ke|hata|hatao|daal|add|dal|too|bhi|size|out|off|cart)\b)))"
)
_THE_ORDINAL = re.compile(
    rf"\bthe\s+(?P<ord>{_ORD})\b(?!\s+(?:aid|hand|edition|generation|time|order|minute|week|month|quarter|year|day|name))(?:\s+\w+)?"
)
_NUMBERED = re.compile(
    r"(?:\b(?:no\.?|number|num|option|item|product|result|choice|#)\s*|#)(?P<n>\d{1,2})\b(?!\s*(?:ka size|size))"
)
_PAIR_OF_NUMBERS = re.compile(
    r"\b(?P<a>\d)\s*(?:and|&|vs\.?|versus|with|or|aur|,)\s*(?P<b>\d)\b(?:\s*(?:and|&|,|aur)\s*(?P<c>\d)\b)?"
)
_BOTH = re.compile(r"\b(?:both(?: of (?:them|these|those))?|dono(?:n)?(?: ko)?|these two|those two|the two)\b")
_ALL = re.compile(r"\b(?:all (?:of )?(?:them|these|those|three|four|products|items)|sab(?:hi)?(?: ko)?)\b")
_CHEAPEST = re.compile(
    rf"\b(?:the\s+)?(?:cheapest|cheaper|least expensive|lowest pric(?:ed?|e)|sabse sast[aei])\s+{_THING}(?<!ones)\b|\bsabse sast[aei]\b|\bthe cheap(?:est|er)(?=\s*(?:$|[.,!]|\band\b|\bto\b))"
)
_DEAREST = re.compile(
    rf"\b(?:the\s+)?(?:most expensive|costliest|priciest|dearest|more expensive|sabse mehng[aei])(?:\s+{_THING})?(?<!ones)\b"
)
_BEST_RATED = re.compile(
    r"\b(?:the\s+)?(?:best rated|highest rated|top rated|better rated|best reviewed|best)\s+(?:one|wal[aei]|of (?:them|these|those|the two))\b"
)
_OTHER = re.compile(r"\b(?:the|that) other(?: (?:one|product|item))?\b|\bdusra wala hi\b")
_PRONOUN = re.compile(
    r"\b(?:it|that one|this one|that|this|them|em|'em|those|these|same one|the same|isko|usko|ise|use(?= (?:cart|add|daal|hata))|ye|yeh|wo|woh|vo|wahi|yahi|iska|iski|iske|uska|uski|uske|inko|unko)\b"
)
_NAMED_ONE = re.compile(
    r"\b(?:the|that|this|wo|woh)?\s*(?P<words>(?:[\w§'-]+\s+){1,3}?)(?:one|wal[aei]|vala|vali)\b(?!\s+(?:piece|size))"
)


@dataclass(frozen=True)
class Reference:
    """What the words point at; -1 counts from the end, `words` name it by brand, colour or title."""

    ordinals: tuple[int, ...] = ()
    both: bool = False
    all: bool = False
    pronoun: bool = False
    superlative: Superlative | None = None
    other: bool = False
    words: tuple[str, ...] = ()

    @property
    def any(self) -> bool:
        return self.pointed or self.pronoun

    @property
    def pointed(self) -> bool:
        """More than a bare `it`."""
        return bool(self.ordinals or self.both or self.all or self.superlative or self.other or self.words)


def read_reference(draft: Draft) -> Reference:
    ordinals = _ordinals(draft)
    both, everything = bool(draft.take(_BOTH, "ref")), bool(draft.take(_ALL, "ref"))
    superlative, other = _superlative(draft), bool(draft.take(_OTHER, "ref"))
    words = () if ordinals or superlative or other else _named(draft)
    pronoun = _PRONOUN.search(draft.text) is not None
    return Reference(ordinals, both, everything, pronoun, superlative, other, words)


def _ordinals(draft: Draft) -> tuple[int, ...]:
    several = draft.take(_SEVERAL, "ref")
    if several:
        return tuple(ORDINALS[word] for word in (several["a"], several["c"], several["b"]) if word)
    first = draft.take(_FIRST_N, "ref")
    if first:
        count = int(first["n"]) if first["n"].isdigit() else WORDS[first["n"]]
        return tuple(range(1, count + 1))
    numbered = draft.take_all(_NUMBERED, "ref")
    if numbered:
        return tuple(int(match["n"]) for match in numbered)
    return tuple(
        ORDINALS[match["ord"]] for match in (draft.take(_ORDINAL, "ref"), draft.take(_THE_ORDINAL, "ref")) if match
    )[:1]


def read_number_pair(draft: Draft) -> tuple[int, ...]:
    """`compare 1 and 3`: bare numbers count as ordinals only where a comparison is asked for."""
    match = draft.take(_PAIR_OF_NUMBERS, "ref")
    return tuple(int(number) for number in match.groups() if number) if match else ()


def _superlative(draft: Draft) -> Superlative | None:
    if draft.take(_CHEAPEST, "ref"):
        return "cheapest"
    if draft.take(_DEAREST, "ref"):
        return "dearest"
    return "best_rated" if draft.take(_BEST_RATED, "ref") else None


_EMPTY_WORDS = frozenset(
    [
        "the",
        "that",
        "this",
        "a",
        "an",
        "add",
        "remove",
        "show",
        "me",
        "buy",
        "get",
        "take",
        "order",
        "delete",
        "open",
        "want",
        "need",
        "i",
        "like",
        "prefer",
        "is",
        "of",
        "and",
        "to",
        "with",
        "in",
        "on",
        "for",
        "my",
        "please",
        "no",
        "not",
        "which",
        "any",
        "another",
        "other",
        "same",
        "each",
        "every",
        "some",
        "only",
        "also",
        "more",
        "next",
        "new",
        "good",
        "better",
        "wo",
        "woh",
        "vo",
        "ye",
        "yeh",
        "cheaper",
        "cheap",
        "sasta",
        "mehenga",
        "best",
        "next",
        "pick",
        "choose",
        "compare",
        "cart",
        "from",
        "do",
        "ek",
        "hatao",
        "daal",
        "wala",
        "old",
        "right",
        "wrong",
    ]
)


def _named(draft: Draft) -> tuple[str, ...]:
    match = _NAMED_ONE.search(draft.text)
    if match is None:
        return ()
    return tuple(word for word in match["words"].split() if word not in _EMPTY_WORDS and not word.startswith("§"))
