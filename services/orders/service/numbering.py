"""Invoice numbers: one series per seller and financial year, without gaps."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import datetime
from weakref import WeakValueDictionary

from services.kit.outbox import Unit
from services.orders.models.billing import indian_day
from services.orders.models.order import Order
from services.orders.repository import OrderRepository


class InvoiceNumbers:
    """The counter moves in the transaction that confirms the order: a number is used exactly if the order is confirmed.

    Confirmations of one seller take turns, so that they do not run into each other's write of the counter.
    """

    def __init__(self, repository: OrderRepository) -> None:
        self._orders = repository
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    @asynccontextmanager
    async def turn(self, order: Order) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            for series in sorted(_series_of(order).values()):
                await stack.enter_async_context(self._turns.setdefault(series, asyncio.Lock()))
                await self._orders.open_series(series)
            yield

    async def assign(self, order: Order, unit: Unit) -> Order:
        """Every part that has none gets the next number of its seller; inside `turn`."""
        numbers = {}
        for seller_id, series in sorted(_series_of(order).items()):
            count = await self._orders.next_number(series, unit)
            numbers[seller_id] = f"{series.rpartition(':')[2]}/{count:06d}"
        return order.numbered(numbers)


def _series_of(order: Order) -> dict[str, str]:
    year = financial_year(order.confirmed_at or order.created_at)
    parts = (part for part in order.parts if part.status == "confirmed" and part.invoice_number is None)
    return {part.seller_id: f"{part.seller_id}:{year}" for part in parts}


def financial_year(moment: datetime) -> str:
    """India's, from April on: 2026-27."""
    day = indian_day(moment)
    start = day.year if day.month >= 4 else day.year - 1
    return f"{start}-{(start + 1) % 100:02d}"
