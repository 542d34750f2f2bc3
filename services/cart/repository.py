"""Carts in MongoDB: one document each, changed only by a write that names the version it was made from."""

from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from pymongo import ASCENDING, IndexModel

from services.cart.models.cart import Cart, Line, cart_id_of
from services.cart.models.coupon import Redemption
from services.contracts.cart import Coupon
from services.kit.clock import Clock
from services.kit.mongo import Database, DuplicateKey, Session, ensure_indexes
from services.kit.outbox import Unit

GUEST_CARTS_LIVE = timedelta(days=30)


class CartRepository:
    """The `carts` collection. A guest's cart is forgotten 30 days after its last change."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._carts = database["carts"]
        self.clock = clock
        self.coupons = CouponRepository(database)

    async def prepare(self) -> None:
        guests = IndexModel([("expires_at", ASCENDING)], expireAfterSeconds=0)
        await ensure_indexes(self._database, {"carts": [guests]})
        await self.coupons.prepare()

    async def of(self, owner: str, unit: Unit | None = None) -> Cart:
        """The owner's cart; an empty one of version 0 when nothing was ever stored."""
        row = await self._carts.find_one({"_id": cart_id_of(owner)}, session=_session(unit))
        return _cart(row) if row else Cart.empty(owner)

    async def save(self, cart: Cart, unit: Unit | None = None) -> bool:
        """Store as the next version; False when somebody else was faster and nothing was written."""
        row = _row(cart, self.clock.now())
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
            await self._carts.insert_one(_row(Cart.empty(owner), self.clock.now()) | {"version": 0})
        except DuplicateKey:
            return


class CouponRepository:
    """The collections `coupons` and `redemptions`. `open_since` is on a redemption until its order was heard of."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._coupons = database["coupons"]
        self._redemptions = database["redemptions"]

    async def prepare(self) -> None:
        redemptions = [IndexModel([("order_id", ASCENDING)]), IndexModel([("open_since", ASCENDING)], sparse=True)]
        wanted = {"coupons": [IndexModel([("seller_id", ASCENDING)])], "redemptions": redemptions}
        await ensure_indexes(self._database, wanted)

    async def insert(self, coupon: Coupon) -> None:
        """Raises DuplicateKey for a taken code."""
        row = coupon.model_dump()
        await self._coupons.insert_one({"_id": row.pop("code"), **row})

    async def find(self, code: str) -> Coupon | None:
        row = await self._coupons.find_one({"_id": code})
        return _coupon(row) if row else None

    async def of_seller(self, seller_id: str) -> list[Coupon]:
        """Newest first."""
        found = [_coupon(row) for row in await self._coupons.find({"seller_id": seller_id}).to_list(None)]
        return sorted(found, key=lambda coupon: (coupon.created_at, coupon.code), reverse=True)

    async def end(self, code: str, now: datetime) -> None:
        await self._coupons.update_one({"_id": code, "ended_at": None}, {"$set": {"ended_at": now}})

    async def is_redeemed(self, key: str) -> bool:
        return await self._redemptions.find_one({"_id": key}) is not None

    async def redeem(self, redemption: Redemption, now: datetime) -> bool:
        """False when another order has it; the same order may ask again."""
        row = {"_id": redemption.key, "order_id": redemption.order_id, "at": now, "open_since": now}
        try:
            await self._redemptions.insert_one(row)
        except DuplicateKey:
            there = await self._redemptions.find_one({"_id": redemption.key})
            return there is not None and there["order_id"] == redemption.order_id
        return True

    async def release(self, order_id: str) -> None:
        await self._redemptions.delete_many({"order_id": order_id})

    async def keep(self, order_id: str, unit: Unit) -> None:
        """The order is there."""
        await self._redemptions.update_many(
            {"order_id": order_id}, {"$unset": {"open_since": ""}}, session=unit.session
        )

    async def unkept_before(self, moment: datetime) -> list[str]:
        """The orders of redemptions that wait for word of them since before `moment`."""
        rows = await self._redemptions.find({"open_since": {"$lt": moment}}, {"order_id": 1}).to_list(None)
        return sorted({row["order_id"] for row in rows})


def _coupon(row: dict[str, Any]) -> Coupon:
    return Coupon.model_validate({**row, "code": row["_id"]})


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
        "coupon": cart.coupon,
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
        coupon=row.get("coupon"),
    )
