"""What an order's event means for its money. Every event tells the whole order, so it is read as a state, not a step:

in any order and however often events come, the same money moves once.
"""

from services.contracts.events import OrderEvent
from services.kit.clock import Clock
from services.kit.ids import named_id
from services.kit.log import get_logger
from services.kit.outbox import Unit
from services.payments.models import (
    Payment,
    Share,
    left_of,
    payment_id_of,
    payouts_of,
    refund_of,
    shipping_line,
    split,
    wanted_by_line,
)
from services.payments.models.payout import SMALLEST
from services.payments.repository import PaymentRepository
from services.payments.service.ledger import Ledger
from services.payments.service.opening import Opening

_PAID = frozenset({"paid", "partially_refunded", "refunded"})
log = get_logger("payments")


class Following:
    """With `transfers` sellers are paid by the gateway, else their payouts stay due."""

    def __init__(
        self, repository: PaymentRepository, ledger: Ledger, opening: Opening, clock: Clock, *, transfers: bool
    ) -> None:
        self._payments = repository
        self._ledger = ledger
        self._opening = opening
        self._clock = clock
        self._transfers = transfers

    async def follow(self, event: OrderEvent, unit: Unit) -> None:
        payment = await self._payments.find(payment_id_of(event.order_id), unit)
        if payment is None and event.payment_method == "cod":
            payment = await self._opening.open_cod(event, unit)
        if payment is None:
            return
        payment = await self._cash(payment, event, unit)
        if payment.is_open:
            return
        if event.payment_status in _PAID:
            await self._pay_out(payment, event, unit)
        await self._give_back(payment, event, unit)

    async def _cash(self, payment: Payment, event: OrderEvent, unit: Unit) -> Payment:
        """Cash is collected, or will not be."""
        if not payment.is_cod or payment.status != "pending":
            return payment
        if event.payment_status in _PAID:
            after = payment.collected()
            unit.record(after.success(), sequence=after.version)
        elif event.status in {"cancelled", "expired"}:
            after = payment.called_off()
        else:
            return payment
        await self._ledger.save(after, unit)
        return after

    async def _pay_out(self, payment: Payment, event: OrderEvent, unit: Unit) -> None:
        if not event.lines or await self._payments.payouts_of(payment.payment_id, unit):
            return
        now = self._clock.now()
        refunded = wanted_by_line(await self._payments.refunds_of(payment.payment_id, unit))
        for payout in payouts_of(payment, event, now, transfers=self._transfers):
            made = payout.with_refunds(refunded, now)
            await self._payments.insert_payout(made, unit)
            unit.record(made.fact(), sequence=made.version)

    async def _give_back(self, payment: Payment, event: OrderEvent, unit: Unit) -> None:
        if event.status in {"cancelled", "expired"}:
            await self._ledger.refund_all(unit, payment, f"order {event.status}", _sold(event))
            return
        wanted = wanted_by_line(await self._payments.refunds_of(payment.payment_id, unit))
        due = left_of(_due(event), wanted)
        amount = min(sum(share.amount for share in due), payment.left_to_refund)
        if amount < SMALLEST:
            if amount > 0:
                log.warning("refund_too_small", order_id=event.order_id, amount=amount)
            return
        refund_id = named_id("rfd", payment.payment_id, "due", str(payment.refund_wanted))
        shares = split(amount, due)
        refund = refund_of(payment, refund_id, amount, "cancelled or returned", self._clock.now(), shares)
        await self._ledger.want_refund(unit, payment, refund)


def _sold(event: OrderEvent) -> list[Share]:
    lines = [Share(line.line_id, line.seller_id, line.net) for line in event.lines]
    return lines + [Share(shipping_line(part.seller_id), part.seller_id, part.shipping) for part in event.parts]


def _due(event: OrderEvent) -> list[Share]:
    lines = [Share(line.line_id, line.seller_id, line.refund_due) for line in event.lines]
    return lines + [
        Share(shipping_line(part.seller_id), part.seller_id, part.shipping_refund_due) for part in event.parts
    ]
