"""Amounts and counts as sentences write them: `₹1,499`, `Rs 1499/-`, `1,499 rupees`, `1.5k`, `two thousand rupees`."""

import re
import unicodedata
from collections.abc import Iterator

_UNITS = {
    "zero": 0, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9,
    "ten": 10, "eleven": 11, "twelve": 12, "thirteen": 13, "fourteen": 14, "fifteen": 15, "sixteen": 16,
    "seventeen": 17, "eighteen": 18, "nineteen": 19, "twenty": 20, "thirty": 30, "forty": 40, "fifty": 50, "sixty": 60,
    "seventy": 70, "eighty": 80, "ninety": 90, "dozen": 12,
}  # fmt: skip
_SCALES = {
    "hundred": 100, "k": 1_000, "thousand": 1_000, "lakh": 100_000, "lakhs": 100_000, "lac": 100_000,
    "lacs": 100_000, "crore": 10_000_000, "crores": 10_000_000,
}  # fmt: skip
_DIGITS = r"\d[\d,]*(?:\.\d+)?"
_SCALE = r"(?:k|thousand|lakhs?|lacs?|crores?)"
_SPELLED = (
    rf"(?:{'|'.join(_UNITS)})(?:[\s-]+(?:and\s+)?(?:{'|'.join([*_UNITS, 'hundred', 'thousand', 'lakh', 'crore'])}))*"
)
_CURRENCY = r"(?:₹|\brs\b\.?|\binr\b|\brupees?\b|[$€£]|\busd\b)"
_AFTER = r"(?:rupees?|rs\b|inr\b|bucks|dollars?|usd\b|euros?)"
_LED = re.compile(rf"{_CURRENCY}\s*(?P<n>{_DIGITS})(?:\s*(?P<scale>{_SCALE})\b)?", re.IGNORECASE)
_TRAILED = re.compile(
    rf"(?<![\w₹.,])(?P<n>{_DIGITS}|{_SPELLED})\s*(?P<scale>{_SCALE})?\s*(?:{_AFTER}|/-)", re.IGNORECASE
)
_BARE_SCALED = re.compile(rf"(?<![\w₹.,])(?P<n>{_DIGITS})\s*(?P<scale>k|lakhs?|lacs?|crores?)\b", re.IGNORECASE)
_COUNTED = (
    r"products?|items?|results?|orders?|units?|options?|left|in stock|available|pieces?|pairs?|address(?:es)?|reviews?"
    r"|ratings?|buyers|sizes|colours|colors|variants?|days?|hours?|weeks?|minutes?|of (?:them|these|those|it)|[×x]\s"
)
_COUNT = re.compile(
    rf"(?<![\w₹.,#_-])(?P<n>\d[\d,]*|{_SPELLED})\s+(?:(?!and\b|or\b)[\w-]+\s+)?(?:{_COUNTED})", re.IGNORECASE
)
_TIMES = re.compile(r"(?<![\w₹.,])(?P<n>\d{1,6})\s*×")
_PERCENT = re.compile(rf"(?<![\w.])(?P<n>{_DIGITS})\s*(?:%|per ?cent\b)", re.IGNORECASE)


def legible(text: str) -> str:
    """Without invisible characters and look-alike forms, so that what is read is what is checked."""
    plain = unicodedata.normalize("NFKC", text)
    return "".join(c for c in plain if unicodedata.category(c) != "Cf")


def amounts(text: str) -> set[int]:
    """All sums of money in a text, in paise."""
    return {paise for pattern in (_LED, _TRAILED, _BARE_SCALED) for paise in _paise(pattern, text)}


def _paise(pattern: re.Pattern[str], text: str) -> Iterator[int]:
    for found in pattern.finditer(text):
        value = number(found["n"])
        if value is not None:
            yield round(value * _SCALES.get((found["scale"] or "").lower(), 1) * 100)


def counts(text: str) -> set[int]:
    """How many of something a text speaks of, percentages among them."""
    found = (match["n"] for pattern in (_COUNT, _TIMES, _PERCENT) for match in pattern.finditer(text))
    values = (number(said) for said in found)
    return {round(value) for value in values if value is not None}


def number(said: str) -> float | None:
    """`1,499` or `fifteen hundred`; None for what is neither."""
    if said[0].isdigit():
        return float(said.rstrip(",").replace(",", ""))
    total = part = 0
    for word in re.findall(r"[a-z]+", said.lower()):
        if word in _UNITS:
            part += _UNITS[word]
        elif word == "hundred":
            part = max(part, 1) * 100
        elif word in _SCALES:
            total, part = total + max(part, 1) * _SCALES[word], 0
        elif word != "and":
            return None
    return float(total + part)
