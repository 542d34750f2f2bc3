"""A seller's part of an order and where it may go; the order stands where its least advanced live part stands."""

from collections.abc import Mapping, Sequence

from services.contracts.catalog import LineIn
from services.contracts.orders import OrderStatus, Part, PartStatus
from services.kit.wire import Wire

PART_MOVES: Mapping[PartStatus, frozenset[PartStatus]] = {
    "pending": frozenset({"confirmed", "cancelled"}),
    "confirmed": frozenset({"shipped", "cancelled"}),
    "shipped": frozenset({"delivered"}),
    "delivered": frozenset({"returned"}),
    "cancelled": frozenset(),
    "returned": frozenset(),
}
"""Every legal move of a part."""
_ADVANCE: Sequence[PartStatus] = ("pending", "confirmed", "shipped", "delivered")
ENDED = frozenset({"delivered", "cancelled", "returned"})


class TakeBack(Wire):
    """Sold goods that return to the shelf; once per `reference`."""

    reference: str
    lines: tuple[LineIn, ...]


class Issuer(Wire):
    """Who sells, as it was on the day of the sale."""

    seller_id: str
    name: str
    state: str = ""
    gstin: str | None = None


class IllegalMove(Exception):
    """A step the table does not allow; a bug of the caller, who checks first."""


def status_of(parts: Sequence[Part]) -> OrderStatus:
    """Of an order with these parts; once none is live, it was returned if any part was."""
    live = [_ADVANCE.index(part.status) for part in parts if part.status in _ADVANCE]
    if live:
        return _ADVANCE[min(live)]
    return "returned" if any(part.status == "returned" for part in parts) else "cancelled"


def parts_at(parts: Sequence[Part], status: OrderStatus) -> tuple[Part, ...]:
    """The parts when the order as a whole has moved; what was cancelled stays so."""
    whole = "cancelled" if status == "expired" else status
    return tuple(part if part.status == "cancelled" else part.model_copy(update={"status": whole}) for part in parts)


def with_part(parts: Sequence[Part], changed: Part) -> tuple[Part, ...]:
    return tuple(changed if part.seller_id == changed.seller_id else part for part in parts)
