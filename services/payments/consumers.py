"""What payments learn from orders and from their own events: cash to collect, money to give back, orders to tell."""

from services.contracts.events import (
    QUEUES,
    OrderCancelled,
    OrderCreated,
    OrderEvent,
    OrderExpired,
    PaymentSucceeded,
)
from services.kit.broker import Subscription
from services.kit.events import Envelope
from services.kit.inbox import Inbox
from services.kit.outbox import Unit
from services.payments.service import PaymentsService

QUEUE = "payment-settlement-queue"


def subscription(service: PaymentsService, inbox: Inbox) -> Subscription:
    """Idempotent by `inbox`; events that concern no payment pass."""

    async def handle(envelope: Envelope) -> None:
        if envelope.type in {PaymentSucceeded.TYPE, *PaymentSucceeded.ALIASES}:
            await service.settle(PaymentSucceeded.from_wire(envelope.data).payment_id)
        elif envelope.type == OrderCreated.TYPE:
            await _created(envelope)
        elif envelope.type in {OrderCancelled.TYPE, OrderExpired.TYPE}:
            await _ended(envelope)

    async def _created(envelope: Envelope) -> None:
        event = OrderEvent.from_wire(envelope.data)
        if event.payment_method != "cod":
            return

        async def effect(unit: Unit) -> None:
            await service.open_cod(event, unit)

        await inbox.once(envelope, effect)

    async def _ended(envelope: Envelope) -> None:
        event = OrderEvent.from_wire(envelope.data)

        async def effect(unit: Unit) -> None:
            await service.close(event, unit)

        await inbox.once(envelope, effect)
        service.wake()

    return Subscription(queue=QUEUE, topics=QUEUES[QUEUE], handle=handle)
