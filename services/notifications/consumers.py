from services.contracts.events import QUEUES
from services.kit.broker import Subscription
from services.notifications.service import NotificationsService

QUEUE = "notification-queue"


def subscription(notifications: NotificationsService) -> Subscription:
    return Subscription(QUEUE, QUEUES[QUEUE], notifications.tell)
