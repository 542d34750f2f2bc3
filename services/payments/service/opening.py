"""Opening a payment: the gateway's order for one of the caller's orders, once per order."""

from datetime import timedelta

from services.contracts.events import OrderEvent
from services.contracts.orders import OrdersPort, OrderView
from services.contracts.payments import GatewayOrder, NothingToPay, OpenPayment
from services.kit.clock import Clock
from services.kit.errors import NotFound
from services.kit.faults import CrashPoints
from services.kit.idempotency import CommandKey, Idempotency
from services.kit.log import get_logger
from services.kit.outbox import Unit
from services.kit.principal import SYSTEM, Principal
from services.payments.models import UNCHOSEN, Payment, payment_id_of
from services.payments.repository import PaymentRepository
from services.payments.service.gateway import Gateway
from services.payments.service.ledger import Ledger

log = get_logger("payments")


class Opening:
    def __init__(
        self,
        repository: PaymentRepository,
        ledger: Ledger,
        idempotency: Idempotency,
        *,
        orders: OrdersPort,
        gateway: Gateway,
        clock: Clock,
        crash: CrashPoints,
        first_asked_after: timedelta,
    ) -> None:
        self._payments = repository
        self._ledger = ledger
        self._idempotency = idempotency
        self._orders = orders
        self._gateway = gateway
        self._clock = clock
        self._crash = crash
        self._first_asked_after = first_asked_after

    async def open(self, who: Principal, command: OpenPayment, key: CommandKey) -> GatewayOrder:
        async with self._idempotency.attempt(key, "pay") as attempt:
            if attempt.answer is not None:
                return GatewayOrder.from_wire(attempt.answer).as_replayed()
            order = await self._orders.payable(who, command.order_id)
            payment = await self._at_gateway(order)
            self._crash.reach("payments.open.gateway")

            async def keep(unit: Unit) -> Payment:
                kept = await self._kept(unit, payment)
                await self._idempotency.complete(attempt, kept.gateway_order(self._gateway.key_id), unit)
                return kept

            return (await self._ledger.in_one_write(keep)).gateway_order(self._gateway.key_id)

    async def adopt(self, razorpay_order_id: str) -> Payment | None:
        """The payment of a gateway order we made but have not written down; None when it is not ours."""
        order_id = await self._gateway.receipt_of(razorpay_order_id)
        if order_id is None:
            return None
        try:
            order = await self._orders.get(SYSTEM, order_id)
        except NotFound:
            return None
        log.info("payment_adopted", order_id=order_id, razorpay_order_id=razorpay_order_id)
        payment = self._fresh(order, razorpay_order_id)
        return await self._ledger.in_one_write(lambda unit: self._kept(unit, payment))

    async def open_cod(self, event: OrderEvent, unit: Unit) -> Payment:
        """The record of cash to be collected; repeatable."""
        payment = Payment(
            payment_id=payment_id_of(event.order_id),
            order_id=event.order_id,
            user_id=event.user_id,
            amount=event.total,
            currency=event.currency,
            method="cod",
            created_at=self._clock.now(),
        )
        return await self._kept(unit, payment)

    async def _at_gateway(self, order: OrderView) -> Payment:
        """The order's payment with the gateway's order, asked for unless we know it already."""
        _require_online(order)
        known = await self._payments.find(payment_id_of(order.order_id))
        if known is None:
            fresh = self._fresh(order, None)
            return self._fresh(order, await self._gateway.order_of(fresh))
        if not known.is_open:
            raise NothingToPay("this order has been paid", details={"paymentId": known.payment_id})
        if known.amount != order.total.amount:
            raise NothingToPay("the order's total changed after its payment was opened; place it anew")
        return known

    def _fresh(self, order: OrderView, razorpay_order_id: str | None) -> Payment:
        now = self._clock.now()
        return Payment(
            payment_id=payment_id_of(order.order_id),
            order_id=order.order_id,
            user_id=order.user_id,
            amount=order.total.amount,
            currency=order.total.currency,
            method=UNCHOSEN,
            created_at=now,
            razorpay_order_id=razorpay_order_id,
            ask_at=now + self._first_asked_after,
        )

    async def _kept(self, unit: Unit, payment: Payment) -> Payment:
        """Whatever is stored already, else this one."""
        known = await self._payments.find(payment.payment_id, unit)
        if known is None:
            await self._payments.insert(payment, unit)
        return known or payment


def _require_online(order: OrderView) -> None:
    if order.payment_method == "cod":
        raise NothingToPay("this order is paid in cash on delivery")
    if order.total.amount <= 0:
        raise NothingToPay("this order costs nothing")
