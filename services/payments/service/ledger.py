"""Where facts move payments: one transition, its events and what follows of it, whoever brings the fact."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TypeVar

from services.contracts.orders import OrdersPort
from services.kit.clock import Clock
from services.kit.errors import CohortError, NotFound
from services.kit.events import Envelope
from services.kit.faults import CrashPoints
from services.kit.inbox import Inbox
from services.kit.log import get_logger
from services.kit.mongo import AWAY, DuplicateKey
from services.kit.outbox import Outbox, Unit
from services.kit.principal import SYSTEM
from services.payments.models import (
    GatewayFact,
    Outcome,
    Payment,
    Payout,
    Refund,
    Share,
    left_of,
    split,
    stray_refund,
    wanted_by_line,
    whole_refund,
)
from services.payments.repository import PaymentRepository

ATTEMPTS = 20
log = get_logger("payments")

Result = TypeVar("Result")
Beside = Callable[[Unit, Payment], Awaitable[None]]
"""Further writes of the same transaction, given the payment as it will be."""


class Overtaken(Exception):
    """Another writer was faster: begin again from a fresh read."""


class Ledger:
    """`patience_seconds` is how long an answer waits for orders to take note; after that the sweep goes on."""

    def __init__(
        self,
        repository: PaymentRepository,
        outbox: Outbox,
        *,
        orders: OrdersPort,
        clock: Clock,
        crash: CrashPoints,
        patience_seconds: float,
    ) -> None:
        self.due = asyncio.Event()
        self._payments = repository
        self._outbox = outbox
        self._orders = orders
        self._clock = clock
        self._crash = crash
        self._patience = patience_seconds

    async def feed(self, payment_id: str, fact: GatewayFact, beside: Beside | None = None) -> Payment:
        """Move the payment by the fact in a transaction of its own, then tell the order."""

        async def work(unit: Unit) -> Outcome:
            outcome = await self.feed_within(unit, payment_id, fact)
            if beside:
                await beside(unit, outcome.payment)
            return outcome

        outcome = await self.in_one_write(work)
        await self.follow_up(outcome)
        return outcome.payment

    async def feed_within(self, unit: Unit, payment_id: str, fact: GatewayFact) -> Outcome:
        """The transition, its events and a refund of money that came twice, inside a transaction."""
        before = await self.read(payment_id, unit)
        outcome = before.after(fact, self._clock.now())
        if outcome.stray:
            log.error("money_beside_the_payment", payment_id=payment_id, transaction_id=fact.transaction_id)
            await self._want_stray_back(unit, stray_refund(before, fact, self._clock.now()))
        if outcome.payment is not before:
            await self.save(outcome.payment, unit)
        for event in outcome.events:
            unit.record(event, sequence=outcome.payment.version)
        return outcome

    async def follow_up(self, outcome: Outcome) -> None:
        """Once it is committed: tell the order of its money, wake whoever captures and refunds."""
        self._crash.reach("payments.completed")
        if outcome.stray or outcome.payment.status == "authorized":
            self.due.set()
        if outcome.payment.is_unsettled:
            await self._tell(outcome.payment)

    async def settle(self, payment_id: str) -> bool:
        """Tell the order of its money if that is still to do; whether it took note now."""
        payment = await self._payments.find(payment_id)
        return payment is not None and payment.is_unsettled and await self._tell(payment)

    async def refund_all(self, unit: Unit, payment: Payment, reason: str, sold: Sequence[Share] = ()) -> None:
        """Want back whatever is left of a captured payment, split over the lines as `sold`; once."""
        if payment.is_open or payment.is_cod or payment.left_to_refund <= 0:
            return
        left = left_of(sold, wanted_by_line(await self._payments.refunds_of(payment.payment_id, unit)))
        shares = split(payment.left_to_refund, left)
        await self.want_refund(unit, payment, whole_refund(payment, reason, self._clock.now(), shares))

    async def want_refund(self, unit: Unit, payment: Payment, refund: Refund) -> None:
        """From now on this money goes back, and what sellers get of the payment follows; once per refund id."""
        if await self._payments.find_refund(refund.refund_id, unit):
            return
        earlier = await self._payments.refunds_of(payment.payment_id, unit)
        await self._payments.insert_refund(refund, unit)
        await self.save(payment.wanting_back(refund.amount), unit)
        await self._claw_back(unit, payment.payment_id, wanted_by_line([*earlier, refund]))

    async def _claw_back(self, unit: Unit, payment_id: str, refunded: Mapping[str, int]) -> None:
        for payout in await self._payments.payouts_of(payment_id, unit):
            after = payout.with_refunds(refunded, self._clock.now())
            if after is not payout:
                await self.save_payout(after, unit)

    async def save_payout(self, payout: Payout, unit: Unit) -> None:
        """With the event of it."""
        if not await self._payments.save_payout(payout, unit):
            raise Overtaken
        unit.record(payout.fact(), sequence=payout.version)

    async def _want_stray_back(self, unit: Unit, refund: Refund) -> None:
        if await self._payments.find_refund(refund.refund_id, unit) is None:
            await self._payments.insert_refund(refund, unit)

    async def read(self, payment_id: str, unit: Unit) -> Payment:
        payment = await self._payments.find(payment_id, unit)
        if payment is None:
            raise NotFound.of("payment")
        return payment

    async def once(self, inbox: Inbox, event: Envelope, effect: Callable[[Unit], Awaitable[None]]) -> bool:
        """The effect of an event, once; False when it had it before."""
        for _ in range(ATTEMPTS):
            try:
                return await inbox.once(event, effect)
            except Overtaken:
                continue
        raise Overtaken

    async def in_one_write(self, work: Callable[[Unit], Awaitable[Result]]) -> Result:
        for _ in range(ATTEMPTS):
            try:
                return await self._outbox.transact(work)
            except (Overtaken, DuplicateKey):
                continue
        raise Overtaken

    async def save(self, payment: Payment, unit: Unit) -> None:
        if not await self._payments.save(payment, unit):
            raise Overtaken

    async def _tell(self, payment: Payment) -> bool:
        """False when orders could not be reached: the sweep tells them later."""
        try:
            async with asyncio.timeout(self._patience):
                accepted = await self._accepted(payment)
        except (CohortError, TimeoutError, *AWAY) as error:
            log.warning("order_not_told", payment_id=payment.payment_id, error=repr(error))
            return False
        self._crash.reach("payments.told")
        if accepted and await self._payments.save(payment.told()):
            return True
        await self.in_one_write(lambda unit: self._told(unit, payment.payment_id, accepted=accepted))
        self.due.set()
        return True

    async def _accepted(self, payment: Payment) -> bool:
        try:
            return (await self._orders.mark_paid(SYSTEM, payment.paid_fact())).accepted
        except NotFound:
            return False

    async def _told(self, unit: Unit, payment_id: str, *, accepted: bool) -> Payment:
        payment = await self.read(payment_id, unit)
        if not payment.is_unsettled:
            return payment
        told = payment.told()
        await self.save(told, unit)
        if not accepted:
            await self.refund_all(unit, told, "the order was closed when the money came")
        return told
