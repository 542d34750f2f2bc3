"""The payments service: opening, confirmation, refunds, payouts, and the sweeps that end what was cut off."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta

from services.contracts.events import OrderEvent
from services.contracts.orders import OrdersPort
from services.contracts.payments import (
    GatewayOrder,
    OpenPayment,
    PaymentView,
    RefundShare,
    RefundView,
    RequestRefund,
    VerifyPayment,
)
from services.kit.clock import Clock
from services.kit.events import Envelope
from services.kit.faults import NO_CRASHES, CrashPoints
from services.kit.idempotency import CommandKey, Idempotency
from services.kit.inbox import Inbox
from services.kit.log import get_logger
from services.kit.outbox import Outbox, Unit
from services.kit.principal import Principal
from services.kit.wire import Page
from services.payments.models import GatewayPort, Payment, payment_id_of
from services.payments.repository import PaymentRepository
from services.payments.service.confirmation import Verification, Webhooks
from services.payments.service.following import Following
from services.payments.service.gateway import Gateway
from services.payments.service.ledger import Ledger
from services.payments.service.opening import Opening
from services.payments.service.payouts import AccountOf, Paying
from services.payments.service.refunds import Refunds
from services.payments.service.sweeping import Reconciliation, Refunding

WEBHOOKS = "razorpay-webhooks"
SETTLEMENT = "payment-settlement-queue"
__all__ = ["SETTLEMENT", "AccountOf", "PaymentsService"]
log = get_logger("payments")


class PaymentsService:
    """Implements PaymentsPort, and what the settlement consumer does.

    `webhook_secrets` are the new one and, during a rotation, the old one. `account_of` finds a seller's account at the
    gateway; without it sellers are not paid by the gateway. Needs `run` for as long as the process lives.
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
        account_of: AccountOf | None = None,
        crash: CrashPoints = NO_CRASHES,
    ) -> None:
        talk = Gateway(gateway)
        self._payments = repository
        self._inbox = Inbox(outbox, SETTLEMENT, clock)
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
        self._refunds = Refunds(repository, self._ledger, idempotency, orders=orders, clock=clock, crash=crash)
        self._following = Following(repository, self._ledger, self._opening, clock, transfers=account_of is not None)
        self._paying = (
            Paying(repository, self._ledger, talk, clock, account_of=account_of, crash=crash) if account_of else None
        )

    async def open(self, who: Principal, command: OpenPayment, key: CommandKey) -> GatewayOrder:
        return await self._opening.open(who, command, key)

    async def verify(self, who: Principal, command: VerifyPayment, key: CommandKey) -> PaymentView:
        return await self._verification.verify(who, command, key)

    async def webhook(self, raw: bytes, signature: str, event_id: str) -> bool:
        return await self._webhooks.receive(raw, signature, event_id)

    async def get(self, who: Principal, payment_id: str) -> PaymentView:
        return (await self._refunds.visible(who, payment_id)).view()

    async def of_order(self, who: Principal, order_id: str) -> PaymentView | None:
        payment = await self._payments.find(payment_id_of(order_id))
        return payment.view() if payment and _may_see(who, payment) else None

    async def refund(self, who: Principal, payment_id: str, command: RequestRefund, key: CommandKey) -> RefundView:
        return await self._refunds.request(who, payment_id, command, key)

    async def refunds(self, who: Principal, payment_id: str) -> Page[RefundView]:
        return await self._refunds.of(who, payment_id)

    async def refund_lines(
        self, who: Principal, order_id: str, lines: Sequence[RefundShare], reason: str, key: str
    ) -> RefundView | None:
        return await self._refunds.of_lines(who, order_id, lines, reason, key)

    async def reconcile(self) -> int:
        return await self._reconciliation.run()

    async def settle_refunds(self) -> int:
        """Send every refund that is wanted and due; how many went through."""
        return await self._refunding.run()

    async def settle_payouts(self) -> int:
        """Move what is due to sellers or back from them; how many moved."""
        return await self._paying.run() if self._paying else 0

    async def run(self, poll_seconds: float = 5.0) -> None:
        """Reconcile, refund and pay out until cancelled, at once when something is due."""
        while True:
            self._ledger.due.clear()
            await self._sweep(self.reconcile)
            await self._sweep(self.settle_refunds)
            await self._sweep(self.settle_payouts)
            try:
                await asyncio.wait_for(self._ledger.due.wait(), poll_seconds)
            except TimeoutError:
                continue

    async def _sweep(self, sweep: Callable[[], Awaitable[int]]) -> None:
        try:
            await sweep()
        except Exception as error:  # noqa: BLE001 - the loop outlives whatever one sweep meets
            log.warning("sweep_failed", error=repr(error))

    async def follow(self, told: Envelope) -> None:
        """What an order's event means for its money; once, and in any order."""
        event = OrderEvent.from_wire(told.data)

        async def effect(unit: Unit) -> None:
            await self._following.follow(event, unit)

        await self._ledger.once(self._inbox, told, effect)
        self._ledger.due.set()

    async def settle(self, payment_id: str) -> None:
        """Tell the order of its money if that was not done; repeatable."""
        await self._ledger.settle(payment_id)


def _may_see(who: Principal, payment: Payment) -> bool:
    return payment.user_id == who.user_id or who.is_admin
