"""What must still happen when a request died, a webhook was lost or the gateway was away."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace

from services.contracts.payments import GatewayAway, PaymentRefused
from services.kit.clock import Clock
from services.kit.errors import CohortError
from services.kit.faults import CrashPoints
from services.kit.log import get_logger
from services.kit.mongo import AWAY
from services.kit.outbox import Unit
from services.payments.models import GatewayFact, Payment, Refund
from services.payments.repository import PaymentRepository
from services.payments.service.gateway import Gateway
from services.payments.service.ledger import Ledger

AT_ONCE = 4
log = get_logger("payments")


class Reconciliation:
    """Asks the gateway about every payment that is open and due, and tells orders what they have not heard."""

    def __init__(self, repository: PaymentRepository, ledger: Ledger, gateway: Gateway, clock: Clock) -> None:
        self._payments = repository
        self._ledger = ledger
        self._gateway = gateway
        self._clock = clock

    async def run(self) -> int:
        return await each(await self._payments.due(self._clock.now()), self._look)

    async def _look(self, payment_id: str) -> bool:
        payment = await self._payments.find(payment_id)
        if payment is None or payment.ask_at is None:
            return False
        if payment.is_unsettled:
            return await self._ledger.settle(payment_id) or await self._postponed(payment)
        try:
            return await self._ask(payment)
        except GatewayAway:
            return await self._postponed(payment)

    async def _ask(self, payment: Payment) -> bool:
        after = payment
        try:
            for fact in await self._telling(payment):
                after = await self._ledger.feed(payment.payment_id, fact)
        except PaymentRefused as refusal:
            log.warning("capture_refused", payment_id=payment.payment_id, details=refusal.details)
        if after.status != payment.status:
            return True
        await self._payments.save(after.looked_at(self._clock.now()))
        return False

    async def _postponed(self, payment: Payment) -> bool:
        """Somebody did not answer: the same look again soon."""
        await self._payments.save(payment.postponed(self._clock.now()))
        return False

    async def _telling(self, payment: Payment) -> list[GatewayFact]:
        """Everything captured (a second charge too), else what says most, captured if it is authorised."""
        facts = await self._gateway.facts(str(payment.razorpay_order_id))
        captured = [fact for fact in facts if fact.state == "captured"]
        if captured or not facts:
            return captured
        best = facts[0]
        if best.state != "authorized":
            return [best]
        accepted = payment.after(best, self._clock.now()).payment.status == "authorized"
        return [best, await self._gateway.captured(best)] if accepted else []


class Refunding:
    """Sends wanted refunds to the gateway until each is through. The refund's id is its key, so a repeat is safe."""

    def __init__(
        self,
        repository: PaymentRepository,
        ledger: Ledger,
        gateway: Gateway,
        clock: Clock,
        crash: CrashPoints,
    ) -> None:
        self._payments = repository
        self._ledger = ledger
        self._gateway = gateway
        self._clock = clock
        self._crash = crash

    async def run(self) -> int:
        return await each(await self._payments.due_refunds(self._clock.now()), self._send)

    async def _send(self, refund_id: str) -> bool:
        refund = await self._payments.find_refund(refund_id)
        if refund is None or refund.status != "pending":
            return False
        try:
            fact = await self._gateway.refund(refund)
        except CohortError as error:
            await self._postpone(refund, error)
            return False
        self._crash.reach("payments.refund.gateway")
        await self._through(refund, fact)
        return True

    async def _through(self, refund: Refund, fact: GatewayFact) -> None:
        done = replace(refund, status="processed", gateway_refund_id=fact.refund_id, ask_at=None)

        async def beside(unit: Unit, payment: Payment) -> None:
            fresh = await self._payments.save_refund(done, unit)
            if fresh and refund.transaction_id != payment.transaction_id:
                went_back = payment.stray_went_back(refund.transaction_id, refund.amount, str(fact.refund_id))
                unit.record(went_back, sequence=payment.version)

        await self._ledger.feed(refund.payment_id, fact, beside)

    async def _postpone(self, refund: Refund, error: CohortError) -> None:
        tell = log.error if isinstance(error, PaymentRefused) else log.warning
        tell("refund_postponed", refund_id=refund.refund_id, reason=error.message, details=error.details)
        at = self._clock.now() + refund.wait_after_failure()
        await self._payments.save_refund(replace(refund, ask_at=at, asked=refund.asked + 1))


async def each(found: list[str], look: Callable[[str], Awaitable[bool]]) -> int:
    """How many moved. One that fails keeps its place and stops no other."""
    slots = asyncio.Semaphore(AT_ONCE)

    async def one(identifier: str) -> bool:
        async with slots:
            try:
                return await look(identifier)
            except (CohortError, *AWAY) as error:
                log.warning("look_failed", id=identifier, error=repr(error))
                return False

    return sum(await asyncio.gather(*(one(identifier) for identifier in found)))
