"""Goods that come back after delivery: asked by the buyer, decided by the seller."""

from collections.abc import Callable
from datetime import timedelta

from services.contracts.events import OrderReturned, OrderUpdated
from services.contracts.orders import (
    DecideReturn,
    OrderView,
    RequestReturn,
    Return,
    ReturnDecided,
    ReturnNotPossible,
    SellerPart,
)
from services.kit.clock import Clock
from services.kit.errors import NotFound
from services.kit.idempotency import Attempt, CommandKey, Idempotency
from services.kit.ids import named_id
from services.kit.outbox import Unit
from services.kit.principal import Principal
from services.orders.models.billing import SoldLine
from services.orders.models.order import Order
from services.orders.models.returns import drawn_up, requested_pieces, require_window
from services.orders.repository import OrderRepository
from services.orders.service.changing import Also, OrderChanges, Step
from services.orders.service.fulfilling import own_part

Decision = Callable[[Order, Return], Step]


class Returning:
    """`window` counts from the delivery of the part; `restock` is what happens when the seller does not say."""

    def __init__(
        self,
        repository: OrderRepository,
        changes: OrderChanges,
        idempotency: Idempotency,
        clock: Clock,
        *,
        window: timedelta,
        restock: bool,
    ) -> None:
        self._orders = repository
        self._changes = changes
        self._idempotency = idempotency
        self._clock = clock
        self._window = window
        self._restock = restock

    async def request(self, who: Principal, order_id: str, command: RequestReturn, key: CommandKey) -> OrderView:
        async with self._idempotency.attempt(key, "ret") as attempt:
            if attempt.answer is not None:
                return OrderView.from_wire(attempt.answer).as_replayed()

            async def decide(order: Order) -> Step | None:
                if order.user_id != who.user_id:
                    raise NotFound.of("order")
                asked = self._drawn_up(order, command, attempt.new_id)
                after = order.with_returns(asked, self._clock.now())

                async def answered(unit: Unit, written: Order) -> None:
                    await self._orders.add_returns(order_id, [each.return_id for each in asked], unit)
                    await self._idempotency.complete(attempt, written.view(), unit)

                return Step(after, after.fact(OrderUpdated), answered)

            return (await self._changes.change(order_id, decide)).view()

    def _drawn_up(self, order: Order, command: RequestReturn, new_id: str) -> list[Return]:
        """One return per seller. Raises Invalid, ReturnNotPossible."""
        now = self._clock.now()
        lines = {line.line_id: line for line in order.lines}
        by_seller: dict[str, list[tuple[SoldLine, int]]] = {}
        for line, qty in requested_pieces(lines, order.returns, command.lines):
            by_seller.setdefault(line.seller_id, []).append((line, qty))
        for part in order.parts:
            if part.seller_id in by_seller:
                require_window(part, now, self._window)
        if order.payment_status == "unpaid":
            raise ReturnNotPossible("the order is not paid yet", details={"paymentStatus": order.payment_status})
        return [
            drawn_up(named_id("ret", new_id, seller_id), seller_id, pieces, command.reason, now)
            for seller_id, pieces in by_seller.items()
        ]

    async def approve(
        self, who: Principal, return_id: str, command: DecideReturn, key: CommandKey | None
    ) -> SellerPart:
        restock = self._restock if command.restock is None else command.restock

        def approved(order: Order, which: Return) -> Step:
            after = order.return_approved(which, command.note, self._clock.now(), restock=restock)
            return Step(after, after.fact(OrderReturned))

        return await self._decide(who, return_id, key, approved)

    async def refuse(self, who: Principal, return_id: str, command: DecideReturn, key: CommandKey | None) -> SellerPart:
        def refused(order: Order, which: Return) -> Step:
            after = order.return_refused(which, command.note, self._clock.now())
            return Step(after, after.fact(OrderUpdated))

        return await self._decide(who, return_id, key, refused)

    async def _decide(self, who: Principal, return_id: str, key: CommandKey | None, decision: Decision) -> SellerPart:
        async with self._idempotency.attempt(key, "dec") as attempt:
            if attempt.answer is not None:
                return SellerPart.from_wire(attempt.answer).as_replayed()
            order_id = await self._orders.order_of_return(return_id)
            if order_id is None:
                raise NotFound.of("return")

            async def decide(order: Order) -> Step | None:
                step = decision(order, _open_return(order, who, return_id))
                step.also = self._answering(attempt, who)
                return step.completing(self._clock.now())

            order = await self._changes.change(order_id, decide, stock_first=True)
            return order.seller_view(own_part(order, who))

    def _answering(self, attempt: Attempt, who: Principal) -> Also:
        async def answered(unit: Unit, written: Order) -> None:
            await self._idempotency.complete(attempt, written.seller_view(own_part(written, who)), unit)

        return answered


def _open_return(order: Order, who: Principal, return_id: str) -> Return:
    """Raises NotFound, as for a return that is not there, and ReturnDecided."""
    which = next((each for each in order.returns if each.return_id == return_id), None)
    if which is None or which.seller_id != who.seller_id:
        raise NotFound.of("return")
    if which.status != "requested":
        raise ReturnDecided(f"this return was {which.status} before", details={"status": which.status})
    return which
