"""What changes in the daily sums when facts change. Pure."""

from collections import Counter
from collections.abc import Mapping
from datetime import date

from services.sellers.models.facts import OrderFact, Tally

DayKey = tuple[str, date]
"""Seller and day of confirmation."""
PlacedKey = tuple[str, date, str]
"""Seller, day of placing and status."""


def day_changes(before: Mapping[str, OrderFact], after: Mapping[str, OrderFact]) -> dict[DayKey, Tally]:
    """Old parts counted out, new ones in; facts are by key."""
    changes: dict[DayKey, Tally] = {}
    for facts, sign in ((before, -1), (after, 1)):
        for fact in facts.values():
            if fact.counts_on:
                changes.setdefault((fact.seller_id, fact.counts_on), Tally()).add(fact, sign)
    return changes


def placed_changes(before: Mapping[str, OrderFact], after: Mapping[str, OrderFact]) -> dict[PlacedKey, int]:
    changes: Counter[PlacedKey] = Counter()
    for facts, sign in ((before, -1), (after, 1)):
        for fact in facts.values():
            changes[fact.seller_id, fact.placed_on, fact.status] += sign
    return {key: change for key, change in changes.items() if change}
