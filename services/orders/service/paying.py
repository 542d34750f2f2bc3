"""What money does to an order, and how a buyer calls it off."""

from services.contracts.events import OrderCancelled, OrderConfirmed, OrderUpdated
from services.contracts.orders import CancelOrder, MarkPaid, NotCancellable, OrderView, PaymentFact
from services.kit.clock import Clock
from services.kit.errors import NotFound
from services.kit.idempotency import Attempt, CommandKey, Idempotency
from services.kit.outbox import Unit
from services.kit.principal import Principal
from services.orders.models.order import Order
from services.orders.service.changing import OrderChanges, Step

BY_BUYER = "buyer"


class Paying:
    """One conditional update decides between payment, expiry and cancellation."""

    def __init__(self, changes: OrderChanges, idempotency: Idempotency, clock: Clock) -> None:
        self._changes = changes
        self._idempotency = idempotency
        self._clock = clock

    async def mark_paid(self, fact: PaymentFact) -> MarkPaid:
        async def decide(order: Order) -> Step | None:
            if not _takes(order, fact):
                return None
            after = order.paid_by(fact, self._clock.now())
            return Step(after, after.fact(OrderConfirmed), number=True)

        order = await self._changes.change(fact.order_id, decide)
        return MarkPaid(accepted=order.payment_id == fact.payment_id, order=order.view())

    async def mark_refunded(self, order_id: str, refunded: int) -> OrderView:
        async def decide(order: Order) -> Step | None:
            if not order.refunded < refunded <= order.paid:
                return None
            now = self._clock.now()
            after = order.refunded_to(refunded, now)
            return Step(after, after.fact(OrderUpdated)).completing(now)

        return (await self._changes.change(order_id, decide)).view()

    async def cancel(self, who: Principal, order_id: str, command: CancelOrder, key: CommandKey | None) -> OrderView:
        async with self._idempotency.attempt(key, "can") as attempt:
            if attempt.answer is not None:
                return OrderView.from_wire(attempt.answer).as_replayed()
            return await self._cancel(who, order_id, command, attempt)

    async def _cancel(self, who: Principal, order_id: str, command: CancelOrder, attempt: Attempt) -> OrderView:
        async def decide(order: Order) -> Step | None:
            if order.user_id != who.user_id:
                raise NotFound.of("order")
            if not order.cancellable:
                raise NotCancellable(f"the order is {order.status} already", details={"status": order.status})
            after = order.cancelled(self._clock.now(), command.reason)

            async def answered(unit: Unit, written: Order) -> None:
                await self._idempotency.complete(attempt, written.view(), unit)

            return Step(after, after.fact(OrderCancelled, reason=BY_BUYER), answered)

        return (await self._changes.change(order_id, decide, stock_first=True)).view()


def _takes(order: Order, fact: PaymentFact) -> bool:
    return order.status == "pending" and order.payment_method != "cod" and fact.amount == order.total
