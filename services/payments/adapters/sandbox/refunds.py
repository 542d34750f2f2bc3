"""Refunds: whole or in parts, never more than was captured, and once per idempotency key."""

import hashlib
import json
from dataclasses import dataclass

from services.payments.adapters.sandbox import checks
from services.payments.adapters.sandbox.desk import Desk, Plan
from services.payments.adapters.sandbox.entities import Entity, Event, Record, collection, new_refund
from services.payments.adapters.sandbox.errors import (
    RazorpayError,
    id_unknown,
    idempotency_key_reused,
    not_captured,
)
from services.payments.adapters.sandbox.transfers import Undone, reverse_with_refund


@dataclass(frozen=True)
class _Key:
    """A caller's idempotency key and what it was first used for."""

    id: str
    digest: str


class Refunds:
    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def create(self, payment_id: str, body: Entity, idempotency_key: str | None) -> Entity:
        """Refund `amount`, or all that is left. The same key and body again give the same refund."""
        given = checks.idempotency_key(idempotency_key)
        key = _Key(f"refund:{given}", _digest(payment_id, body)) if given else None

        async def work_out() -> Plan:
            if key and (used := await self._desk.find_key(key.id)):
                return await self._repeated(used, key)
            payment = await self._desk.get("payments", payment_id, "pay_")
            return await self._planned(payment, body, key)

        return await self._desk.settle(work_out)

    async def fetch(self, refund_id: str, payment_id: str | None = None) -> Entity:
        found = (await self._desk.get("refunds", refund_id, "rfnd_")).entity
        if payment_id not in (None, found["payment_id"]):
            raise id_unknown()
        return found

    async def list_of(self, payment_id: str) -> Entity:
        await self._desk.get("payments", payment_id, "pay_")
        return collection([record.entity for record in await self._desk.list_by("refunds", payment_id)][::-1])

    async def _repeated(self, used: Record, key: _Key) -> Plan:
        if used.entity["digest"] != key.digest:
            raise idempotency_key_reused()
        return Plan(await self.fetch(used.entity["refund_id"]))

    async def _planned(self, payment: Record, body: Entity, key: _Key | None) -> Plan:
        entity = self._new(payment.entity, body)
        undone = await self._undo_transfers(payment, entity, body)
        refunded = _refunded(payment, entity["amount"]).marked(
            transferred=payment.hidden.get("transferred", 0) - undone.amount
        )
        writes = [self._desk.record("refunds", entity), refunded, *undone.writes]
        if key:
            claim = {"id": key.id, "refund_id": entity["id"], "digest": key.digest}
            writes.append(self._desk.record("keys", claim))
        carries = {"refund": entity, "payment": refunded.entity}
        names = ("refund.created", "refund.processed")
        return Plan(entity, writes, [Event(name, carries, payment.entity["order_id"]) for name in names])

    def _new(self, payment: Entity, body: Entity) -> Entity:
        return new_refund(
            self._desk.new_id("rfnd_"),
            payment,
            _refundable(payment, body),
            speed=checks.speed(body),
            receipt=checks.receipt(body),
            notes=checks.notes(body),
            at=self._desk.now(),
        )

    async def _undo_transfers(self, payment: Record, refund: Entity, body: Entity) -> Undone:
        if not checks.truth(body.get("reverse_all")):
            return Undone()
        return await reverse_with_refund(self._desk, payment.entity, refund)


def _refundable(payment: Entity, body: Entity) -> int:
    """The amount to refund in paise."""
    if payment["status"] == "refunded":
        raise RazorpayError("The payment has been fully refunded already")
    if payment["status"] != "captured":
        raise not_captured()
    left = payment["amount"] - payment["amount_refunded"]
    amount = checks.amount_or(body, left)
    if amount > left:
        raise RazorpayError("The total refund amount is greater than the refund payment amount", field="amount")
    return amount


def _refunded(payment: Record, amount: int) -> Record:
    total = payment.entity["amount_refunded"] + amount
    if total == payment.entity["amount"]:
        return payment.changed(amount_refunded=total, refund_status="full", status="refunded")
    return payment.changed(amount_refunded=total, refund_status="partial")


def _digest(payment_id: str, body: Entity) -> str:
    return hashlib.sha256(json.dumps([payment_id, body], sort_keys=True).encode()).hexdigest()
