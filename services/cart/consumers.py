"""What the cart learns from others: new accounts, placed orders, orders that ended unpaid."""

from services.cart.service import CartService
from services.contracts.events import QUEUES, OrderCancelled, OrderCreated, OrderEvent, OrderExpired, UserCreated
from services.kit.broker import Subscription
from services.kit.events import Envelope
from services.kit.inbox import Inbox
from services.kit.outbox import Unit

QUEUE = "cart-queue"


def subscription(service: CartService, inbox: Inbox) -> Subscription:
    """Other events on the queue need nothing: a cart reads prices and stock anew each time."""

    async def handle(envelope: Envelope) -> None:
        if envelope.type in {UserCreated.TYPE, *UserCreated.ALIASES}:
            await service.create(UserCreated.from_wire(envelope.data).user_id)
        elif envelope.type == OrderCreated.TYPE:
            await _once(envelope, take=True)
        elif envelope.type in {OrderExpired.TYPE, OrderCancelled.TYPE}:
            await _once(envelope, take=False)

    async def _once(envelope: Envelope, *, take: bool) -> None:
        event = OrderEvent.from_wire(envelope.data)
        if not take and event.payment_status != "unpaid":
            return

        async def effect(unit: Unit) -> None:
            await (service.take_ordered(event, unit) if take else service.give_back(event, unit))

        await inbox.once(envelope, effect)

    return Subscription(queue=QUEUE, topics=QUEUES[QUEUE], handle=handle)
