"""The cart service; `CartService` is all of it behind CartPort."""

from services.cart.service.carts import CartService

__all__ = ["CartService"]
