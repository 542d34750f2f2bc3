"""A seller's own shop. The seller comes from the token; a question can never name another one."""

from functools import partial
from typing import Annotated, Literal

from pydantic import Field

from services.contracts.sellers import Metric, SellersPort
from tools.kinds import Arguments, Call, Kind, Scope, Tool, ToolResult


class MetricArguments(Arguments):
    metric: Metric = "revenue"
    period: Annotated[
        str,
        Field(
            description="today, yesterday, last_7_days, last_30_days, this_week, …, last_year or FROM..TO (ISO dates)"
        ),
    ] = "last_30_days"
    compare_to: Literal["previous_period"] | None = None


class SellerOrdersArguments(Arguments):
    status: str | None = None
    limit: Annotated[int, Field(ge=1, le=50)] = 10


class InventoryArguments(Arguments):
    low_stock: bool = False
    limit: Annotated[int, Field(ge=1, le=50)] = 10


def tools(sellers: SellersPort) -> list[Tool]:
    office = _Office(sellers)
    read = partial(Tool, kind=Kind.READ, scope=Scope.SELLER)
    return [
        read("seller_metrics", "A figure of the seller's own shop.", arguments=MetricArguments, run=office.metrics),
        read("seller_orders", "Orders of the seller's own shop.", arguments=SellerOrdersArguments, run=office.orders),
        read(
            "seller_inventory",
            "Stock of the seller's own products.",
            arguments=InventoryArguments,
            run=office.inventory,
        ),
    ]


class _Office:
    def __init__(self, sellers: SellersPort) -> None:
        self._sellers = sellers

    async def metrics(self, call: Call, wish: MetricArguments) -> ToolResult:
        dashboard = await self._sellers.dashboard(call.who, wish.period, compare=wish.compare_to)
        return ToolResult({"metric": wish.metric, **dashboard.to_wire()})

    async def orders(self, call: Call, wish: SellerOrdersArguments) -> ToolResult:
        page = await self._sellers.orders(call.who, wish.status, wish.limit)
        return ToolResult({"items": [order.to_wire() for order in page.items]})

    async def inventory(self, call: Call, wish: InventoryArguments) -> ToolResult:
        page = await self._sellers.products(call.who, wish.low_stock, wish.limit)
        return ToolResult({"items": [product.to_wire() for product in page.items]})
