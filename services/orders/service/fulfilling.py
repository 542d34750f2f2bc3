"""What a seller does with the own part of an order."""

from collections.abc import Callable
from datetime import datetime

from services.contracts.events import (
    OrderCancelled,
    OrderDelivered,
    OrderEvent,
    OrderReturned,
    OrderShipped,
    OrderUpdated,
)
from services.contracts.orders import CancelPart, IllegalStep, Part, PartStatus, SellerPart, ShipPart
from services.kit.clock import Clock
from services.kit.errors import NotFound
from services.kit.idempotency import Attempt, CommandKey, Idempotency
from services.kit.outbox import Unit
from services.kit.principal import Principal
from services.orders.models.order import Order
from services.orders.models.parts import PART_MOVES
from services.orders.repository import OrderRepository
from services.orders.service.changing import Also, OrderChanges, Step

BY_SELLER = "seller"
_TOLD: dict[str, type[OrderEvent]] = {
    "shipped": OrderShipped,
    "delivered": OrderDelivered,
    "returned": OrderReturned,
}
_BEFORE_PAYMENT = "the order is not paid yet; it is yours to send once it is confirmed"

Move = Callable[[Order, Part, datetime], Order]


class Fulfilling:
    """Parts of others are not there. The order's own event is told only when the order as a whole went on."""

    def __init__(
        self, repository: OrderRepository, changes: OrderChanges, idempotency: Idempotency, clock: Clock
    ) -> None:
        self._orders = repository
        self._changes = changes
        self._idempotency = idempotency
        self._clock = clock

    async def part(self, who: Principal, order_id: str) -> SellerPart:
        order = await self._orders.find(order_id)
        if order is None:
            raise NotFound.of("order")
        return order.seller_view(own_part(order, who))

    async def ship(self, who: Principal, order_id: str, command: ShipPart, key: CommandKey | None) -> SellerPart:
        def move(order: Order, part: Part, now: datetime) -> Order:
            require_move(part, "shipped")
            note = " ".join(word for word in (command.carrier, command.tracking_number) if word)
            sent = {"carrier": command.carrier, "tracking_number": command.tracking_number, "shipped_at": now}
            return order.part_moved(part.seller_id, "shipped", now, note, **sent)

        return await self._step(who, order_id, key, move)

    async def deliver(self, who: Principal, order_id: str, key: CommandKey | None) -> SellerPart:
        def move(order: Order, part: Part, now: datetime) -> Order:
            require_move(part, "delivered")
            return order.part_moved(part.seller_id, "delivered", now, delivered_at=now)

        return await self._step(who, order_id, key, move)

    async def cancel(self, who: Principal, order_id: str, command: CancelPart, key: CommandKey | None) -> SellerPart:
        def move(order: Order, part: Part, now: datetime) -> Order:
            if part.status == "pending":
                raise IllegalStep(_BEFORE_PAYMENT, details={"status": part.status, "step": "cancelled"})
            require_move(part, "cancelled")
            return order.part_cancelled(part.seller_id, now, command.reason)

        return await self._step(who, order_id, key, move, stock_first=True)

    async def cod_collected(self, who: Principal, order_id: str, key: CommandKey | None) -> SellerPart:
        def move(order: Order, part: Part, now: datetime) -> Order:
            _require_cash(order, part)
            return order.collected(part.seller_id, now)

        return await self._step(who, order_id, key, move)

    async def _step(
        self, who: Principal, order_id: str, key: CommandKey | None, move: Move, *, stock_first: bool = False
    ) -> SellerPart:
        async with self._idempotency.attempt(key, "stp") as attempt:
            if attempt.answer is not None:
                return SellerPart.from_wire(attempt.answer).as_replayed()

            async def decide(order: Order) -> Step | None:
                now = self._clock.now()
                after = move(order, own_part(order, who), now)
                return Step(after, told(order, after), self._answering(attempt, who)).completing(now)

            order = await self._changes.change(order_id, decide, stock_first=stock_first)
            return order.seller_view(own_part(order, who))

    def _answering(self, attempt: Attempt, who: Principal) -> Also:
        async def answered(unit: Unit, written: Order) -> None:
            await self._idempotency.complete(attempt, written.seller_view(own_part(written, who)), unit)

        return answered


def own_part(order: Order, who: Principal) -> Part:
    """Raises NotFound, as for an order that is not there."""
    part = order.part_of(who.seller_id) if who.seller_id else None
    if part is None:
        raise NotFound.of("order")
    return part


def require_move(part: Part, to: PartStatus) -> None:
    if to not in PART_MOVES[part.status]:
        raise IllegalStep(
            f"the part is {part.status}; it cannot become {to}", details={"status": part.status, "step": to}
        )


def told(before: Order, after: Order) -> OrderEvent:
    """The event of a part's step: of the whole order when that went on, else that it changed."""
    if before.status == after.status:
        return after.fact(OrderUpdated)
    if after.status == "cancelled":
        return after.fact(OrderCancelled, reason=BY_SELLER)
    return after.fact(_TOLD.get(after.status, OrderUpdated))


def _require_cash(order: Order, part: Part) -> None:
    details = {"status": part.status, "step": "cod-collected"}
    if order.payment_method != "cod":
        raise IllegalStep("this order is not paid in cash", details=details)
    if part.status not in {"delivered", "returned"}:
        raise IllegalStep(f"cash is collected on delivery; the part is {part.status}", details=details)
    if part.cod_collected_at:
        raise IllegalStep("the cash of this part was collected before", details=details)
