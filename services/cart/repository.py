"""Carts in MongoDB: one document each, changed only by a write that names the version it was made from."""

from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from pymongo import ASCENDING, IndexModel

from services.cart.models import Cart, Line, cart_id_of
from services.kit.clock import Clock
from services.kit.mongo import Database, DuplicateKey, Session, ensure_indexes
from services.kit.outbox import Unit

GUEST_CARTS_LIVE = timedelta(days=30)


class CartRepository:
    """The `carts` collection. A guest's cart is forgotten 30 days after its last change."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._carts = database["carts"]
        self._clock = clock

    async def prepare(self) -> None:
        guests = IndexModel([("expires_at", ASCENDING)], expireAfterSeconds=0)
        await ensure_indexes(self._database, {"carts": [guests]})

    async def of(self, owner: str, unit: Unit | None = None) -> Cart:
        """The owner's cart; an empty one of version 0 when nothing was ever stored."""
        row = await self._carts.find_one({"_id": cart_id_of(owner)}, session=_session(unit))
        return _cart(row) if row else Cart.empty(owner)

    async def save(self, cart: Cart, unit: Unit | None = None) -> bool:
        """Store as the next version; False when somebody else was faster and nothing was written."""
        row = _row(cart, self._clock.now())
        try:
            result = await self._carts.replace_one(
                {"_id": cart.cart_id, "version": cart.version}, row, upsert=cart.version == 0, session=_session(unit)
            )
        except DuplicateKey:
            return False
        return result.modified_count == 1 or result.upserted_id is not None

    async def create(self, owner: str) -> None:
        """An empty cart, if there is none."""
        try:
            await self._carts.insert_one(_row(Cart.empty(owner), self._clock.now()) | {"version": 0})
        except DuplicateKey:
            return


def _session(unit: Unit | None) -> Session | None:
    return unit.session if unit else None


def _row(cart: Cart, now: datetime) -> dict[str, Any]:
    row: dict[str, Any] = {
        "_id": cart.cart_id,
        "owner": cart.owner,
        "version": cart.version + 1,
        "lines": [_line_row(line) for line in cart.lines],
        "applied": list(cart.applied),
        "ordered": [
            {"order_id": order_id, "lines": None if lines is None else [_line_row(line) for line in lines]}
            for order_id, lines in (cart.ordered or {}).items()
        ],
        "updated_at": now,
    }
    if cart.owner.startswith("gst_"):
        row["expires_at"] = now + GUEST_CARTS_LIVE
    return row


def _line_row(line: Line) -> dict[str, Any]:
    return asdict(line)


def _cart(row: dict[str, Any]) -> Cart:
    return Cart(
        cart_id=row["_id"],
        owner=row["owner"],
        version=row["version"],
        lines=tuple(Line(**line) for line in row["lines"]),
        applied=tuple(row["applied"]),
        ordered={
            entry["order_id"]: None if entry["lines"] is None else tuple(Line(**line) for line in entry["lines"])
            for entry in row["ordered"]
        },
    )
