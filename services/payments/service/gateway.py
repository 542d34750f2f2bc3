"""The conversation with the gateway: facts come back, its errors become this service's own."""

from collections.abc import Iterator
from contextlib import contextmanager

from services.contracts.payments import GatewayAway, PaymentRefused
from services.kit.log import get_logger
from services.payments.adapters.errors import GatewayRefused, GatewayUnavailable
from services.payments.models import Entity, GatewayFact, GatewayPort, Payment, Payout, Refund, Transferred

RETRY_AFTER = 5
log = get_logger("payments")


class Gateway:
    """Every method raises GatewayAway (the outcome is unknown, repeat) or PaymentRefused (final)."""

    def __init__(self, port: GatewayPort) -> None:
        self._port = port

    @property
    def key_id(self) -> str:
        return self._port.key_id

    async def order_of(self, payment: Payment) -> str:
        """The id of the gateway's one order for this payment."""
        with _own_errors():
            order = await self._port.create_order(
                payment.order_id, payment.amount, payment.currency, {"orderId": payment.order_id}
            )
            return str(order["id"])

    async def receipt_of(self, razorpay_order_id: str) -> str | None:
        """Our order's id as the gateway keeps it."""
        with _own_errors():
            receipt = (await self._port.fetch_order(razorpay_order_id)).get("receipt")
            return receipt if isinstance(receipt, str) else None

    async def fact(self, transaction_id: str) -> GatewayFact:
        with _own_errors():
            return GatewayFact.of(await self._port.fetch_payment(transaction_id))

    async def facts(self, razorpay_order_id: str) -> list[GatewayFact]:
        """Every attempt to pay, the one that says most first."""
        with _own_errors():
            found = [GatewayFact.of(entity) for entity in await self._port.fetch_payments(razorpay_order_id)]
        return sorted(found, key=lambda fact: fact.rank)

    async def captured(self, fact: GatewayFact) -> GatewayFact:
        """Capture what is authorised; the fact itself when somebody has done so before."""
        if fact.state != "authorized":
            return fact
        try:
            with _own_errors():
                return GatewayFact.of(await self._port.capture(fact.transaction_id, fact.amount, fact.currency))
        except PaymentRefused:
            now = await self.fact(fact.transaction_id)
            if now.state == "authorized":
                raise
            return now

    async def refund(self, refund: Refund) -> GatewayFact:
        """Send the money back, once per refund however often this is called; the payment as it stands then."""
        try:
            with _own_errors():
                sent = await self._port.refund(
                    refund.transaction_id, refund.amount, refund.refund_id, {"reason": refund.reason}
                )
                refund_id = str(sent["id"])
        except PaymentRefused:
            refund_id = await self._sent_otherwise(refund)
        with _own_errors():
            return GatewayFact.of(await self._port.fetch_payment(refund.transaction_id), refund_id)

    async def _sent_otherwise(self, refund: Refund) -> str:
        """The refund by which all of this money went back already, from the gateway's own console perhaps."""
        fact = await self.fact(refund.transaction_id)
        with _own_errors():
            sent = await self._port.fetch_refunds(refund.transaction_id)
        if fact.refunded < fact.amount or not sent:
            raise PaymentRefused("the gateway refuses the refund", details={"refundId": refund.refund_id})
        return str(sent[0]["id"])

    async def transferred(self, transaction_id: str, payout: Payout, account: str) -> Transferred:
        """The one transfer of this payout: found by its note among those of the payment, or made now.

        A note is Razorpay's way to recognise a transfer; an answer that was lost is found by it.
        """
        with _own_errors():
            for entity in await self._port.fetch_transfers(transaction_id):
                if _notes(entity).get("payoutId") == payout.payout_id:
                    return _transferred(entity)
            notes = {"payoutId": payout.payout_id, "orderId": payout.order_id}
            made = await self._port.transfer(transaction_id, account, payout.to_send, payout.currency, notes)
            return _transferred(made)

    async def reversed_to(self, transfer_id: str, taken_back: int) -> Transferred:
        """Take back what is missing until `taken_back` paise of the transfer are reversed in all."""
        with _own_errors():
            now = _transferred(await self._port.fetch_transfer(transfer_id))
            missing = taken_back - now.reversed
            if missing <= 0:
                return now
            await self._port.reverse(transfer_id, missing)
            return Transferred(now.transfer_id, now.amount, taken_back)

    def signed(self, razorpay_order_id: str, transaction_id: str, signature: str) -> bool:
        return self._port.verify_signature(razorpay_order_id, transaction_id, signature)

    def sent(self, raw: bytes, signature: str, secrets: list[str]) -> bool:
        return self._port.verify_webhook(raw, signature, secrets)


def _transferred(entity: Entity) -> Transferred:
    return Transferred(str(entity["id"]), int(entity["amount"]), int(entity["amount_reversed"]))


def _notes(entity: Entity) -> dict[str, object]:
    """Razorpay writes no notes as an empty list."""
    notes = entity.get("notes")
    return notes if isinstance(notes, dict) else {}


@contextmanager
def _own_errors() -> Iterator[None]:
    try:
        yield
    except GatewayUnavailable as error:
        raise GatewayAway("the payment gateway does not answer; try again shortly", retry_after=RETRY_AFTER) from error
    except GatewayRefused as error:
        raise PaymentRefused(
            f"the payment gateway refused: {error.description}",
            details={"reason": error.reason or error.code, "description": error.description},
        ) from error
    except (ValueError, KeyError) as error:
        log.error("gateway_answer_unusable", error=repr(error))  # noqa: TRY400 - an answer, not our own failure
        raise GatewayAway("the payment gateway's answer makes no sense", retry_after=RETRY_AFTER) from error
