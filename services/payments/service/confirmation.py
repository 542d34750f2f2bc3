"""How a payment is confirmed: by the buyer's checkout, or by the gateway's webhook. Both feed the one ledger."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import orjson

from services.contracts.payments import (
    GatewayAway,
    PaymentRefused,
    PaymentView,
    SignatureInvalid,
    VerifyPayment,
)
from services.kit.clock import Clock
from services.kit.errors import NotFound
from services.kit.events import Envelope
from services.kit.faults import CrashPoints
from services.kit.idempotency import CommandKey, Idempotency
from services.kit.inbox import Inbox
from services.kit.log import get_logger
from services.kit.outbox import Unit
from services.kit.principal import Principal
from services.payments.models import GatewayFact, Outcome, Payment
from services.payments.repository import PaymentRepository
from services.payments.service.gateway import RETRY_AFTER, Gateway
from services.payments.service.ledger import Ledger
from services.payments.service.opening import Opening

TOLD_BY = {"payment.authorized", "payment.captured", "payment.failed", "order.paid", "refund.processed"}
log = get_logger("payments")


class Verification:
    """The checkout handed ids and a signature to its caller, who brings them here."""

    def __init__(
        self,
        repository: PaymentRepository,
        ledger: Ledger,
        idempotency: Idempotency,
        gateway: Gateway,
        crash: CrashPoints,
    ) -> None:
        self._payments = repository
        self._ledger = ledger
        self._idempotency = idempotency
        self._gateway = gateway
        self._crash = crash

    async def verify(self, who: Principal, command: VerifyPayment, key: CommandKey) -> PaymentView:
        async with self._idempotency.attempt(key, "pay") as attempt:
            if attempt.answer is not None:
                return await self._again(PaymentView.from_wire(attempt.answer))
            payment = await self._own(who, command.order_id)
            if not self._gateway.signed(str(payment.razorpay_order_id), command.payment_id, command.signature):
                raise SignatureInvalid("the signature does not belong to this payment", field="signature")
            fact = await self._captured(payment, command.payment_id)
            self._crash.reach("payments.verify.captured")

            async def keep_answer(unit: Unit, after: Payment) -> None:
                await self._idempotency.complete(attempt, after.view(), unit)

            return (await self._ledger.feed(payment.payment_id, fact, keep_answer)).view()

    async def _again(self, first: PaymentView) -> PaymentView:
        """The first answer; whoever reads it may rely on the order knowing of the money."""
        await self._ledger.settle(first.payment_id)
        return first.as_replayed()

    async def _own(self, who: Principal, razorpay_order_id: str) -> Payment:
        payment = await self._payments.find_by_gateway_order(razorpay_order_id)
        if payment is None or payment.user_id != who.user_id:
            raise NotFound.of("payment")
        return payment

    async def _captured(self, payment: Payment, transaction_id: str) -> GatewayFact:
        """What the gateway says of it now, captured; a failed attempt is written down before it is refused."""
        fact = await self._gateway.fact(transaction_id)
        self._require_same_money(payment, fact)
        fact = await self._gateway.captured(fact)
        if fact.state == "captured":
            return fact
        if fact.state == "created":
            raise GatewayAway("the gateway has not settled this payment yet", retry_after=RETRY_AFTER)
        await self._ledger.feed(payment.payment_id, fact)
        raise PaymentRefused("this payment failed", details={"reason": fact.reason or fact.state})

    def _require_same_money(self, payment: Payment, fact: GatewayFact) -> None:
        told = (fact.razorpay_order_id, fact.amount, fact.currency)
        if told != (payment.razorpay_order_id, payment.amount, payment.currency):
            log.error("payment_differs_from_order", payment_id=payment.payment_id, transaction_id=fact.transaction_id)
            raise PaymentRefused(
                "the gateway's payment is not for this order's amount", details={"reason": "amount_mismatch"}
            )


@dataclass(frozen=True)
class _Notice:
    name: str
    fact: GatewayFact


class Webhooks:
    """The gateway's own messages: any order, any number of times; each event id has its effect once."""

    def __init__(
        self,
        repository: PaymentRepository,
        ledger: Ledger,
        opening: Opening,
        *,
        inbox: Inbox,
        gateway: Gateway,
        clock: Clock,
        secrets: Sequence[str],
    ) -> None:
        self._payments = repository
        self._ledger = ledger
        self._inbox = inbox
        self._opening = opening
        self._gateway = gateway
        self._clock = clock
        self._secrets = [secret for secret in secrets if secret]

    async def receive(self, raw: bytes, signature: str, event_id: str) -> bool:
        if not self._gateway.sent(raw, signature, self._secrets):
            raise SignatureInvalid("this webhook is not signed by the gateway", field="X-Razorpay-Signature")
        notice = _read(raw)
        if notice is None:
            return False
        payment = await self._payment_of(notice)
        return payment is not None and await self._once(event_id or _digest(raw), notice, payment.payment_id)

    async def _payment_of(self, notice: _Notice) -> Payment | None:
        gateway_order = notice.fact.razorpay_order_id
        payment = await self._payments.find_by_gateway_order(gateway_order) or await self._opening.adopt(gateway_order)
        if payment is None:
            log.warning("webhook_of_a_foreign_order", event_name=notice.name, razorpay_order_id=gateway_order)
        return payment

    async def _once(self, event_id: str, notice: _Notice, payment_id: str) -> bool:
        moved: list[Outcome] = []
        envelope = Envelope(
            id=event_id,
            type=f"razorpay.{notice.name}",
            source="/razorpay",
            time=self._clock.now(),
            subject=payment_id,
            data={},
        )

        async def effect(unit: Unit) -> None:
            moved[:] = [await self._ledger.feed_within(unit, payment_id, notice.fact)]

        fresh = await self._ledger.once(self._inbox, envelope, effect)
        if fresh:
            await self._ledger.follow_up(moved[0])
        return fresh


def _digest(raw: bytes) -> str:
    return hashlib.sha256(raw).hexdigest()


def _read(raw: bytes) -> _Notice | None:
    """The notice in a signed body; None, with a line in the log, for one that means nothing to us."""
    try:
        body = orjson.loads(raw)
        name = str(body["event"])
        if name not in TOLD_BY:
            log.info("webhook_ignored", event_name=name)
            return None
        payload = body["payload"]
        refund_id = payload["refund"]["entity"]["id"] if "refund" in payload else None
        return _Notice(name, GatewayFact.of(payload["payment"]["entity"], refund_id))
    except (ValueError, KeyError, TypeError, IndexError) as error:
        log.error("webhook_malformed", error=repr(error))  # noqa: TRY400 - the sender's failure, told in one line
        return None
