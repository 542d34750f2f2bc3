"""Payments, refunds and payouts in MongoDB. `_id` is the public id; what needs a look is found by `ask_at` alone."""

from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from pymongo import ASCENDING, IndexModel

from services.kit.mongo import Database, Session, ensure_indexes
from services.kit.outbox import Unit
from services.payments.models import Payment, Payout, Refund, Share, SoldShare

_LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)


class PaymentRepository:
    """The collections `payments`, `refunds` and `payouts`."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._payments = database["payments"]
        self._refunds = database["refunds"]
        self._payouts = database["payouts"]

    async def prepare(self) -> None:
        by_look = IndexModel([("ask_at", ASCENDING)])
        by_gateway_order = IndexModel([("razorpay_order_id", ASCENDING)])
        by_payment = IndexModel([("payment_id", ASCENDING)])
        wanted = {
            "payments": [by_look, by_gateway_order],
            "refunds": [by_look, by_payment],
            "payouts": [by_look, by_payment],
        }
        await ensure_indexes(self._database, wanted)

    async def find(self, payment_id: str, unit: Unit | None = None) -> Payment | None:
        row = await self._payments.find_one({"_id": payment_id}, session=_session(unit))
        return _payment(row) if row else None

    async def find_by_gateway_order(self, razorpay_order_id: str) -> Payment | None:
        row = await self._payments.find_one({"razorpay_order_id": razorpay_order_id})
        return _payment(row) if row else None

    async def insert(self, payment: Payment, unit: Unit) -> None:
        """Raises DuplicateKey when the order has its payment already."""
        await self._payments.insert_one(_row(payment, "payment_id"), session=unit.session)

    async def save(self, payment: Payment, unit: Unit | None = None) -> bool:
        """Store as the version after the one it was made from; False when somebody else was faster."""
        row = _row(payment, "payment_id")
        key = {"_id": row.pop("_id"), "version": payment.version - 1}
        result = await self._payments.update_one(key, {"$set": row}, session=_session(unit))
        return result.modified_count == 1

    async def due(self, now: datetime) -> list[str]:
        """Payments whose look is due."""
        return await self._due(self._payments, now)

    async def find_refund(self, refund_id: str, unit: Unit | None = None) -> Refund | None:
        row = await self._refunds.find_one({"_id": refund_id}, session=_session(unit))
        return _refund(row) if row else None

    async def insert_refund(self, refund: Refund, unit: Unit) -> None:
        """Raises DuplicateKey when it is wanted already."""
        await self._refunds.insert_one(_row(refund, "refund_id"), session=unit.session)

    async def save_refund(self, refund: Refund, unit: Unit | None = None) -> bool:
        """Store a refund that is still pending; False when it was processed meanwhile."""
        row = _row(refund, "refund_id")
        key = {"_id": row.pop("_id"), "status": "pending"}
        result = await self._refunds.update_one(key, {"$set": row}, session=_session(unit))
        return result.modified_count == 1

    async def due_refunds(self, now: datetime) -> list[str]:
        return await self._due(self._refunds, now)

    async def refunds_of(self, payment_id: str, unit: Unit | None = None) -> list[Refund]:
        """Every refund of this payment, and of money that came beside it; oldest first."""
        rows = await self._refunds.find({"payment_id": payment_id}, session=_session(unit)).to_list(None)
        rows.sort(key=lambda row: (row["created_at"], row["_id"]))
        return [_refund(row) for row in rows]

    async def find_payout(self, payout_id: str, unit: Unit | None = None) -> Payout | None:
        row = await self._payouts.find_one({"_id": payout_id}, session=_session(unit))
        return _payout(row) if row else None

    async def payouts_of(self, payment_id: str, unit: Unit) -> list[Payout]:
        rows = await self._payouts.find({"payment_id": payment_id}, session=unit.session).to_list(None)
        return [_payout(row) for row in rows]

    async def insert_payout(self, payout: Payout, unit: Unit) -> None:
        """Raises DuplicateKey when it is there already."""
        await self._payouts.insert_one(_row(payout, "payout_id"), session=unit.session)

    async def save_payout(self, payout: Payout, unit: Unit | None = None) -> bool:
        """Store as the version after the one it was made from; False when somebody else was faster."""
        row = _row(payout, "payout_id")
        key = {"_id": row.pop("_id"), "version": payout.version - 1}
        result = await self._payouts.update_one(key, {"$set": row}, session=_session(unit))
        return result.modified_count == 1

    async def due_payouts(self, now: datetime) -> list[str]:
        return await self._due(self._payouts, now)

    async def _due(self, collection: Any, now: datetime) -> list[str]:
        rows = await collection.find({"ask_at": {"$gt": _LONG_AGO, "$lte": now}}, {"_id": 1}).to_list(None)
        return [row["_id"] for row in rows]


def _session(unit: Unit | None) -> Session | None:
    return unit.session if unit else None


def _row(entity: Payment | Refund | Payout, id_field: str) -> dict[str, Any]:
    row = asdict(entity)
    return {"_id": row.pop(id_field), **row}


def _payment(row: dict[str, Any]) -> Payment:
    return Payment(payment_id=row.pop("_id"), **row)


def _refund(row: dict[str, Any]) -> Refund:
    shares = tuple(Share(**share) for share in row.pop("shares", ()))
    return Refund(refund_id=row.pop("_id"), shares=shares, **row)


def _payout(row: dict[str, Any]) -> Payout:
    lines = tuple(SoldShare(**line) for line in row.pop("lines"))
    return Payout(payout_id=row.pop("_id"), lines=lines, **row)
