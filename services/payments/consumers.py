"""What payments learn from orders and from their own events: cash, refunds, sellers to pay, orders to tell."""

from services.contracts.events import ORDER_EVENTS, QUEUES, OrderCreated, PaymentSucceeded
from services.kit.broker import Subscription
from services.kit.events import Envelope
from services.payments.service import SETTLEMENT, PaymentsService

QUEUE = SETTLEMENT


def subscription(service: PaymentsService) -> Subscription:
    """Idempotent by the service's inbox; events that move no money pass."""

    async def handle(envelope: Envelope) -> None:
        if envelope.type in {PaymentSucceeded.TYPE, *PaymentSucceeded.ALIASES}:
            await service.settle(PaymentSucceeded.from_wire(envelope.data).payment_id)
        elif envelope.type in ORDER_EVENTS and not _is_only_placed(envelope):
            await service.follow(envelope)

    return Subscription(queue=QUEUE, topics=QUEUES[QUEUE], handle=handle)


def _is_only_placed(envelope: Envelope) -> bool:
    """A new order to be paid online: its payment is opened by its buyer."""
    return envelope.type == OrderCreated.TYPE and envelope.data.get("paymentMethod") != "cod"
