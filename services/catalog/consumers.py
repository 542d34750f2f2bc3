"""The search index listens to what happens to products, stock and reviews."""

from services.catalog.service import CatalogService
from services.contracts.events import QUEUES
from services.kit.broker import Subscription

QUEUE = "search-index-queue"


def subscription(catalog: CatalogService) -> Subscription:
    """Repeatable by nature: each event makes the index equal to the documents of now."""
    return Subscription(QUEUE, QUEUES[QUEUE], catalog.follow)
