"""Sellers' money: transfers by the gateway once a payment is captured, and their reversal when money goes back.

Neither a transfer nor a reversal can be repeated safely at the gateway. So what is wanted stands in our database,
one worker at a time has a payout, and before anything is moved the gateway is asked what it has moved already.
"""

from collections.abc import Awaitable, Callable

from services.contracts.payments import GatewayAway, PaymentRefused
from services.kit.clock import Clock
from services.kit.faults import CrashPoints
from services.kit.log import get_logger
from services.kit.outbox import Unit
from services.payments.models import Payment, Payout, Transferred
from services.payments.repository import PaymentRepository
from services.payments.service.gateway import Gateway
from services.payments.service.ledger import Ledger, Overtaken
from services.payments.service.sweeping import each

AccountOf = Callable[[str], Awaitable[str | None]]
"""A seller's account at the gateway; None while there is none."""
log = get_logger("payments")


class Paying:
    """Moves what is due to sellers."""

    def __init__(
        self,
        repository: PaymentRepository,
        ledger: Ledger,
        gateway: Gateway,
        clock: Clock,
        *,
        account_of: AccountOf,
        crash: CrashPoints,
    ) -> None:
        self._payments = repository
        self._ledger = ledger
        self._gateway = gateway
        self._clock = clock
        self._account_of = account_of
        self._crash = crash

    async def run(self) -> int:
        return await each(await self._payments.due_payouts(self._clock.now()), self._look)

    async def _look(self, payout_id: str) -> bool:
        payout = await self._taken(payout_id)
        if payout is None:
            return False
        try:
            moved = await self._moved(payout)
        except (GatewayAway, PaymentRefused) as error:
            tell = log.error if isinstance(error, PaymentRefused) else log.warning
            tell("payout_postponed", payout_id=payout_id, reason=error.message, details=error.details)
            moved = None
        self._crash.reach("payments.payout.gateway")
        await self._kept(payout_id, moved)
        return moved is not None

    async def _taken(self, payout_id: str) -> Payout | None:
        """The payout for this worker alone, for as long as its lease."""
        payout = await self._payments.find_payout(payout_id)
        if payout is None or payout.ask_at is None or payout.ask_at > self._clock.now():
            return None
        leased = payout.leased(self._clock.now())
        return leased if await self._payments.save_payout(leased) else None

    async def _moved(self, payout: Payout) -> Transferred | None:
        """The transfer as it is after what was due; None when there is nothing to move or nowhere to move it."""
        if payout.transfer_id is not None:
            return await self._gateway.reversed_to(payout.transfer_id, payout.to_reverse)
        payment = await self._payments.find(payout.payment_id)
        account = await self._account_of(payout.seller_id)
        if not payout.to_send or payment is None or account is None:
            return None
        return await self._transferred(payment, payout, account)

    async def _transferred(self, payment: Payment, payout: Payout, account: str) -> Transferred | None:
        if payment.transaction_id is None:
            return None
        return await self._gateway.transferred(payment.transaction_id, payout, account)

    async def _kept(self, payout_id: str, moved: Transferred | None) -> None:
        async def keep(unit: Unit) -> None:
            payout = await self._payments.find_payout(payout_id, unit)
            if payout is None:
                return
            if moved:
                await self._ledger.save_payout(payout.moved(moved, self._clock.now()), unit)
            else:
                await self._rest(payout, unit)

        await self._ledger.in_one_write(keep)

    async def _rest(self, payout: Payout, unit: Unit) -> None:
        idle = not payout.to_send and payout.to_reverse == payout.reversed
        after = payout.rested() if idle else payout.postponed(self._clock.now())
        if not await self._payments.save_payout(after, unit):
            raise Overtaken
