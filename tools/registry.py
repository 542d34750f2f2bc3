"""All tools of an installation, by name; the graph, other doors and the evals use this one."""

from collections.abc import Iterable
from typing import Any

from pydantic import ValidationError

from services.contracts.auth import AuthPort
from services.contracts.cart import CartPort
from services.contracts.catalog import CatalogPort
from services.contracts.orders import OrdersPort
from services.contracts.payments import PaymentsPort
from services.contracts.sellers import SellersPort
from services.kit.errors import CohortError
from services.kit.principal import Principal
from tools import account, cart, catalogue, orders, selling
from tools.kinds import Arguments, Call, Tool, ToolResult, from_error, refused


class Registry:
    """Finds, offers and runs tools. Identity and idempotency keys come with the call, never from the model."""

    def __init__(self, all_tools: Iterable[Tool]) -> None:
        self._tools = {tool.name: tool for tool in all_tools}

    def find(self, name: str) -> Tool | None:
        return self._tools.get(name)

    def names(self) -> list[str]:
        return list(self._tools)

    def offered_to(self, who: Principal) -> list[Tool]:
        """The tools this caller may use; others do not exist for it."""
        return [tool for tool in self._tools.values() if tool.open_to(who)]

    def parse(self, name: str, raw: dict[str, Any], who: Principal) -> tuple[Tool, Arguments] | ToolResult:
        """The tool with validated arguments, or the error a model can act on."""
        tool = self._tools.get(name)
        if tool is None or not tool.open_to(who):
            options = [tool.name for tool in self.offered_to(who)]
            return refused("unknown_tool", f"there is no tool {name!r} here", field_name="name", options=options)
        try:
            return tool, tool.arguments.model_validate(raw)
        except ValidationError as error:
            first = error.errors()[0]
            return refused("invalid", str(first["msg"]), field_name=".".join(str(part) for part in first["loc"]))

    async def run(self, tool: Tool, arguments: Arguments, call: Call) -> ToolResult:
        """A refusal of a service comes back as a result; whatever else is a fault and is raised."""
        try:
            return await tool.run(call, arguments)
        except CohortError as error:
            return from_error(error)


def build(
    *,
    catalog: CatalogPort,
    baskets: CartPort,
    order_desk: OrdersPort,
    payments: PaymentsPort,
    auth: AuthPort,
    sellers: SellersPort,
    preferences: account.Preferences,
) -> Registry:
    return Registry(
        [
            *catalogue.tools(catalog),
            *cart.tools(baskets),
            *orders.tools(order_desk, payments, auth),
            *account.tools(auth, preferences),
            *selling.tools(sellers),
        ]
    )
