"""Invoices of confirmed orders, for whoever may see them."""

import asyncio

from services.contracts.orders import NoInvoice
from services.contracts.sellers import SellersPort
from services.kit.errors import NotFound
from services.kit.principal import Principal
from services.orders.adapters.invoices import printed
from services.orders.models.invoice import invoice_of
from services.orders.models.order import Order
from services.orders.models.parts import Issuer
from services.orders.repository import OrderRepository


class Invoicing:
    def __init__(self, repository: OrderRepository, sellers: SellersPort) -> None:
        self._orders = repository
        self._sellers = sellers

    async def invoice(self, who: Principal, order_id: str) -> bytes:
        order = await self._orders.find(order_id)
        seen = _seen(order, who) if order else set()
        if order is None or not seen:
            raise NotFound.of("order")
        parts = [part for part in order.parts if part.seller_id in seen and part.invoice_number]
        if not parts:
            raise NoInvoice(
                f"an invoice is written when the order is confirmed; it is {order.status}",
                details={"status": order.status},
            )
        issuers = await self._issuers(order)
        return await asyncio.to_thread(printed, [invoice_of(order, part, issuers) for part in parts])

    async def _issuers(self, order: Order) -> dict[str, Issuer]:
        """As they were at the sale; orders that were brought along know none, theirs are as of now."""
        if order.issuers:
            return {issuer.seller_id: issuer for issuer in order.issuers}
        profiles = await self._sellers.profiles([part.seller_id for part in order.parts])
        return {
            seller_id: Issuer(seller_id=seller_id, name=profile.name, state=profile.state, gstin=profile.gstin)
            for seller_id, profile in profiles.items()
        }


def _seen(order: Order, who: Principal) -> set[str]:
    """The sellers whose parts this caller may see."""
    everything = {part.seller_id for part in order.parts}
    if order.user_id == who.user_id or who.is_admin:
        return everything
    return everything & {who.seller_id} if who.seller_id else set()
