# ruff: noqa: E501 - patterns and word lists read best unbroken
"""Prices and ranges: amounts in rupees out of a sentence."""

import re
from dataclasses import dataclass

from agents.models.offline.slots.draft import Draft
from agents.models.offline.slots.numbers import FRACTIONS, SCALES, WORDS, alternatives, value

_LEAST_BARE = 50  # a bare "above 4" or "3-4" is hardly a price
_AROUND = 0.2
_RS = r"(?:rs\.?|inr|rupees?|rupaye|rupay|rupiya|rupaiye|bucks)"
_UNITS = (
    r"(?:inch(?:es)?|in\b|cm|mm|m\b|metres?|meters?|kgs?|g\b|gm|gms|grams?|ml|l\b|lit(?:re|er)s?|oz|ounces?|fl|ft|foot|"
    r"feet|gb|tb|mb|mah|w\b|watts?|v\b|volts?|hz|mp|days?|hours?|hrs?|minutes?|mins?|years?|yrs?|months?|weeks?|packs?|pieces?|pcs|"
    r"people|guests|person|stars?|star|%|percent|counts?|ct|x\b|pairs?|items?|products?|options?|lbs?|pounds?|dollars?|usd|euros?|eur\b|\$|k\s*hz|rating)"
)
_NUMBER = rf"(?>\d+(?:\.\d+)?)|\b(?:{alternatives(WORDS)}|{alternatives(FRACTIONS)})(?=\s+(?:{alternatives(SCALES)})\b)"


def _amount(name: str) -> str:
    return (
        rf"(?P<cur_{name}>{_RS}\s*)?(?P<num_{name}>{_NUMBER})(?![\d:])"
        rf"(?:\s*(?P<scale_{name}>{alternatives(SCALES)})\b)?(?P<after_{name}>\s*{_RS}(?![a-z]))?"
        rf"(?!\s*-?\s*{_UNITS})"
    )


def _compile(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)


_RANGES = tuple(
    map(
        _compile,
        (
            rf"\b(?:between|from|btw)\s+{_amount('a')}\s*(?:and|to|se|-|&)\s*{_amount('b')}(?:\s+(?:tak|ke beech))?",
            rf"{_amount('a')}\s*(?:-|to|se)\s*{_amount('b')}(?:\s+(?:tak|ke beech(?: mein| me)?))?",
        ),
    )
)
_BELOW = tuple(
    map(
        _compile,
        (
            (
                r"\b(?:(?:priced?|costs?|costing|budget)\s+)?(?:that (?:is|are) )?(?:under|belo?w|less th[ae]n|lesser than|lower than|cheaper than|upto|up to|"
                r"within|max(?:imum)?(?: of)?|not more than|no more than|at most|not above|not over|no higher than|"
                r"for less than|undr|unde?r?neath|ceiling of|beneath|spend(?:ing)?(?: up to| upto)?|budget(?: is| of|:)?(?: around| about)?|"
                rf"mera budget(?: hai)?|limit(?: is| of)?)\s+{_amount('a')}"
            ),
            rf"(?:<=?)\s*{_amount('a')}",
            rf"{_amount('a')}\s*(?:se (?:kam|neeche|niche|sast[aei])|tak|ke (?:andar|under|neeche|niche)|or less|or below|or under|and (?:below|under)|max\b|budget)(?:\s+(?:ka|ke|ki|wal[aei]))*",
        ),
    )
)
_ABOVE = tuple(
    map(
        _compile,
        (
            rf"\b(?<!not )(?<!no )(?:priced?\s+)?(?:above|over|more than|greater than|higher than|at least|atleast|min(?:imum)?(?: of)?|starting(?: from| at)?|upwards of|not (?:under|below|less than))\s+{_amount('a')}",
            rf"(?:>=?)\s*{_amount('a')}",
            rf"{_amount('a')}\s*(?:se (?:zyada|jyada|upar|uper|mehng[aei])|ke (?:upar|uper)|and (?:above|up|over)|or (?:more|above)|onwards|plus\b|\+)",
        ),
    )
)
_NEAR = tuple(
    map(
        _compile,
        (
            rf"(?:\b(?:around|about|approx(?:imately)?\.?|roughly|near(?:ly)?|close to|lagbhag|kareeb|some)|~)\s*{_amount('a')}",
            rf"{_amount('a')}\s*(?:ke (?:aas ?paas|karib|kareeb)|approx|ish\b|or so\b)",
        ),
    )
)
_NAMED = _compile(
    rf"\b(?:(?:for|in|at|of|@|price(?:d at)?|worth)\s+)?{_amount('a')}(?:\s*(?:ka|ke|ki|mein|me|main|wal[aei]))*"
)
_FOR = _compile(rf"\b(?:for|in)\s+{_amount('a')}\s*(?:$|[.,!])")


@dataclass(frozen=True)
class Prices:
    """Bounds in rupees; None is open."""

    low: float | None = None
    high: float | None = None

    @property
    def any(self) -> bool:
        return self.low is not None or self.high is not None


def read_prices(draft: Draft) -> Prices:
    """The bounds a sentence sets; later mentions fill what the first left open."""
    found = _range(draft)
    if found.any:
        return found
    low, high = _bound(draft, _ABOVE), _bound(draft, _BELOW)
    if low is None and high is None:
        return _near(draft)
    return Prices(low, high)


def _range(draft: Draft) -> Prices:
    for position, pattern in enumerate(_RANGES):
        for match in pattern.finditer(draft.text):
            low, high = _pair(match)
            if low is not None and high is not None and (position == 0 or _clear(match, "b", high)) and low < high:
                draft.cut(match.start(), match.end(), "price")
                return Prices(low, high)
    return Prices()


def _pair(match: re.Match[str]) -> tuple[float | None, float | None]:
    high = _value(match, "b")
    low = _value(match, "a")
    if (
        low is not None
        and high is not None
        and match["scale_b"]
        and not match["scale_a"]
        and low < high / SCALES[match["scale_b"]]
    ):
        low *= SCALES[match["scale_b"]]
    return low, high


def _bound(draft: Draft, patterns: tuple[re.Pattern[str], ...]) -> float | None:
    for pattern in patterns:
        for match in pattern.finditer(draft.text):
            amount = _value(match, "a")
            if amount is not None and _clear(match, "a", amount):
                draft.cut(match.start(), match.end(), "price")
                return amount
    return None


def _near(draft: Draft) -> Prices:
    amount = _bound(draft, _NEAR)
    if amount is not None:
        return Prices(round(amount * (1 - _AROUND)), round(amount * (1 + _AROUND)))
    return Prices(None, _named(draft))


def _named(draft: Draft) -> float | None:
    for match in _NAMED.finditer(draft.text):
        if match["cur_a"] or match["after_a"] or (match["scale_a"] and match["scale_a"] not in {"hundred", "cr"}):
            draft.cut(match.start(), match.end(), "price")
            return _value(match, "a")
    return _bound(draft, (_FOR,))


def _clear(match: re.Match[str], name: str, amount: float) -> bool:
    return amount >= _LEAST_BARE or bool(match[f"cur_{name}"] or match[f"after_{name}"] or match[f"scale_{name}"])


def _value(match: re.Match[str], name: str) -> float | None:
    amount = value(match[f"num_{name}"], match[f"scale_{name}"])
    return int(amount) if amount is not None and amount == int(amount) else amount
