"""Periods of the dashboard, in days of Indian time; weeks start on Monday."""

import re
from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta, timezone

from services.contracts.sellers import Grain, Period, PeriodInvalid

IST = timezone(timedelta(hours=5, minutes=30))
LONGEST_DAYS = 400

_ONE_DAY = timedelta(days=1)
_RANGE = re.compile(r"^([0-9]{4}-[0-9]{2}-[0-9]{2})\.\.([0-9]{4}-[0-9]{2}-[0-9]{2})$")
_ROLLING = {"today": (0, 1), "yesterday": (1, 1), "last_7_days": (0, 7), "last_30_days": (0, 30)}
"""Name → days back to the last day, and length."""

Unit = Callable[[date], date]
"""The first day of the week, month, quarter or year that holds a day."""


def indian_day(moment: datetime) -> date:
    return moment.astimezone(IST).date()


def week_of(day: date) -> date:
    return day - timedelta(days=day.weekday())


def month_of(day: date) -> date:
    return day.replace(day=1)


def quarter_of(day: date) -> date:
    return day.replace(month=(day.month - 1) // 3 * 3 + 1, day=1)


def year_of(day: date) -> date:
    return day.replace(month=1, day=1)


_UNITS: dict[str, Unit] = {"week": week_of, "month": month_of, "quarter": quarter_of, "year": year_of}
NAMES = (*_ROLLING, *(f"{which}_{unit}" for unit in _UNITS for which in ("this", "last")))


def resolve(name: str, today: date) -> tuple[Period, Period]:
    """The period and the one to compare with.

    `this_month` runs to today and is compared with as many days of last month; whole weeks, months, quarters and
    years with the one before; everything else with the days directly before. Raises PeriodInvalid.
    """
    if name in _ROLLING:
        back, length = _ROLLING[name]
        end = today - timedelta(days=back)
        return _beside_the_days_before(Period(start=end - timedelta(days=length - 1), end=end))
    which, _, unit = name.partition("_")
    if unit in _UNITS and which in {"this", "last"}:
        return _calendar(which, _UNITS[unit], today)
    return _beside_the_days_before(_range(name))


def _calendar(which: str, first_day: Unit, today: date) -> tuple[Period, Period]:
    this = Period(start=first_day(today), end=today)
    before = _whole_before(this.start, first_day)
    if which == "last":
        return before, _whole_before(before.start, first_day)
    as_far = min(before.end, before.start + (this.end - this.start))
    return this, Period(start=before.start, end=as_far)


def _whole_before(start: date, first_day: Unit) -> Period:
    end = start - _ONE_DAY
    return Period(start=first_day(end), end=end)


def _beside_the_days_before(period: Period) -> tuple[Period, Period]:
    length = period.end - period.start
    try:
        end = period.start - _ONE_DAY
        return period, Period(start=end - length, end=end)
    except OverflowError as error:
        raise _invalid("there are no days before this period to compare with") from error


def _range(text: str) -> Period:
    found = _RANGE.match(text)
    if not found:
        raise _invalid(f"a period is one of {', '.join(NAMES)} or two dates such as 2026-01-01..2026-01-31")
    try:
        start, end = date.fromisoformat(found[1]), date.fromisoformat(found[2])
    except ValueError as error:
        raise _invalid(f"{text} holds a date that is not in the calendar") from error
    if start > end:
        raise _invalid("a period starts before it ends")
    if (end - start).days >= LONGEST_DAYS:
        raise _invalid(f"a period has at most {LONGEST_DAYS} days")
    return Period(start=start, end=end)


def _invalid(message: str) -> PeriodInvalid:
    return PeriodInvalid(message, field="period")


def days(period: Period) -> Iterator[date]:
    return (period.start + timedelta(days=n) for n in range((period.end - period.start).days + 1))


def bucket_start(day: date, grain: Grain, period: Period) -> date:
    """Where the point that holds this day starts; never before the period."""
    starts: dict[Grain, Unit] = {"day": lambda same: same, "week": week_of, "month": month_of}
    return max(period.start, starts[grain](day))
