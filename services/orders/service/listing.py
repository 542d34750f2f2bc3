"""All orders for operators, newest first, read day by day."""

from services.contracts.orders import OrderStatus, OrderView
from services.kit.errors import Invalid
from services.kit.wire import Page
from services.orders.repository import OrderRepository

DAYS_A_PAGE = 62
FIRST = "first"
"""Stands for "from the first of that day on" in a cursor."""


class Listing:
    def __init__(self, repository: OrderRepository) -> None:
        self._orders = repository

    async def page(self, status: OrderStatus | None, limit: int, cursor: str | None) -> Page[OrderView]:
        """The cursor names a day and the last order shown of it. Raises Invalid.

        A page looks at two months of days with orders at most: where few have the status, it may hold fewer.
        """
        from_day, _, last = (cursor or "").partition(":")
        days = [day for day in await self._orders.days() if not cursor or day <= from_day]
        if cursor and (not last or not days or days[0] != from_day):
            raise Invalid("this cursor is not from this list", field="cursor")
        found: list[tuple[str, str]] = []
        for day in days[:DAYS_A_PAGE]:
            ids = await self._orders.ids_of_day(day, status)
            if day == from_day and last != FIRST:
                later = await self._placed_before(day, last)
                ids = [order_id for order_id in ids if order_id in later]
            found += [(day, order_id) for order_id in ids]
            if len(found) > limit:
                break
        shown = found[:limit]
        orders = await self._orders.many([order_id for _, order_id in shown])
        items = [orders[order_id].view() for _, order_id in shown]
        if len(found) > limit:
            return Page[OrderView](items=items, next_cursor=":".join(shown[-1]))
        rest = days[DAYS_A_PAGE:]
        return Page[OrderView](items=items, next_cursor=f"{rest[0]}:{FIRST}" if rest else None)

    async def _placed_before(self, day: str, last: str) -> set[str]:
        """Those that follow `last` in the list of its day, whatever became of it meanwhile."""
        ids = await self._orders.ids_of_day(day, None)
        if last not in ids:
            raise Invalid("this cursor is not from this list", field="cursor")
        return set(ids[ids.index(last) + 1 :])
