"""Refunds that somebody asks for: an admin for any reason, a buyer for what was cancelled, orders for their lines."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from services.contracts.orders import OrdersPort, OrderView
from services.contracts.payments import (
    RefundNotAllowed,
    RefundShare,
    RefundTooLarge,
    RefundView,
    RequestRefund,
)
from services.kit.clock import Clock
from services.kit.errors import Forbidden, Invalid, NotFound
from services.kit.faults import CrashPoints
from services.kit.idempotency import Attempt, CommandKey, Idempotency
from services.kit.ids import named_id
from services.kit.outbox import Unit
from services.kit.principal import SYSTEM, Principal
from services.kit.wire import Page
from services.payments.models import (
    Payment,
    Refund,
    Share,
    left_of,
    payment_id_of,
    refund_of,
    shipping_line,
    split,
    wanted_by_line,
)
from services.payments.repository import PaymentRepository
from services.payments.service.ledger import Ledger


@dataclass(frozen=True)
class _Claim:
    """The lines that may go back, as they were sold; `whole`: whatever is left of the payment."""

    sold: tuple[Share, ...]
    whole: bool


class Refunds:
    def __init__(
        self,
        repository: PaymentRepository,
        ledger: Ledger,
        idempotency: Idempotency,
        *,
        orders: OrdersPort,
        clock: Clock,
        crash: CrashPoints,
    ) -> None:
        self._payments = repository
        self._ledger = ledger
        self._idempotency = idempotency
        self._orders = orders
        self._clock = clock
        self._crash = crash

    async def request(self, who: Principal, payment_id: str, command: RequestRefund, key: CommandKey) -> RefundView:
        async with self._idempotency.attempt(key, "rfd") as attempt:
            if attempt.answer is not None:
                return RefundView.from_wire(attempt.answer).as_replayed()
            payment = await self.visible(who, payment_id)
            claim = await self._claim(who, payment)
            self._crash.reach("payments.refund.drawn")
            view = await self._ledger.in_one_write(lambda unit: self._wanted(unit, payment_id, claim, command, attempt))
            self._crash.reach("payments.refund.wanted")
        self._ledger.due.set()
        return view

    async def of(self, who: Principal, payment_id: str) -> Page[RefundView]:
        payment = await self.visible(who, payment_id)
        found = await self._payments.refunds_of(payment_id)
        return Page(items=[refund.view(payment.currency) for refund in reversed(found)])

    async def of_lines(
        self, who: Principal, order_id: str, lines: Sequence[RefundShare], reason: str, key: str
    ) -> RefundView | None:
        if not who.service:
            raise Forbidden("this is for the marketplace itself")
        order = await self._orders.get(SYSTEM, order_id)
        refund_id = named_id("rfd", order_id, key)

        async def work(unit: Unit) -> Refund | None:
            return await self._of_lines(unit, order, refund_id, lines, reason)

        refund = await self._ledger.in_one_write(work)
        self._ledger.due.set()
        return refund.view(order.total.currency) if refund else None

    async def visible(self, who: Principal, payment_id: str) -> Payment:
        payment = await self._payments.find(payment_id)
        if payment is None or not (payment.user_id == who.user_id or who.is_admin):
            raise NotFound.of("payment")
        return payment

    async def _claim(self, who: Principal, payment: Payment) -> _Claim:
        """What this caller may have refunded: an admin everything, a buyer what was cancelled."""
        try:
            order = await self._orders.get(SYSTEM, payment.order_id)
        except NotFound:
            return _Claim((), whole=who.is_admin)
        if who.is_admin or order.status in {"cancelled", "expired"}:
            return _Claim(tuple(sold_of(order)), whole=True)
        cancelled = {part.seller_id for part in order.parts if part.status == "cancelled"}
        return _Claim(tuple(sold_of(order, cancelled)), whole=False)

    async def _wanted(
        self, unit: Unit, payment_id: str, claim: _Claim, command: RequestRefund, attempt: Attempt
    ) -> RefundView:
        payment = await self._ledger.read(payment_id, unit)
        wanted = wanted_by_line(await self._payments.refunds_of(payment_id, unit))
        shares, amount = _asked(payment, claim, left_of(claim.sold, wanted), command)
        refund = refund_of(payment, attempt.new_id, amount, command.reason, self._clock.now(), shares)
        await self._ledger.want_refund(unit, payment, refund)
        view = refund.view(payment.currency)
        await self._idempotency.complete(attempt, view, unit)
        return view

    async def _of_lines(
        self, unit: Unit, order: OrderView, refund_id: str, lines: Sequence[RefundShare], reason: str
    ) -> Refund | None:
        known = await self._payments.find_refund(refund_id, unit)
        payment = await self._payments.find(payment_id_of(order.order_id), unit)
        if known or payment is None or payment.is_open:
            return known
        wanted = wanted_by_line(await self._payments.refunds_of(payment.payment_id, unit))
        left = {share.line_id: share for share in left_of(sold_of(order), wanted)}
        shares = tuple(
            Share(line.line_id, left[line.line_id].seller_id, min(line.amount, left[line.line_id].amount))
            for line in lines
            if line.line_id in left
        )
        amount = sum(share.amount for share in shares)
        if not 0 < amount <= payment.left_to_refund:
            return None
        refund = refund_of(payment, refund_id, amount, reason, self._clock.now(), shares)
        await self._ledger.want_refund(unit, payment, refund)
        return refund


def sold_of(order: OrderView, sellers: set[str] | None = None) -> list[Share]:
    """Every line and every part's shipping as it was sold, or of these sellers only."""
    lines = [Share(line.line_id, line.seller_id, line.line_total.amount) for line in order.items]
    shipping = [Share(shipping_line(part.seller_id), part.seller_id, part.shipping.amount) for part in order.parts]
    return [share for share in [*lines, *shipping] if sellers is None or share.seller_id in sellers]


def _asked(
    payment: Payment, claim: _Claim, left: Sequence[Share], command: RequestRefund
) -> tuple[tuple[Share, ...], int]:
    """The lines and the sum of what is asked. Raises RefundNotAllowed, RefundTooLarge, Invalid."""
    most = _most(payment, claim, left)
    if command.lines:
        shares = _named(command, {share.line_id: share for share in left})
        amount = sum(share.amount for share in shares)
    else:
        amount = command.amount or most
        shares = split(amount, left)
    if amount > most:
        raise RefundTooLarge("this is more than is left to refund", field="amount", details={"left": most})
    return shares, amount


def _most(payment: Payment, claim: _Claim, left: Sequence[Share]) -> int:
    most = 0 if payment.is_open else payment.left_to_refund
    if not claim.whole:
        most = min(most, sum(share.amount for share in left))
    if most <= 0:
        raise RefundNotAllowed(
            "nothing of this payment can be refunded now; cancel the order or ask for a return",
            details={"status": payment.status},
        )
    return most


def _named(command: RequestRefund, left: Mapping[str, Share]) -> tuple[Share, ...]:
    for line in command.lines:
        if line.line_id not in left:
            raise Invalid(f"nothing is left to refund of a line {line.line_id}", field="lines")
        if line.amount > left[line.line_id].amount:
            details = {"lineId": line.line_id, "left": left[line.line_id].amount}
            raise RefundTooLarge("this is more than is left of the line", field="lines", details=details)
    return tuple(Share(line.line_id, left[line.line_id].seller_id, line.amount) for line in command.lines)
