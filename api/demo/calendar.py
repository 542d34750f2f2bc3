"""When the demo's customers buy: days of the season, hours of the Indian day."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta, timezone
from itertools import accumulate
from math import exp
from random import Random

from api.demo.words import Season, Trade

IST = timezone(timedelta(hours=5, minutes=30))
WINDOW_DAYS = 183
FESTIVE_FROM = 1.5


class TradeCalendar:
    """Draws moments of the six months before `now`; busy days and hours come up more often."""

    def __init__(self, words: Trade, now: datetime) -> None:
        self.words = words
        self.now = now
        today = now.astimezone(IST).date()
        self._days = [today - timedelta(days=back) for back in range(WINDOW_DAYS, -1, -1)]
        self._day_weights = list(accumulate(self._weight(place, day) for place, day in enumerate(self._days)))
        self._hour_weights = list(accumulate(words.hours))

    def moments(self, count: int, draw: Random) -> list[datetime]:
        """That many moments in UTC, earliest first, none in the last five minutes or later."""
        return sorted(self._moment(draw) for _ in range(count))

    def is_festive(self, moment: datetime) -> bool:
        """In the thick of Diwali shopping."""
        return seasonal(self.words.seasons, moment.astimezone(IST).date()) >= FESTIVE_FROM

    def _moment(self, draw: Random) -> datetime:
        day = draw.choices(self._days, cum_weights=self._day_weights)[0]
        hour = draw.choices(range(24), cum_weights=self._hour_weights)[0]
        at = datetime.combine(day, time(hour, draw.randrange(60), draw.randrange(60)), IST).astimezone(UTC)
        return at if at <= self.now - timedelta(minutes=5) else at - timedelta(days=1)

    def _weight(self, place: int, day: date) -> float:
        trend = 1 + self.words.growth * place / WINDOW_DAYS
        weekend = self.words.weekend if day.weekday() >= 5 else 1.0
        return trend * weekend * seasonal(self.words.seasons, day)


def seasonal(seasons: Sequence[Season], day: date) -> float:
    """How many times an ordinary day's trade this day sees."""
    return 1 + sum(season.height * exp(-0.5 * (_distance(season, day) / season.width) ** 2) for season in seasons)


def _distance(season: Season, day: date) -> int:
    """Days to its nearest coming round, in this year or a neighbour."""
    years = (day.year - 1, day.year, day.year + 1)
    return min(abs((day - date(year, season.month, season.day)).days) for year in years)
