"""What orders learn from events: payments that were reported late or only here."""

from services.contracts.events import QUEUES, PaymentRefunded, PaymentSucceeded
from services.contracts.orders import OrdersPort, PaymentFact
from services.kit.broker import Subscription
from services.kit.events import Envelope
from services.kit.principal import SYSTEM

QUEUE = "order-queue"


def subscription(orders: OrdersPort) -> Subscription:
    """Both effects are decided on the order's own state (its payment, what went back), so repeats do nothing."""

    async def handle(envelope: Envelope) -> None:
        if envelope.type in {PaymentSucceeded.TYPE, *PaymentSucceeded.ALIASES}:
            await _paid(PaymentSucceeded.from_wire(envelope.data))
        elif envelope.type == PaymentRefunded.TYPE:
            await _refunded(PaymentRefunded.from_wire(envelope.data))

    async def _paid(event: PaymentSucceeded) -> None:
        fact = PaymentFact(
            payment_id=event.payment_id, order_id=event.order_id, amount=event.amount, method=event.method
        )
        await orders.mark_paid(SYSTEM, fact)

    async def _refunded(event: PaymentRefunded) -> None:
        """Money that was never accepted for the order goes back without a trace on it."""
        order = await orders.get(SYSTEM, event.order_id)
        if order.payment_id == event.payment_id:
            await orders.mark_refunded(SYSTEM, event.order_id, event.refunded)

    return Subscription(queue=QUEUE, topics=QUEUES[QUEUE], handle=handle)
