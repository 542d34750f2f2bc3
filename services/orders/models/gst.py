"""GST rates by category and price of one piece, as dated tables.

Source: the rate notifications that followed the 56th meeting of India's GST Council, in force since 22 September
2025 (slabs of 0, 5 and 18 percent for consumer goods; clothes and shoes at 5 up to ₹2,500 a piece), and the
slabs they replaced. The tables name what a marketplace of this kind sells; everything else has the standard rate.
"""

import re
from dataclasses import dataclass
from datetime import date

STANDARD_RATE = 18
_WORDS = re.compile(r"[a-z0-9-]+")


@dataclass(frozen=True)
class GstRule:
    """Percent for a category whose name has one of these words; `above` holds for pieces dearer than `up_to` paise."""

    words: frozenset[str]
    percent: int
    up_to: int | None = None
    above: int = STANDARD_RATE

    def rate(self, unit_price: int) -> int:
        return self.percent if self.up_to is None or unit_price <= self.up_to else self.above


@dataclass(frozen=True)
class GstTable:
    """`since` is the first day it holds for, in Indian time. Of two rules that fit, the earlier one counts."""

    since: date
    rules: tuple[GstRule, ...]


def _words(names: str) -> frozenset[str]:
    return frozenset(names.split())


_BOOKS = _words("books book newspapers")
_CLOTHES = _words(
    "clothing apparel clothes fashion shirts t-shirts tops dresses jeans trousers jackets kurtas lehengas innerwear"
)
_FABRIC = _words("sarees saree fabric")
_SHOES = _words("shoes footwear sneakers sandals slippers boots heels")
_LINEN = _words("bed bath linen bedsheets towels")
_GROCERIES = _words("groceries grocery food tea coffee spices staples snacks sweets nuts")
_TOYS = _words("toys toy dolls games puzzles")
_BABY = _words("baby feeding nursery diapers")
_HAIR = _words("haircare hair shampoo soap toothpaste")
_COOKWARE = _words("cookware utensils tableware")
_SPORTS = _words("cricket badminton football")

GST_TABLES = (
    GstTable(
        since=date(2025, 9, 22),
        rules=(
            GstRule(_BOOKS, 0),
            GstRule(_FABRIC, 5),
            GstRule(_CLOTHES, 5, up_to=2_500_00),
            GstRule(_SHOES, 5, up_to=2_500_00),
            GstRule(_LINEN, 5, up_to=2_500_00),
            GstRule(_GROCERIES | _TOYS | _BABY | _HAIR | _COOKWARE | _SPORTS, 5),
        ),
    ),
    GstTable(
        since=date(2022, 7, 18),
        rules=(
            GstRule(_BOOKS, 0),
            GstRule(_FABRIC, 5),
            GstRule(_CLOTHES | _LINEN, 5, up_to=1_000_00, above=12),
            GstRule(_SHOES, 12, up_to=1_000_00),
            GstRule(_GROCERIES, 5),
            GstRule(_TOYS | _BABY | _COOKWARE | _SPORTS, 12),
        ),
    ),
)
"""Newest first. Days before the oldest table are taxed by it."""


def gst_rate(category: str, unit_price: int, day: date) -> int:
    """Percent for one piece at `unit_price` paise (GST included) sold on `day`.

    `category` is a path such as `Women's Clothing > Sarees`; the most specific part that has a rule decides.
    """
    table = next((table for table in GST_TABLES if table.since <= day), GST_TABLES[-1])
    for part in reversed(re.split(r"[>/]", category.casefold())):
        words = set(_WORDS.findall(part))
        for rule in table.rules:
            if rule.words & words:
                return rule.rate(unit_price)
    return STANDARD_RATE
