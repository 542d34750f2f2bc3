"""How an order ends, and when each step happened. No step lies after `now`; what would, has not happened yet."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

from api.demo.model import OrderStatus, PaymentMethod, PaymentStatus

PAYMENT_LIMIT = timedelta(minutes=30)
_ENDINGS = {"delivered": 88.1, "cancelled": 6.0, "returned": 4.4, "expired": 1.5}


@dataclass(frozen=True, slots=True)
class Fate:
    status: OrderStatus
    payment_status: PaymentStatus
    confirmed_at: datetime | None = None
    paid_at: datetime | None = None
    shipped_at: datetime | None = None
    delivered_at: datetime | None = None
    cancelled_at: datetime | None = None
    expired_at: datetime | None = None
    returned_at: datetime | None = None

    @classmethod
    def drawn(cls, created_at: datetime, method: PaymentMethod, now: datetime, draw: Random) -> "Fate":
        ending = draw.choices(list(_ENDINGS), list(_ENDINGS.values()))[0]
        expired_at = created_at + PAYMENT_LIMIT
        if ending == "expired" and method != "cod" and expired_at <= now:
            return cls("expired", "unpaid", expired_at=expired_at)
        if ending == "cancelled":
            cancelled = _cancelled(created_at, method, now, draw)
            if cancelled:
                return cancelled
        return _fulfilled(created_at, method, now, draw, returned=ending == "returned")


def _cancelled(created_at: datetime, method: PaymentMethod, now: datetime, draw: Random) -> Fate | None:
    """Before it was shipped; None if that still lies ahead."""
    cancelled_at = created_at + timedelta(minutes=draw.randint(12, 420))
    if cancelled_at > now:
        return None
    if method == "cod":
        return Fate("cancelled", "unpaid", confirmed_at=created_at, cancelled_at=cancelled_at)
    if draw.random() < 0.2:
        given_up_at = min(created_at + timedelta(minutes=draw.randint(2, 25)), cancelled_at)
        return Fate("cancelled", "unpaid", cancelled_at=given_up_at)
    paid_at = _paid_at(created_at, draw)
    return Fate("cancelled", "refunded", confirmed_at=paid_at, paid_at=paid_at, cancelled_at=cancelled_at)


def _fulfilled(created_at: datetime, method: PaymentMethod, now: datetime, draw: Random, *, returned: bool) -> Fate:
    paid_at = None if method == "cod" else min(_paid_at(created_at, draw), now)
    confirmed_at = paid_at or created_at
    shipped_at = created_at + timedelta(hours=draw.uniform(8, 44))
    delivered_at = shipped_at + timedelta(hours=draw.uniform(20, 140))
    returned_at = delivered_at + timedelta(hours=draw.uniform(30, 220))
    on_the_way: PaymentStatus = "paid" if paid_at else "unpaid"
    if shipped_at > now:
        return Fate("confirmed", on_the_way, confirmed_at, paid_at)
    if delivered_at > now:
        return Fate("shipped", on_the_way, confirmed_at, paid_at, shipped_at)
    paid_at = paid_at or delivered_at
    if returned and returned_at <= now:
        return Fate("returned", "refunded", confirmed_at, paid_at, shipped_at, delivered_at, returned_at=returned_at)
    return Fate("delivered", "paid", confirmed_at, paid_at, shipped_at, delivered_at)


def _paid_at(created_at: datetime, draw: Random) -> datetime:
    return created_at + timedelta(seconds=draw.randint(40, 480))
