"""Route: parts of a captured payment passed on to linked accounts, and their reversal."""

from dataclasses import dataclass
from typing import Any

from services.payments.adapters.sandbox import checks
from services.payments.adapters.sandbox.desk import Desk, Plan
from services.payments.adapters.sandbox.entities import (
    Entity,
    Event,
    Record,
    collection,
    new_reversal,
    new_transfer,
)
from services.payments.adapters.sandbox.errors import RazorpayError, not_captured


@dataclass(frozen=True)
class Undone:
    """The writes that take transfers back, and how much that is in paise."""

    writes: tuple[Record, ...] = ()
    amount: int = 0


class Transfers:
    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def create(self, payment_id: str, body: Entity) -> Entity:
        """Pass parts of a captured payment on; Σ transfers ≤ what was captured."""
        asked = _asked(body)

        async def work_out() -> Plan:
            payment = await self._desk.get("payments", payment_id, "pay_")
            sent = payment.hidden.get("transferred", 0) + sum(amount for _, amount in asked)
            _check_transferable(payment.entity, sent)
            made = [self._new(payment.entity, each, amount) for each, amount in asked]
            events = [Event("transfer.processed", {"transfer": m.entity}, payment.entity["order_id"]) for m in made]
            return Plan(collection([m.entity for m in made]), [payment.marked(transferred=sent), *made], events)

        return await self._desk.settle(work_out)

    async def fetch(self, transfer_id: str) -> Entity:
        return (await self._desk.get("transfers", transfer_id, "trf_")).entity

    async def list_of(self, payment_id: str) -> Entity:
        await self._desk.get("payments", payment_id, "pay_")
        return collection([record.entity for record in await self._desk.list_by("transfers", payment_id)])

    async def reverse(self, transfer_id: str, body: Entity) -> Entity:
        """Take `amount` back from the linked account, or all that is left of the transfer."""

        async def work_out() -> Plan:
            transfer = await self._desk.get("transfers", transfer_id, "trf_")
            amount = checks.amount_or(body, _left(transfer.entity))
            payment = await self._desk.get("payments", transfer.entity["source"], "pay_")
            reversed_, reversal = _reversed(self._desk, transfer, amount, None)
            freed = payment.marked(transferred=payment.hidden["transferred"] - amount)
            return Plan(reversal.entity, [reversed_, reversal, freed])

        return await self._desk.settle(work_out)

    async def reversals(self, transfer_id: str) -> Entity:
        await self._desk.get("transfers", transfer_id, "trf_")
        return collection([record.entity for record in await self._desk.list_by("reversals", transfer_id)])

    def _new(self, payment: Entity, asked: Entity, amount: int) -> Record:
        entity = new_transfer(
            self._desk.new_id("trf_"),
            payment,
            asked["account"],
            amount,
            hold=checks.hold(asked),
            notes=checks.notes(asked),
            at=self._desk.now(),
        )
        entity["linked_account_notes"] = checks.linked_account_notes(asked)
        return self._desk.record("transfers", entity)


async def reverse_with_refund(desk: Desk, payment: Entity, refund: Entity) -> Undone:
    """What `reverse_all` takes back beside a refund: everything with a full one, a part of the only transfer else."""
    open_ones = [each for each in await desk.list_by("transfers", payment["id"]) if _left(each.entity)]
    if not open_ones:
        return Undone()
    if refund["amount"] == payment["amount"] - payment["amount_refunded"]:
        pairs = [_reversed(desk, each, _left(each.entity), refund["id"]) for each in open_ones]
    elif len(open_ones) == 1:
        pairs = [_reversed(desk, open_ones[0], refund["amount"], refund["id"])]
    else:
        raise RazorpayError(
            "reverse_all cannot be used on a partial refund of a payment with several transfers", field="reverse_all"
        )
    taken = sum(reversal.entity["amount"] for _, reversal in pairs)
    return Undone(tuple(record for pair in pairs for record in pair), taken)


def _reversed(desk: Desk, transfer: Record, amount: int, refund_id: str | None) -> tuple[Record, Record]:
    if not 0 < amount <= _left(transfer.entity):
        raise RazorpayError("The reversal amount is greater than the unreversed transfer amount", field="amount")
    total = transfer.entity["amount_reversed"] + amount
    status = "reversed" if total == transfer.entity["amount"] else "partially_reversed"
    reversal = new_reversal(desk.new_id("rvrsl_"), transfer.entity, amount, refund_id, desk.now())
    return transfer.changed(amount_reversed=total, status=status), desk.record("reversals", reversal)


def _left(transfer: Entity) -> int:
    return int(transfer["amount"] - transfer["amount_reversed"])


def _asked(body: Entity) -> list[tuple[Entity, int]]:
    """The transfers asked for, each with its amount in paise."""
    given: Any = body.get("transfers")
    if not isinstance(given, list) or not given or not all(isinstance(each, dict) for each in given):
        raise RazorpayError("transfers: is required.", field="transfers")
    for each in given:
        if not isinstance(each.get("account"), str):
            raise RazorpayError("account: is required.", field="account")
        checks.currency(each)
    return [(each, checks.order_amount(each)) for each in given]


def _check_transferable(payment: Entity, sent: int) -> None:
    if payment["status"] not in ("captured", "refunded"):
        raise not_captured()
    if sent > payment["amount"] - payment["amount_refunded"]:
        raise RazorpayError(
            "The sum of amount requested for transfer is greater than the captured amount", field="amount"
        )
