"""The database `sellers`: profiles, the event log, and the read models made from it."""

from services.sellers.repository.books import BookRepository
from services.sellers.repository.event_log import EventLog
from services.sellers.repository.low_stock import LowStockRepository
from services.sellers.repository.profiles import ProfileRepository

__all__ = ["BookRepository", "EventLog", "LowStockRepository", "ProfileRepository"]
