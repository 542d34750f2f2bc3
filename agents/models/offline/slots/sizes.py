# ruff: noqa: E501 - patterns and word lists read best unbroken
"""Sizes: numbers, letters, and whatever the catalogue calls a size."""

import re

from agents.models.offline.slots.draft import Draft
from agents.models.offline.slots.lexicon import Lexicon

_LETTER_WORDS = {
    "small": "s", "medium": "m", "large": "l", "extra large": "xl", "x large": "xl", "x-large": "xl",
    "xx-large": "xxl", "xx large": "xxl", "double xl": "xxl", "2xl": "xxl", "2 xl": "xxl", "extra small": "xs",
    "x-small": "xs", "3xl": "xxxl", "free": "free size",
}  # fmt: skip
_LETTER = (
    r"xxxl|xxl|xl|xs|[2-5]\s?xl|s|m|l|x{1,3}[- ]?large|x[- ]small|extra large|extra small|double xl|small|medium|large"
)
_NUMBER = r"\d{1,2}(?:\.5)?"
_UNIT = r"(?!\s*[-.]?\s*(?:\d|inch|in\b|cm|mm|oz|ounce|ml|l\b|ft|foot|feet|gb|kg|g\b|fl|pack|count|x\b|by\b|%|w\b|mah|hundred|k\b|thousand))"
_ASKED = re.compile(
    rf"\b(?:in\s+)?(?:a\s+)?(?:size|sized|sz|saiz|siz)\s*(?:is|of|no\.?|number|:|=|uk|us|eu)?\s*(?P<size>{_NUMBER}|{_LETTER})\b{_UNIT}(?:\s+(?:years?|months?))?"
)
_SYSTEM = re.compile(rf"\b(?:uk|us|eu|ind|india)\s*-?\s*(?:size\s*)?(?P<size>{_NUMBER})\b{_UNIT}")
_NUMBER_AFTER = re.compile(
    rf"\b(?P<size>{_NUMBER})\s*(?:number|no\.?|num|nmbr|size|sz)\b(?!\s*\d)(?:\s*(?:ka|ke|ki|mein|me|wal[aei]))?"
)
_LETTER_AFTER = re.compile(rf"\b(?P<size>{_LETTER})\s*(?:size|sz)\b(?:\s*(?:ka|ke|ki|mein|me|wal[aei]))?")
_LETTER_ALONE = re.compile(
    r"(?<![\w'-])(?:in\s+)?(?P<size>double xl|extra large|extra small|xxxl|xxl|xl|xs|[2-5]\s?xl|xx-large|x-large|xx large|x large)\b"
)
_IN_LETTER = re.compile(r"\bin (?:a )?(?P<size>s|m|l|small|medium|large)\b(?=\s*(?:$|[.,!?§]|and\b|under\b|please\b))")


def read_size(draft: Draft, lexicon: Lexicon) -> str | None:
    """The size asked for, in the catalogue's own writing where it has it."""
    for pattern in (_ASKED, _SYSTEM, _NUMBER_AFTER, _LETTER_AFTER, _LETTER_ALONE, _IN_LETTER):
        match = draft.take(pattern, "size")
        if match:
            return as_catalogued(match["size"], lexicon)
    return None


def as_catalogued(said: str, lexicon: Lexicon) -> str:
    plain = canonical(said)
    return lexicon.sizes.get(plain) or lexicon.sizes.get(said.strip().lower()) or plain.upper()


def canonical(said: str) -> str:
    """`UK 9`, `size 9` and `9` are one; so are `Medium` and `m`."""
    plain = re.sub(r"^(?:uk|us|eu|ind|size|number)\s*", "", said.lower().replace("–", "-").strip())
    return _LETTER_WORDS.get(plain, _LETTER_WORDS.get(plain.replace(" ", ""), plain))
