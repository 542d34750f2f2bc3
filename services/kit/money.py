"""Money: integers in minor units (paise) beside an ISO 4217 currency, from the database to the wire."""

import re
from collections.abc import Sequence
from decimal import Decimal
from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from services.kit.wire import Wire

MAX_PAISE = 10**12  # ten billion rupees: far above any order, far below 2**53
_RUPEES = re.compile(r"^\d{1,10}(\.\d{1,2})?$")


class Money(Wire):
    """An amount in minor units. Adding or comparing two currencies raises ValueError."""

    amount: int
    currency: str = "INR"

    def __add__(self, other: "Money") -> "Money":
        return Money(amount=self.amount + self._same(other), currency=self.currency)

    def __sub__(self, other: "Money") -> "Money":
        return Money(amount=self.amount - self._same(other), currency=self.currency)

    def __mul__(self, times: int) -> "Money":
        return Money(amount=self.amount * times, currency=self.currency)

    def _same(self, other: "Money") -> int:
        if other.currency != self.currency:
            raise ValueError(f"cannot mix {self.currency} with {other.currency}")
        return other.amount

    def text(self) -> str:
        """For people: ₹1,23,456 or ₹1,499.50 (Indian grouping)."""
        sign = "-" if self.amount < 0 else ""
        rupees, paise = divmod(abs(self.amount), 100)
        fraction = f".{paise:02d}" if paise else ""
        symbol = "₹" if self.currency == "INR" else f"{self.currency} "
        return f"{sign}{symbol}{_indian(rupees)}{fraction}"


def inr(amount: int) -> Money:
    return Money(amount=amount)


def total(amounts: Sequence[int]) -> int:
    return sum(amounts)


def _indian(rupees: int) -> str:
    head, tail = divmod(rupees, 1000)
    if not head:
        return str(tail)
    groups = [f"{tail:03d}"]
    while head:
        head, group = divmod(head, 100)
        groups.append(f"{group:02d}" if head else str(group))
    return ",".join(reversed(groups))


def paise_from_rupees(value: Any) -> int:
    """Rupees as a client writes them (number or decimal string, at most two decimals) → paise.

    Raises ValueError for anything else: negative, three decimals, NaN, words, booleans.
    """
    if isinstance(value, bool) or not isinstance(value, int | float | str | Decimal):
        raise ValueError("a price is a number of rupees, at most two decimals")  # noqa: TRY004 - pydantic wants ValueError
    text = format(Decimal(repr(value)), "f") if isinstance(value, float) else str(value).strip()
    text = text.removesuffix(".0")
    if not _RUPEES.match(text):
        raise ValueError("a price is a number of rupees from 0 to 9999999999.99, at most two decimals")
    return int(Decimal(text) * 100)


RupeesIn = Annotated[int, BeforeValidator(paise_from_rupees, json_schema_input_type=float | str), Field(ge=0)]
"""A request field or parameter in rupees that is paise once inside."""


def split_by_largest_remainder(amount: int, weights: Sequence[int]) -> list[int]:
    """Split `amount` (≥ 0) in proportion to `weights` so that the parts add up exactly (Hamilton's method)."""
    whole = sum(weights)
    if whole <= 0:
        return _evenly(amount, len(weights))
    parts = [amount * weight // whole for weight in weights]
    by_remainder = sorted(range(len(weights)), key=lambda i: (-(amount * weights[i] % whole), i))
    for i in by_remainder[: amount - sum(parts)]:
        parts[i] += 1
    return parts


def _evenly(amount: int, count: int) -> list[int]:
    if not count:
        return []
    base, rest = divmod(amount, count)
    return [base + (1 if i < rest else 0) for i in range(count)]


def round_half_up(numerator: int, denominator: int) -> int:
    """⌊numerator / denominator + ½⌋ for non-negative integers."""
    return (2 * numerator + denominator) // (2 * denominator)
