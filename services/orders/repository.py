"""Orders in MongoDB. An order changes only by a write that names the state it was made from."""

from collections.abc import Iterable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from pymongo import ASCENDING, IndexModel

from services.kit.mongo import Database, DuplicateKey, ensure_indexes
from services.kit.outbox import Unit
from services.orders.models.order import AFTER_STEP, Order, StockStep

_LIVE = {"pending", "confirmed", "shipped", "delivered", "returned"}
_BATCH = 500


class OrderRepository:
    """The `orders` collection: orders, and tombstones under ids whose order must never be saved any more."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._orders = database["orders"]
        self._series = database["invoice_series"]
        self._open_series: set[str] = set()
        self._returns = database["returns"]
        self._days = database["order_days"]
        self._known_days: set[str] = set()

    async def prepare(self) -> None:
        await ensure_indexes(
            self._database,
            {
                "orders": [
                    IndexModel([("user_id", ASCENDING)]),
                    IndexModel([("cart_claim", ASCENDING)], unique=True, sparse=True),
                    IndexModel([("expiry_minute", ASCENDING)], sparse=True),
                    IndexModel([("stock_due", ASCENDING)], sparse=True),
                    IndexModel([("day", ASCENDING), ("status", ASCENDING)]),
                    IndexModel([("lines.product_id", ASCENDING)]),
                ]
            },
        )

    async def insert(self, order: Order, unit: Unit) -> None:
        """Raises DuplicateKey for a taken id, or when this version of the cart is a live order already."""
        await self._orders.insert_one(_row(order), session=unit.session)

    async def replace(self, before: Order, after: Order, unit: Unit) -> bool:
        """False when the order is no longer as `before` says; then nothing was written."""
        same = {
            "_id": before.order_id,
            "version": before.version,
            "stock": before.stock,
            "stock_due": before.stock_due or {"$exists": False},
        }
        result = await self._orders.replace_one(same, _row(after), session=unit.session)
        return bool(result.modified_count == 1)

    async def find(self, order_id: str) -> Order | None:
        row = await self._orders.find_one({"_id": order_id})
        return None if row is None or row.get("tombstone") else _order(row)

    async def is_buried(self, order_id: str) -> bool:
        row = await self._orders.find_one({"_id": order_id}, {"tombstone": 1})
        return row is not None and bool(row.get("tombstone"))

    async def bury(self, order_id: str, now: datetime) -> bool:
        """From now on no order can be saved under this id; False when one was."""
        try:
            await self._orders.insert_one({"_id": order_id, "tombstone": True, "at": now})
        except DuplicateKey:
            return await self.is_buried(order_id)
        return True

    async def order_of_cart(self, cart_id: str, cart_version: int) -> str | None:
        row = await self._orders.find_one({"cart_claim": _claim(cart_id, cart_version)}, {"_id": 1})
        return None if row is None else str(row["_id"])

    async def ids_of_user(self, user_id: str) -> list[str]:
        """Newest first."""
        rows = await self._orders.find({"user_id": user_id}, {"created_at": 1}).to_list(None)
        rows.sort(key=lambda row: (row["created_at"], row["_id"]), reverse=True)
        return [row["_id"] for row in rows]

    async def deliveries_of(self, user_id: str, product_id: str) -> list[dict[str, Any]]:
        """Status, parts, timeline and lines of this buyer's orders of the product, as they are stored."""
        fields = {"status": 1, "parts": 1, "timeline": 1, "lines.product_id": 1, "lines.seller_id": 1}
        return await self._orders.find({"user_id": user_id, "lines.product_id": product_id}, fields).to_list(None)

    async def names_product(self, product_id: str) -> bool:
        return await self._orders.find_one({"lines.product_id": product_id}, {"_id": 1}) is not None

    async def many(self, order_ids: Sequence[str]) -> dict[str, Order]:
        rows = await self._orders.find({"_id": {"$in": list(order_ids)}}).to_list(None)
        return {row["_id"]: _order(row) for row in rows if not row.get("tombstone")}

    async def due_to_expire(self, now: datetime) -> list[str]:
        rows = await self._orders.find({"expiry_minute": {"$lte": _minute(now)}}, {"_id": 1}).to_list(None)
        return [row["_id"] for row in rows]

    async def with_stock_due(self) -> list[str]:
        steps = list(AFTER_STEP)
        rows = await self._orders.find({"stock_due": {"$in": steps}}, {"_id": 1}).to_list(None)
        return [row["_id"] for row in rows]

    async def stock_settled(self, order_id: str, step: StockStep) -> None:
        """The catalogue has taken this step; repeatable."""
        await self._orders.update_one(
            {"_id": order_id, "stock_due": step},
            {"$set": {"stock": AFTER_STEP[step], "taking_back": None}, "$unset": {"stock_due": ""}},
        )

    async def days(self) -> list[str]:
        """Days (UTC) on which orders were placed, newest first."""
        return sorted((row["_id"] for row in await self._days.find({}).to_list(None)), reverse=True)

    async def ids_of_day(self, day: str, status: str | None) -> list[str]:
        """Newest first."""
        where = {"day": day} | ({"status": status} if status else {})
        rows = await self._orders.find(where, {"created_at": 1}).to_list(None)
        rows.sort(key=lambda row: (row["created_at"], row["_id"]), reverse=True)
        return [row["_id"] for row in rows]

    async def open_day(self, moment: datetime) -> None:
        """Outside a transaction, before an order of that day is inserted."""
        day = _day(moment)
        if day in self._known_days:
            return
        with suppress(DuplicateKey):
            await self._days.insert_one({"_id": day})
        self._known_days.add(day)

    async def open_series(self, series: str) -> None:
        """Outside a transaction: afterwards the counter is there to be moved."""
        if series in self._open_series:
            return
        with suppress(DuplicateKey):
            await self._series.insert_one({"_id": series, "last": 0})
        self._open_series.add(series)

    async def next_number(self, series: str, unit: Unit) -> int:
        await self._series.update_one({"_id": series}, {"$inc": {"last": 1}}, upsert=True, session=unit.session)
        rows = await self._series.find({"_id": series}, session=unit.session).to_list(None)
        return int(rows[0]["last"])

    async def add_returns(self, order_id: str, return_ids: Sequence[str], unit: Unit) -> None:
        """Where each return is to be found."""
        rows = [{"_id": return_id, "order_id": order_id} for return_id in return_ids]
        await self._returns.insert_many(rows, session=unit.session)

    async def order_of_return(self, return_id: str) -> str | None:
        row = await self._returns.find_one({"_id": return_id})
        return None if row is None else str(row["order_id"])

    async def insert_finished(self, orders: Iterable[Order]) -> None:
        """In bulk; what is there already stays as it is."""
        rows = [_row(order) for order in orders]
        for moment in {row["day"]: row["created_at"] for row in rows}.values():
            await self.open_day(moment)
        for start in range(0, len(rows), _BATCH):
            batch = rows[start : start + _BATCH]
            ids = [row["_id"] for row in batch]
            there = {row["_id"] for row in await self._orders.find({"_id": {"$in": ids}}, {"_id": 1}).to_list(None)}
            fresh = [row for row in batch if row["_id"] not in there]
            if fresh:
                await self._orders.insert_many(fresh)


def _day(moment: datetime) -> str:
    return moment.astimezone(UTC).date().isoformat()


def _minute(moment: datetime) -> int:
    return int(moment.timestamp()) // 60


def _claim(cart_id: str, cart_version: int) -> str:
    return f"{cart_id}:{cart_version}"


def _row(order: Order) -> dict[str, Any]:
    """Fields that serve one index only are there only while they are needed."""
    row = order.model_dump(exclude={"order_id", "stock_due"})
    row["_id"] = order.order_id
    row["day"] = _day(order.created_at)
    if order.cart_version and order.status in _LIVE:
        row["cart_claim"] = _claim(order.cart_id, order.cart_version)
    if order.status == "pending" and order.expires_at:
        row["expiry_minute"] = _minute(order.expires_at)
    if order.stock_due:
        row["stock_due"] = order.stock_due
    return row


def _order(row: dict[str, Any]) -> Order:
    return Order.model_validate({**row, "order_id": row["_id"]})
