"""What orders know about a product: whether somebody received it, and whether anybody ever asked for it."""

from collections.abc import Mapping
from typing import Any

from services.orders.repository import OrderRepository


class Purchases:
    def __init__(self, repository: OrderRepository) -> None:
        self._orders = repository

    async def has_received(self, user_id: str, product_id: str) -> bool:
        """Whether the product was delivered to this buyer; sending it back later changes nothing."""
        rows = await self._orders.deliveries_of(user_id, product_id)
        return any(_was_delivered(row, product_id) for row in rows)

    async def was_ordered(self, product_id: str) -> bool:
        """Whether any order ever named the product, expired and cancelled ones too."""
        return await self._orders.names_product(product_id)


def _was_delivered(row: Mapping[str, Any], product_id: str) -> bool:
    sellers = {line["seller_id"] for line in row["lines"] if line["product_id"] == product_id}
    states = {row["status"], *(part["status"] for part in row["parts"] if part["seller_id"] in sellers)}
    came_back = "returned" in states and any(entry["status"] == "delivered" for entry in row["timeline"])
    return "delivered" in states or came_back
