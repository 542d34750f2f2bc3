"""Finished orders of the past, made by the same rules as new ones."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from services.contracts.events import (
    OrderCancelled,
    OrderConfirmed,
    OrderCreated,
    OrderDelivered,
    OrderEvent,
    OrderExpired,
    OrderReturned,
    OrderShipped,
)
from services.contracts.orders import OrderStatus, Part, SeedOrder, TimelineEntry
from services.kit.ids import named_id
from services.orders.models.billing import Terms, bill, indian_day
from services.orders.models.order import Order, Stock
from services.orders.models.parts import parts_at

_LAST_EVENT: Mapping[OrderStatus, type[OrderEvent]] = {
    "pending": OrderCreated,
    "confirmed": OrderConfirmed,
    "shipped": OrderShipped,
    "delivered": OrderDelivered,
    "cancelled": OrderCancelled,
    "expired": OrderExpired,
    "returned": OrderReturned,
}
_FREED: Mapping[OrderStatus, Stock] = {"expired": "released", "cancelled": "restocked", "returned": "restocked"}


def order_of_seed(seed: SeedOrder, states: Mapping[str, str], terms: Terms) -> Order:
    lines = [(named_id("lin", seed.order_id, line.variant_id), line) for line in seed.lines]
    drawn = bill(lines, states=states, address=seed.address, terms=terms, day=indian_day(seed.placed_at))
    placed = Order.placed(
        seed.order_id,
        drawn,
        user_id=seed.user_id,
        address=seed.address,
        payment_method=seed.payment_method,
        cart_id=named_id("crt", seed.user_id),
        cart_version=0,
        now=seed.placed_at,
        expires_at=None,
    )
    timeline = _timeline(seed)
    return placed.model_copy(
        update={
            "status": seed.status,
            "payment_status": seed.payment_status,
            "payment_id": seed.payment_id,
            "paid": 0 if seed.payment_status in {"unpaid", "authorized"} else drawn.total,
            "refunded": drawn.total if seed.payment_status == "refunded" else 0,
            "parts": _parts(seed, drawn.parts),
            "confirmed_at": seed.confirmed_at,
            "timeline": timeline,
            "version": len(timeline),
            "stock": _FREED.get(seed.status, "committed"),
        }
    )


def fact_of_seed(order: Order) -> OrderEvent:
    """The last event of its life."""
    return order.fact(_LAST_EVENT[order.status])


def _parts(seed: SeedOrder, parts: Sequence[Part]) -> tuple[Part, ...]:
    """Their invoices have numbers of a series of their own, which no counter gave."""
    number = f"H/{seed.order_id[-12:]}" if seed.confirmed_at else None
    moments = {"shipped_at": seed.shipped_at, "delivered_at": seed.delivered_at, "invoice_number": number}
    return tuple(part.model_copy(update=moments) for part in parts_at(parts, seed.status))


def _timeline(seed: SeedOrder) -> tuple[TimelineEntry, ...]:
    steps: list[tuple[str, datetime | None]] = [
        ("pending", seed.placed_at),
        ("confirmed", seed.confirmed_at),
        ("shipped", seed.shipped_at),
        ("delivered", seed.delivered_at),
        ("expired", seed.expired_at),
        ("cancelled", seed.cancelled_at),
        ("returned", seed.returned_at),
    ]
    return tuple(TimelineEntry(status=status, at=at) for status, at in steps if at is not None)
