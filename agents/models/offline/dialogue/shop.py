# ruff: noqa: E501 - patterns and word lists read best unbroken
"""A seller's questions about the shop."""

import re
from typing import Any

from agents.models.offline.dialogue.wish import Wish
from agents.models.offline.moves import Move, Say, act
from agents.models.offline.slots.draft import normalise
from agents.models.offline.slots.numbers import WORDS
from agents.models.offline.turn import Turn

Patterns = tuple[tuple[str, re.Pattern[str]], ...]


def _patterns(**words: str) -> Patterns:
    return tuple((name, re.compile(rf"\b(?:{pattern})\b")) for name, pattern in words.items())


_METRICS = _patterns(
    average_order_value=r"average (?:order|basket)(?: value| size)?|aov|avg order(?: value)?",
    cancellations=r"cancel\w*",
    returns=r"returns?|return(?:ed)? (?:rate|orders)|retruns?",
    units=r"units?|pieces|items sold|how many .*(?:sold|sell)|kitn[aei] (?:piece|becha)|quantity",
    orders=r"orders?|oders?",
    revenue=r"revenue|revnue|sales?|turnover|earn\w*|income|money|bikri|kamai|sell\w*|sold|becha|bika|perform\w*|doing|numbers",
)
_PERIODS = _patterns(
    last_7_days=r"(?:last|past|previous) (?:7|seven) days|pichle (?:7|saat) din",
    last_30_days=r"(?:last|past|previous) (?:30|thirty) days|pichle (?:30|tees) din",
    yesterday=r"yesterday|kal|yesterdays",
    today=r"today|aaj|todays|so far today",
    last_week=r"(?:last|previous|past) week|pichle? haft[ae]",
    this_week=r"this week|is haft[ae]|week so far",
    last_month=r"(?:last|previous|past) month|pichle? mah?i?n[ae]h?",
    this_month=r"this month(?:'s)?|is mah?i?n[ae]h?|month so far",
    last_quarter=r"(?:last|previous) quarter",
    this_quarter=r"this quarter|the quarter",
    last_year=r"(?:last|previous) year|pichle? saal",
    this_year=r"this year|is saal|year to date|ytd",
)
_GROUPS = _patterns(
    payment_method=r"(?:by|per|each) payment(?: method)?s?",
    category=r"(?:by|per|each|which|wise) categor\w+|category[- ]wise",
    brand=r"(?:by|per|each|which) brands?|brand[- ]wise",
    city=r"(?:by|per|each|which) cit\w+|city[- ]wise",
    product=r"(?:by|per|each|which|my) products?|product[- ]wise|(?:top|best|worst|bottom)\b.*(?:product|sell|item)\w*|products? (?:sell|sold)\w*|sell\w* (?:the )?(?:best|most|worst|least)|sabse (?:zyada|jyada|kam) (?:kya )?bik\w*",
    day=r"(?:by|per|each) day|daily|day[- ]wise|trend",
    week=r"(?:by|per|each) week|weekly",
    month=r"(?:by|per|each) month|monthly",
)
_ASCENDING = re.compile(r"\b(?:worst|bottom|least|lowest|slowest|sabse kam)\b")
_DESCENDING = re.compile(r"\b(?:best|top|most|highest|sabse (?:zyada|jyada))\b")
_COUNT = re.compile(rf"\b(?:top|bottom|best|worst|first)\s+(?P<n>\d{{1,2}}|{'|'.join(WORDS)})\b")
_YEAR_AGO = re.compile(
    r"\b(?:compar\w*|vs\.?|versus|against|than|with)\b.*\b(?:last year|year ago|same (?:period|month|time) last year)\b"
)
_COMPARED = re.compile(r"\b(?:compar\w*|vs\.?|versus|against|change|growth|grow\w*|better than|previous period)\b")
_STATUSES = _patterns(
    confirmed=r"to ship|unshipped|confirmed|dispatch|bhejne?|need to ship|open|to be shipped|waiting",
    shipped=r"(?<!be )shipped",
    pending=r"pending",
    delivered=r"delivered",
    cancelled=r"cancell?ed",
    returned=r"returned",
)
_LOW = re.compile(
    r"\b(?:low|running out|restock|re-?order|out of stock|khatam|sell out|about to|less stock|kam stock|stok? kam)\b"
)
_DEFAULT_PERIOD = "last_30_days"


def about_a_shop(turn: Turn, said: str) -> bool:
    """`orders today`, asked by a seller who does not say `my orders`, is about the shop."""
    words = normalise(said)
    asked = turn.bound is not None and turn.may_call("seller_metrics")
    return asked and bool(_all(_PERIODS, words)) and not re.search(r"\bmy orders?\b|\bi (?:order|buy|bought)", words)


def seller_metrics(wish: Wish) -> Move | None:
    plan, told = metric_plan(wish.slots.said), wish.done("seller_metrics")
    if told is None:
        return act("seller_metrics", **plan)
    if told.ok and "group_by" in plan and "group_by" not in told.args:
        return Say("no_breakdown", {"by": plan["group_by"].replace("_", " ")})
    return None


def metric_plan(said: str) -> dict[str, Any]:
    """Metric, period and shape of the answer out of a question."""
    words = normalise(said)
    periods = _all(_PERIODS, words)
    plan: dict[str, Any] = {
        "metric": _first(_METRICS, words) or "revenue",
        "period": _asked_period(words, periods),
        "group_by": _first(_GROUPS, words),
        "compare_to": _compared_to(words, periods),
    }
    return {name: value for name, value in (plan | _ranking(words, plan["group_by"])).items() if value is not None}


def _asked_period(words: str, periods: list[str]) -> str:
    if not periods:
        return _DEFAULT_PERIOD
    if _COMPARED.search(words) and any(name.startswith("this") or name == "today" for name in periods):
        return next(name for name in periods if name.startswith("this") or name == "today")
    return min(periods, key=lambda name: dict(_PERIODS)[name].search(words).start())  # type: ignore[union-attr]


def _compared_to(words: str, periods: list[str]) -> str | None:
    if _YEAR_AGO.search(words) and "this_year" not in periods:
        return "same_period_last_year"
    return "previous_period" if _COMPARED.search(words) or len(periods) > 1 else None


def _ranking(words: str, group: str | None) -> dict[str, Any]:
    if group is None or not (_ASCENDING.search(words) or _DESCENDING.search(words)):
        return {}
    count = _COUNT.search(words)
    order = "asc" if _ASCENDING.search(words) else "desc"
    return {"order": order, "limit": _number(count["n"]) if count else 5}


def _number(said: str) -> int:
    return int(said) if said.isdigit() else WORDS[said]


def _first(patterns: Patterns, words: str) -> str | None:
    return next((name for name, pattern in patterns if pattern.search(words)), None)


def _all(patterns: Patterns, words: str) -> list[str]:
    return [name for name, pattern in patterns if pattern.search(words)]


def seller_orders(wish: Wish) -> Move | None:
    if wish.done("seller_orders"):
        return None
    return act("seller_orders", status=_first(_STATUSES, normalise(wish.slots.said)))


def seller_inventory(wish: Wish) -> Move | None:
    if wish.done("seller_inventory"):
        return None
    return act("seller_inventory", low_stock=True if _LOW.search(normalise(wish.slots.said)) else None)
