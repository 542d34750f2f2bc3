from datetime import UTC, date, datetime

import pytest

from services.contracts.sellers import PeriodInvalid
from services.sellers.models.periods import bucket_start, indian_day, resolve

SUNDAY = date(2026, 11, 22)


def day(text: str) -> date:
    return date.fromisoformat(text)


@pytest.mark.parametrize(
    ("name", "today", "start", "end", "before_start", "before_end"),
    [
        ("today", "2026-11-22", "2026-11-22", "2026-11-22", "2026-11-21", "2026-11-21"),
        ("yesterday", "2026-11-22", "2026-11-21", "2026-11-21", "2026-11-20", "2026-11-20"),
        ("last_7_days", "2026-11-22", "2026-11-16", "2026-11-22", "2026-11-09", "2026-11-15"),
        ("last_30_days", "2026-11-22", "2026-10-24", "2026-11-22", "2026-09-24", "2026-10-23"),
        ("this_week", "2026-11-18", "2026-11-16", "2026-11-18", "2026-11-09", "2026-11-11"),
        ("last_week", "2026-11-22", "2026-11-09", "2026-11-15", "2026-11-02", "2026-11-08"),
        ("this_week", "2026-11-23", "2026-11-23", "2026-11-23", "2026-11-16", "2026-11-16"),
        ("this_month", "2026-11-22", "2026-11-01", "2026-11-22", "2026-10-01", "2026-10-22"),
        ("this_month", "2026-03-31", "2026-03-01", "2026-03-31", "2026-02-01", "2026-02-28"),
        ("last_month", "2026-03-31", "2026-02-01", "2026-02-28", "2026-01-01", "2026-01-31"),
        ("last_month", "2026-01-15", "2025-12-01", "2025-12-31", "2025-11-01", "2025-11-30"),
        ("this_quarter", "2026-11-22", "2026-10-01", "2026-11-22", "2026-07-01", "2026-08-22"),
        ("last_quarter", "2026-01-01", "2025-10-01", "2025-12-31", "2025-07-01", "2025-09-30"),
        ("this_year", "2024-12-31", "2024-01-01", "2024-12-31", "2023-01-01", "2023-12-31"),
        ("last_year", "2026-11-22", "2025-01-01", "2025-12-31", "2024-01-01", "2024-12-31"),
        ("2026-01-10..2026-01-12", "2026-11-22", "2026-01-10", "2026-01-12", "2026-01-07", "2026-01-09"),
    ],
)
def test_a_period_and_the_one_before(name, today, start, end, before_start, before_end):
    period, before = resolve(name, day(today))
    assert (period.start, period.end) == (day(start), day(end))
    assert (before.start, before.end) == (day(before_start), day(before_end))


@pytest.mark.parametrize(
    "name",
    [
        "", "tomorrow", "this", "this_", "last_decade", "next_week", "2026-02-30..2026-03-01", "2026-03-02..2026-03-01",
        "2024-01-01..2026-01-01", "2026-1-1..2026-1-2", "2026-01-01", "0001-01-01..0001-01-01",
        "٢٠٢٦-01-01..2026-01-02",
    ],
)  # fmt: skip
def test_what_is_no_period_is_refused_and_says_what_would_be(name):
    with pytest.raises(PeriodInvalid) as refusal:
        resolve(name, SUNDAY)
    assert refusal.value.field == "period"


def test_the_day_changes_at_midnight_in_india():
    assert indian_day(datetime(2026, 10, 31, 18, 29, 59, tzinfo=UTC)) == day("2026-10-31")
    assert indian_day(datetime(2026, 10, 31, 18, 30, tzinfo=UTC)) == day("2026-11-01")


def test_a_point_never_starts_before_its_period():
    period, _ = resolve("2026-10-30..2026-11-05", SUNDAY)
    assert bucket_start(day("2026-10-31"), "week", period) == day("2026-10-30")
    assert bucket_start(day("2026-11-03"), "week", period) == day("2026-11-02")
    assert bucket_start(day("2026-11-03"), "month", period) == day("2026-11-01")
