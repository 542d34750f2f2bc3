"""The payments service: opening, confirmation, refunds, and the sweeps that end what was cut off."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta

from services.contracts.events import OrderEvent
from services.contracts.orders import OrdersPort
from services.contracts.payments import GatewayOrder, OpenPayment, PaymentView, VerifyPayment
from services.kit.clock import Clock
from services.kit.errors import NotFound
from services.kit.faults import NO_CRASHES, CrashPoints
from services.kit.idempotency import CommandKey, Idempotency
from services.kit.inbox import Inbox
from services.kit.log import get_logger
from services.kit.outbox import Outbox, Unit
from services.kit.principal import Principal
from services.payments.models import GatewayPort, Payment, payment_id_of
from services.payments.repository import PaymentRepository
from services.payments.service.confirmation import Verification, Webhooks
from services.payments.service.gateway import Gateway
from services.payments.service.ledger import Ledger
from services.payments.service.opening import Opening
from services.payments.service.sweeping import Reconciliation, Refunding

WEBHOOKS = "razorpay-webhooks"
log = get_logger("payments")


class PaymentsService:
    """Implements PaymentsPort, and what the settlement consumer does.

    `webhook_secrets` are the new one and, during a rotation, the old one. Needs `run` for as long as the process lives.
    """

    def __init__(
        self,
        repository: PaymentRepository,
        outbox: Outbox,
        idempotency: Idempotency,
        *,
        orders: OrdersPort,
        gateway: GatewayPort,
        clock: Clock,
        webhook_secrets: Sequence[str],
        reconcile_after_minutes: int = 15,
        patience_seconds: float = 3.0,
        crash: CrashPoints = NO_CRASHES,
    ) -> None:
        talk = Gateway(gateway)
        self._payments = repository
        self._ledger = Ledger(
            repository, outbox, orders=orders, clock=clock, crash=crash, patience_seconds=patience_seconds
        )
        self._opening = Opening(
            repository,
            self._ledger,
            idempotency,
            orders=orders,
            gateway=talk,
            clock=clock,
            crash=crash,
            first_asked_after=timedelta(minutes=reconcile_after_minutes),
        )
        self._verification = Verification(repository, self._ledger, idempotency, talk, crash)
        self._webhooks = Webhooks(
            repository,
            self._ledger,
            self._opening,
            inbox=Inbox(outbox, WEBHOOKS, clock),
            gateway=talk,
            clock=clock,
            secrets=webhook_secrets,
        )
        self._reconciliation = Reconciliation(repository, self._ledger, talk, clock)
        self._refunding = Refunding(repository, self._ledger, talk, clock, crash)

    async def open(self, who: Principal, command: OpenPayment, key: CommandKey) -> GatewayOrder:
        return await self._opening.open(who, command, key)

    async def verify(self, who: Principal, command: VerifyPayment, key: CommandKey) -> PaymentView:
        return await self._verification.verify(who, command, key)

    async def webhook(self, raw: bytes, signature: str, event_id: str) -> bool:
        return await self._webhooks.receive(raw, signature, event_id)

    async def get(self, who: Principal, payment_id: str) -> PaymentView:
        payment = await self._payments.find(payment_id)
        if payment is None or not _may_see(who, payment):
            raise NotFound.of("payment")
        return payment.view()

    async def of_order(self, who: Principal, order_id: str) -> PaymentView | None:
        payment = await self._payments.find(payment_id_of(order_id))
        return payment.view() if payment and _may_see(who, payment) else None

    async def reconcile(self) -> int:
        return await self._reconciliation.run()

    async def settle_refunds(self) -> int:
        """Send every refund that is wanted and due; how many went through."""
        return await self._refunding.run()

    async def run(self, poll_seconds: float = 5.0) -> None:
        """Reconcile and refund until cancelled, at once when something is due."""
        while True:
            self._ledger.due.clear()
            await self._sweep(self.reconcile)
            await self._sweep(self.settle_refunds)
            try:
                await asyncio.wait_for(self._ledger.due.wait(), poll_seconds)
            except TimeoutError:
                continue

    async def _sweep(self, sweep: Callable[[], Awaitable[int]]) -> None:
        try:
            await sweep()
        except Exception as error:  # noqa: BLE001 - the loop outlives whatever one sweep meets
            log.warning("sweep_failed", error=repr(error))

    async def open_cod(self, event: OrderEvent, unit: Unit) -> None:
        """An order to be paid in cash has its payment from now on; repeatable."""
        await self._opening.open_cod(event, unit)

    async def close(self, event: OrderEvent, unit: Unit) -> None:
        """The order ended: cash is not collected, captured money goes back, an open payment waits for late money."""
        payment = await self._payments.find(payment_id_of(event.order_id), unit)
        if payment is None and event.payment_method == "cod":
            payment = await self._opening.open_cod(event, unit)
        if payment is None:
            return
        if payment.is_cod and payment.status == "pending":
            await self._ledger.save(payment.called_off(), unit)
        await self._ledger.refund_all(unit, payment, f"order {event.status}")

    async def settle(self, payment_id: str) -> None:
        """Tell the order of its money if that was not done; repeatable."""
        await self._ledger.settle(payment_id)

    def wake(self) -> None:
        """Something is due: let `run` look at once."""
        self._ledger.due.set()


def _may_see(who: Principal, payment: Payment) -> bool:
    return payment.user_id == who.user_id or who.is_admin
