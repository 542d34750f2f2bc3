"""Where the sandbox keeps its records, and the store of unit tests."""

import copy
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Protocol

from services.payments.adapters.sandbox.entities import Record

LOOKUPS = {
    "orders": "entity.receipt",
    "payments": "entity.order_id",
    "refunds": "entity.payment_id",
    "transfers": "entity.source",
    "reversals": "entity.transfer_id",
    "webhooks": "hidden.state",
}
"""The one field each kind is listed by; every such list is short. (`keys`, claimed by id, has none.)"""


class StoreUnavailable(Exception):  # a fact, as everywhere here
    """The store cannot be reached; whether the last write took effect is unknown."""


class SandboxStore(Protocol):
    """Every method raises StoreUnavailable while the store is away."""

    async def prepare(self) -> None:
        """Make the indexes; safe to repeat."""

    async def find(self, kind: str, record_id: str) -> Record | None: ...

    async def list_by(self, kind: str, value: Any) -> list[Record]:
        """The records whose field in LOOKUPS has this value, oldest first."""

    async def commit(self, writes: Sequence[Record]) -> bool:
        """Write all or nothing. False: another writer was faster on one of them, nothing was written."""

    async def remove(self, kind: str, record_id: str) -> None: ...


class MemoryStore:
    """Keeps records in a dictionary."""

    def __init__(self) -> None:
        self._records: dict[tuple[str, str], Record] = {}

    async def prepare(self) -> None:
        return None

    async def find(self, kind: str, record_id: str) -> Record | None:
        return copy.deepcopy(self._records.get((kind, record_id)))

    async def list_by(self, kind: str, value: Any) -> list[Record]:
        part, _, name = LOOKUPS[kind].partition(".")
        return [
            copy.deepcopy(record)
            for record in self._records.values()
            if record.kind == kind and getattr(record, part).get(name) == value
        ]

    async def commit(self, writes: Sequence[Record]) -> bool:
        if any(self._version(record) != record.stored for record in writes):
            return False
        for record in writes:
            self._records[record.kind, record.id] = copy.deepcopy(replace(record, stored=record.stored + 1))
        return True

    async def remove(self, kind: str, record_id: str) -> None:
        self._records.pop((kind, record_id), None)

    def _version(self, record: Record) -> int:
        held = self._records.get((record.kind, record.id))
        return held.stored if held else 0
