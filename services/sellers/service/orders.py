"""A seller's parts of orders, newest first."""

from datetime import date, datetime
from typing import get_args

from services.contracts.orders import OrderStatus
from services.contracts.sellers import SellerOrder
from services.kit.errors import Invalid
from services.kit.wire import Page
from services.sellers.models.cursors import cursor_of, order_position
from services.sellers.models.facts import OrderFact
from services.sellers.models.periods import indian_day
from services.sellers.repository import BookRepository

_DAYS_A_QUERY = 31


class SellerOrders:
    def __init__(self, books: BookRepository) -> None:
        self._books = books

    async def page(self, seller_id: str, status: str | None, limit: int, cursor: str | None) -> Page[SellerOrder]:
        """Raises Invalid, CursorInvalid."""
        if status is not None and status not in get_args(OrderStatus):
            raise Invalid(f"status is one of {', '.join(get_args(OrderStatus))}", field="status")
        after = order_position(cursor)
        facts = await self._newest(seller_id, status, limit + 1, after)
        more = len(facts) > limit
        last = facts[limit - 1] if more else None
        return Page(
            items=[fact.view() for fact in facts[:limit]],
            next_cursor=cursor_of(last.placed_at.isoformat(), last.order_id) if last else None,
        )

    async def _newest(
        self, seller_id: str, status: str | None, wanted: int, after: tuple[datetime, str] | None
    ) -> list[OrderFact]:
        days = await self._books.placed_days(seller_id, status)
        if after:
            days = [(day, count) for day, count in days if day <= indian_day(after[0])]
        found: list[OrderFact] = []
        while days and len(found) < wanted:
            group, days = _enough(days, wanted - len(found))
            facts = await self._books.placed_on(seller_id, group, status)
            found += [fact for fact in facts if after is None or _position(fact) < after]
        found.sort(key=_position, reverse=True)
        return found[:wanted]


def _position(fact: OrderFact) -> tuple[datetime, str]:
    return fact.placed_at, fact.order_id


def _enough(days: list[tuple[date, int]], wanted: int) -> tuple[list[date], list[tuple[date, int]]]:
    """The first days that hold as many, at most a month of them; and the rest."""
    taken = held = 0
    while taken < min(len(days), _DAYS_A_QUERY) and held < wanted:
        held += days[taken][1]
        taken += 1
    return [day for day, _ in days[:taken]], days[taken:]
