"""The sandbox's records in MongoDB: one collection a kind, one transaction a change."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from motor.motor_asyncio import AsyncIOMotorClientSession, AsyncIOMotorCollection, AsyncIOMotorDatabase
from pymongo import ASCENDING, WriteConcern
from pymongo.errors import BulkWriteError, ConnectionFailure, DuplicateKeyError

from services.payments.adapters.sandbox.entities import Record
from services.payments.adapters.sandbox.store import LOOKUPS, StoreUnavailable

_DUPLICATE_KEY = 11000
_DURABLE = WriteConcern("majority", j=True)


class _Overtaken(Exception):  # never leaves this file
    pass


class MongoStore:
    """Uses the given database's collections `sandbox_<kind>`; needs a server with transactions."""

    def __init__(self, database: AsyncIOMotorDatabase[dict[str, Any]]) -> None:
        self._database = database

    async def prepare(self) -> None:
        with _reachable():
            for kind, lookup in LOOKUPS.items():
                await self._of(kind).create_index([(lookup, ASCENDING)])

    async def find(self, kind: str, record_id: str) -> Record | None:
        with _reachable():
            found = await self._of(kind).find_one({"_id": record_id})
        return _record(kind, found) if found else None

    async def list_by(self, kind: str, value: Any) -> list[Record]:
        with _reachable():
            found = await self._of(kind).find({LOOKUPS[kind]: value}).to_list(None)
        return sorted((_record(kind, row) for row in found), key=_age)

    async def commit(self, writes: Sequence[Record]) -> bool:
        try:
            with _reachable():
                await (self._write_together(writes) if len(writes) > 1 else self._write(writes[0]))
        except (_Overtaken, DuplicateKeyError):
            return False
        except BulkWriteError as error:
            if not _is_duplicate(error):
                raise
            return False
        return True

    async def remove(self, kind: str, record_id: str) -> None:
        with _reachable():
            await self._of(kind).delete_one({"_id": record_id})

    async def _write_together(self, writes: Sequence[Record]) -> None:
        async def write_all(session: AsyncIOMotorClientSession) -> None:
            for record in writes:
                if record.stored:
                    await self._replace(record, session)
            for kind, rows in _new_rows(writes).items():
                await self._of(kind).insert_many(rows, session=session)

        async with await self._database.client.start_session() as session:
            await session.with_transaction(write_all, write_concern=_DURABLE)

    async def _write(self, record: Record) -> None:
        if record.stored:
            await self._replace(record, None)
        else:
            await self._of(record.kind).insert_one({"_id": record.id, **_row(record)})

    async def _replace(self, record: Record, session: AsyncIOMotorClientSession | None) -> None:
        done = await self._of(record.kind).update_one(
            {"_id": record.id, "version": record.stored}, {"$set": _row(record)}, session=session
        )
        if not done.modified_count:
            raise _Overtaken

    def _of(self, kind: str) -> AsyncIOMotorCollection[dict[str, Any]]:
        return self._database.get_collection(f"sandbox_{kind}", write_concern=_DURABLE)


@contextmanager
def _reachable() -> Iterator[None]:
    try:
        yield
    except ConnectionFailure as error:
        raise StoreUnavailable(str(error)) from error


def _is_duplicate(error: BulkWriteError) -> bool:
    return any(each["code"] == _DUPLICATE_KEY for each in (error.details or {}).get("writeErrors", ()))


def _new_rows(writes: Sequence[Record]) -> dict[str, list[dict[str, Any]]]:
    rows: dict[str, list[dict[str, Any]]] = {}
    for record in writes:
        if not record.stored:
            rows.setdefault(record.kind, []).append({"_id": record.id, **_row(record)})
    return rows


def _row(record: Record) -> dict[str, Any]:
    return {"version": record.stored + 1, "entity": record.entity, "hidden": record.hidden}


def _record(kind: str, row: dict[str, Any]) -> Record:
    return Record(kind, row["_id"], row["entity"], row["hidden"], row["version"])


def _age(record: Record) -> int:
    return int(record.hidden["position"])
