"""From daily sums to what the dashboard shows. Pure."""

from collections.abc import Iterable, Mapping
from datetime import date

from services.contracts.sellers import Figures, Grain, Period, Point
from services.kit.money import inr, round_half_up
from services.sellers.models.facts import Tally
from services.sellers.models.periods import bucket_start, days

TOP_PRODUCTS = 10

Tallies = Mapping[date, Tally]


def summed(tallies: Iterable[Tally]) -> Tally:
    whole = Tally()
    for tally in tallies:
        whole.add_all(tally)
    return whole


def within(tallies: Tallies, period: Period) -> Tally:
    return summed(tally for day, tally in tallies.items() if period.start <= day <= period.end)


def figures(tally: Tally) -> Figures:
    """Rates are shares of all orders that were confirmed, cancelled ones included."""
    confirmed = tally.orders + tally.cancellations
    return Figures(
        revenue=inr(tally.revenue),
        orders=tally.orders,
        units=tally.units,
        average_order_value=inr(round_half_up(tally.revenue, tally.orders) if tally.orders else 0),
        cancellations=tally.cancellations,
        returns=tally.returns,
        cancellation_rate=tally.cancellations / confirmed if confirmed else 0.0,
        return_rate=tally.returns / confirmed if confirmed else 0.0,
    )


def series(tallies: Tallies, period: Period, grain: Grain) -> tuple[Point, ...]:
    """A point for each day, week or month of the period, empty ones too."""
    points: dict[date, Tally] = {}
    for day in days(period):
        point = points.setdefault(bucket_start(day, grain, period), Tally())
        if day in tallies:
            point.add_all(tallies[day])
    return tuple(
        Point(start=start, revenue=inr(tally.revenue), orders=tally.orders, units=tally.units)
        for start, tally in points.items()
    )


def best_sellers(tally: Tally) -> list[str]:
    """Product ids by revenue, highest first."""
    sold = [product_id for product_id, units in tally.product_units.items() if units]
    sold.sort(key=lambda product_id: (-tally.product_revenue[product_id], product_id))
    return sold[:TOP_PRODUCTS]
