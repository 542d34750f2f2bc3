"""Another address for an order that is not paid yet."""

from services.contracts.auth import AuthPort
from services.contracts.events import OrderUpdated
from services.contracts.orders import AddressFixed, ChangeAddress, OrderView
from services.contracts.sellers import SellersPort
from services.kit.clock import Clock
from services.kit.errors import NotFound
from services.kit.idempotency import CommandKey, Idempotency
from services.kit.outbox import Unit
from services.kit.principal import Principal
from services.orders.models.order import Order
from services.orders.service.changing import OrderChanges, Step


class Redirecting:
    """Shipping is flat and prices contain the tax, so the total is the same everywhere; only the split of tax moves."""

    def __init__(
        self, changes: OrderChanges, idempotency: Idempotency, clock: Clock, *, auth: AuthPort, sellers: SellersPort
    ) -> None:
        self._changes = changes
        self._idempotency = idempotency
        self._clock = clock
        self._auth = auth
        self._sellers = sellers

    async def change_address(
        self, who: Principal, order_id: str, command: ChangeAddress, key: CommandKey | None
    ) -> OrderView:
        async with self._idempotency.attempt(key, "adc") as attempt:
            if attempt.answer is not None:
                return OrderView.from_wire(attempt.answer).as_replayed()

            async def answered(unit: Unit, written: Order) -> None:
                await self._idempotency.complete(attempt, written.view(), unit)

            async def decide(order: Order) -> Step | None:
                after = await self._redirected(who, order, command)
                return Step(after, after.fact(OrderUpdated), answered)

            return (await self._changes.change(order_id, decide)).view()

    async def _redirected(self, who: Principal, order: Order, command: ChangeAddress) -> Order:
        if order.user_id != who.user_id:
            raise NotFound.of("order")
        if order.status != "pending":
            raise AddressFixed(
                f"the order is {order.status}; its address stays. Cancel it, or ask the seller",
                details={"status": order.status},
            )
        address = await self._auth.address(who, command.address_id)
        profiles = await self._sellers.profiles([part.seller_id for part in order.parts])
        states = {seller_id: profile.state for seller_id, profile in profiles.items()}
        after = order.delivered_to(address, states, self._clock.now())
        if sum(line.tax.total for line in after.lines) != order.tax:
            raise AddressFixed("the order would cost another sum there", details={"status": order.status})
        return after
