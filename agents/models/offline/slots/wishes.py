# ruff: noqa: E501 - patterns and word lists read best unbroken
"""What is not wanted, how to sort, how well rated."""

import re

from agents.models.offline.slots.draft import Draft
from agents.models.offline.slots.lexicon import Lexicon
from services.contracts.catalog import Sort

MATERIALS = frozenset(
    [
        "leather",
        "cotton",
        "polyester",
        "plastic",
        "wool",
        "woollen",
        "silk",
        "denim",
        "nylon",
        "steel",
        "glass",
        "wood",
        "wooden",
        "linen",
        "rayon",
        "suede",
        "rubber",
        "metal",
        "fur",
        "canvas",
        "jute",
        "velvet",
        "satin",
        "mesh",
        "acrylic",
        "ceramic",
        "aluminium",
        "iron",
        "brass",
        "copper",
        "synthetic",
    ]
)
_NOT = re.compile(
    r"(?:,\s*|\bbut\s+)?\b(?:not|no|without|except(?: for)?|excluding|exclude|other than|anything but|apart from|avoid|minus|don'?t want|do not want|bina)\s+"
    r"(?!(?:sure|now|today|bad|more|less|above|over|under|below|yet|thanks|only|just|too|the first|problem|in|working|need|it\b|that\b|this\b|me\b|\d|a\b|any\b|one\b|delivered|received|able|interested|getting|coming|matter|idea|longer|of\b|there\b|at\b|sugar|gmo|slip))"
    r"(?:any\s+|in\s+|the\s+|from\s+|made of\s+)?(?P<what>[\w'-]+(?:\s*(?:,|or|and|&|nor)\s*(?:not\s+|no\s+)?[\w'-]+)?)(?:\s+(?:ones?|please|material|brand|colou?r))?"
)
_NAHI = re.compile(r"\b(?P<what>[\w'-]+)\s+(?:nahi|nahin|mat|na)\s*(?:chahiye|dikhao|ho|wal[aei])?\b")
_SPLIT = re.compile(r"\s*(?:,|\bor\b|\band\b|&|\bnor\b|\bnot\b|\bno\b)\s*")
_SORTS: tuple[tuple[re.Pattern[str], Sort], ...] = (
    (re.compile(r"\b(?:sort(?:ed)? by )?(?:cheapest(?: first)?|lowest pric\w*(?: first)?|price,? low(?:est)? to high(?:est)?|low to high|least expensive|sabse sast[aei]|sast[aei] (?:pehle|wala pehle)|most affordable|cheap(?:er)? first|(?:costs?|costing) (?:the )?least|lowest in price|lowest)\b"), "price_asc"),
    (re.compile(r"\b(?:sort(?:ed)? by )?(?:most expensive(?: first)?|costliest|priciest|highest pric\w*(?: first)?|price,? high(?:est)? to low(?:est)?|high to low|sabse mehng[aei])\b"), "price_desc"),
    (re.compile(r"\b(?:sort(?:ed)? by )?(?:best[- ]rated|top[- ]rated|highest[- ]rated|highly[- ]rated|best[- ]reviewed|best reviews?|well[- ]rated|by ratings?|sort(?:ed)? by ratings?|rating wise|most loved|sabse achh?[aei])\b"), "rating"),
    (re.compile(r"\b(?:sort(?:ed)? by )?(?:newest(?: first| arrivals)?|latest(?: arrivals)?|new(?:ly)? (?:arrivals?|launch\w*|added)|just launched|most recent|recently added|naya wala|naye wale)\b"), "newest"),
    (re.compile(r"\b(?:(?:sort|order|arrange|rank)(?:ed)?(?: \w+)? (?:by|on) (?:the )?(?:price|cost)s?|by (?:price|cost)|price wise)\b"), "price_asc"),
    (re.compile(r"\b(?:(?:sort|order|arrange|rank)(?:ed)?(?: \w+)? (?:by|on) (?:the )?ratings?|rating ke hisab)\b"), "rating"),
)  # fmt: skip
_RATING = re.compile(
    r"\b(?:with\s+)?(?:(?:at least|atleast|above|over|more than|minimum|min|rated|rating(?:s)?(?: of| above| over| at least)?|reviews? above)\s+)+(?P<a>[1-5](?:\.\d)?)\s*(?:\+|stars?|star rating|and (?:up|above)|or (?:more|above|higher|better)|plus|out of 5|/5|rating|se upar)*"
    r"|\b(?P<b>[1-5](?:\.\d)?)\s*\+?\s*(?:stars?|star)(?:\s*(?:ratings?|and (?:up|above|more)|or (?:more|above|higher|better)|plus|\+|rated|se upar))*"
    r"|\b(?P<c>[1-5](?:\.\d)?)\s*(?:\+\s*rat(?:ed|ing)|plus rat(?:ed|ing)|rating (?:se upar|and (?:up|above)))"
)
_RATED_WORDS = re.compile(r"\brat(?:ed|ing)|star")
_GOOD = re.compile(r"\b(?:with\s+)?good (?:ratings?|reviews?)\b")


def read_exclusions(draft: Draft, lexicon: Lexicon) -> dict[str, list[str]]:
    """Field → values that must not come: catalogue words, or a material."""
    unwanted: dict[str, list[str]] = {}
    for pattern in (_NOT, _NAHI):
        for match in list(pattern.finditer(draft.text))[::-1]:
            named = _fields_of(match["what"], lexicon)[::-1]
            if named:
                draft.cut(match.start(), match.end(), "not")
                for field, value in named:
                    unwanted.setdefault(field, []).append(value)
    return {field: list(dict.fromkeys(reversed(values))) for field, values in unwanted.items()}


def _fields_of(what: str, lexicon: Lexicon) -> list[tuple[str, str]]:
    named: list[tuple[str, str]] = []
    for word in _SPLIT.split(what):
        known = lexicon.find(word)
        if known:
            named.append((known[0].field, known[0].value))
        elif word in MATERIALS:
            named.append(("material", word))
    return named


def read_sort(draft: Draft) -> Sort | None:
    for pattern, sort in _SORTS:
        if draft.take(pattern, "sort"):
            return sort
    return None


def read_rating(draft: Draft) -> float | None:
    for match in _RATING.finditer(draft.text):
        if match["b"] or match["c"] or _RATED_WORDS.search(match.group()):
            draft.cut(match.start(), match.end(), "rating")
            return float(match["a"] or match["b"] or match["c"])
    return 4.0 if draft.take(_GOOD, "rating") else None
