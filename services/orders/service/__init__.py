"""The orders service, split by use case; `OrdersService` is all of it behind OrdersPort."""

from services.orders.service.orders import OrdersService

__all__ = ["OrdersService"]
