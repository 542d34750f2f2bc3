"""What sellers learn from others: accounts, orders, payments, products, stock, reviews."""

from services.contracts.events import QUEUES
from services.kit.broker import Subscription
from services.sellers.service import SellersService

QUEUE = "seller-updates-queue"


def subscription(service: SellersService) -> Subscription:
    """The event log is the inbox: an event is logged in the same write as its effect."""
    return Subscription(queue=QUEUE, topics=QUEUES[QUEUE], handle=service.take)
