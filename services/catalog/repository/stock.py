"""Stock: holds live inside the variant's document, so each step is one conditional update and needs no lock.

Always: available = on_hand - reserved, reserved = sum of the holds. `mark` is `dirty` for a variant whose stock has
changed since it was last told, `held` for one that was told and still carries holds, and absent otherwise.

A change of what is on hand puts its ledger entry into `moves` by the same write; they leave for the ledger when the
change is told, so that buyers of one variant never wait for each other.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from pymongo import UpdateOne

from services.catalog.models.ledger import returned, sold
from services.catalog.models.product import Move, Variant
from services.catalog.repository.documents import move_document, variant_of
from services.kit.mongo import Collection, Database, DuplicateKey
from services.kit.outbox import Unit

DIRTY, HELD = "dirty", "held"


class StockRepository:
    def __init__(self, database: Database) -> None:
        self._variants: Collection = database["variants"]
        self._returns: Collection = database["restocks"]

    async def find(self, variant_id: str, unit: Unit | None = None) -> Variant | None:
        row = await self._variants.find_one({"_id": variant_id}, session=unit.session if unit else None)
        return variant_of(row) if row else None

    async def hold(self, variant_id: str, order_id: str, qty: int, at: datetime) -> bool:
        """False when there is not enough, the variant is closed, or the order holds it already."""
        result = await self._variants.update_one(
            {"_id": variant_id, "live": True, "available": {"$gte": qty}, "holds.order_id": {"$ne": order_id}},
            {
                "$inc": {"reserved": qty, "available": -qty, "revision": 1},
                "$push": {"holds": {"order_id": order_id, "qty": qty, "at": at}},
                "$set": {"mark": DIRTY},
            },
        )
        return bool(result.modified_count)

    async def sell(self, variant_id: str, order_id: str, qty: int, at: datetime) -> bool:
        """The hold goes and the goods with it; False when the order has no hold of this quantity."""
        move = sold(order_id, variant_id, qty, at)
        return await self._end_hold(variant_id, order_id, qty, {"on_hand": -qty, "reserved": -qty}, move)

    async def free(self, variant_id: str, order_id: str, qty: int, _at: datetime | None = None) -> bool:
        """The hold goes, the goods stay; False when the order has no hold of this quantity."""
        return await self._end_hold(variant_id, order_id, qty, {"reserved": -qty, "available": qty})

    async def _end_hold(
        self, variant_id: str, order_id: str, qty: int, moved: dict[str, int], move: Move | None = None
    ) -> bool:
        result = await self._variants.update_one(
            {"_id": variant_id, "holds": {"$elemMatch": {"order_id": order_id, "qty": qty}}},
            {
                "$pull": {"holds": {"order_id": order_id}},
                "$inc": {**moved, "revision": 1},
                "$set": {"mark": DIRTY},
                **({"$push": {"moves": move_document(move)}} if move else {}),
            },
        )
        return bool(result.modified_count)

    async def take_back(self, variant_id: str, order_id: str, qty: int, at: datetime, unit: Unit) -> bool:
        """Goods return to the shelf; False when this order's were taken back before."""
        row = {"_id": f"{order_id}:{variant_id}", "qty": qty, "at": at}
        if await self._returns.find_one({"_id": row["_id"]}, session=unit.session):
            return False
        try:
            await self._returns.insert_one(row, session=unit.session)
        except DuplicateKey:
            return False
        await self._variants.update_one(
            {"_id": variant_id},
            {
                "$inc": {"on_hand": qty, "available": qty, "revision": 1},
                "$set": {"mark": DIRTY},
                "$push": {"moves": move_document(returned(order_id, variant_id, qty, at))},
            },
            session=unit.session,
        )
        return True

    async def set_on_hand(self, variant: Variant, on_hand: int, move: Move, unit: Unit) -> bool:
        """Count the shelf anew; False when goods moved since `variant` was read, or holds need more."""
        moved = on_hand - variant.on_hand
        result = await self._variants.update_one(
            {"_id": variant.variant_id, "on_hand": variant.on_hand, "reserved": {"$lte": on_hand}},
            {
                "$inc": {"on_hand": moved, "available": moved, "revision": 1},
                "$set": {"mark": DIRTY},
                "$push": {"moves": move_document(move)},
            },
            session=unit.session,
        )
        return bool(result.modified_count)

    async def dirty(self) -> list[Variant]:
        """Variants whose stock moved since they were last told."""
        return [variant_of(row) for row in await self._variants.find({"mark": DIRTY}).to_list(None)]

    async def told(self, variants: Sequence[tuple[Variant, bool]]) -> None:
        """Clear marks and booked moves of variants that are still as they were read, and keep whether they are low."""
        if variants:
            await self._variants.bulk_write([_cleared(variant, low) for variant, low in variants], ordered=False)

    async def held(self) -> list[Variant]:
        return [variant_of(row) for row in await self._variants.find({"mark": {"$in": [DIRTY, HELD]}}).to_list(None)]


def _cleared(variant: Variant, low: bool) -> UpdateOne:
    change: dict[str, Any] = {"$set": {"low": low, "mark": HELD, "moves": []}}
    if not variant.holds:
        change = {"$set": {"low": low, "moves": []}, "$unset": {"mark": ""}}
    return UpdateOne({"_id": variant.variant_id, "revision": variant.revision}, change)
