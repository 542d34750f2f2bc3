"""The catalogue's documents: `products`, and `variants` that carry their own stock and holds."""

from services.catalog.repository.ledger import LedgerRepository
from services.catalog.repository.products import ProductRepository
from services.catalog.repository.reviews import ReviewRepository
from services.catalog.repository.stock import StockRepository

__all__ = ["LedgerRepository", "ProductRepository", "ReviewRepository", "StockRepository"]
