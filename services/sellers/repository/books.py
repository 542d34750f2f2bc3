"""A seller's books: `facts` (parts of orders), `days` (their sums by day of confirmation) and `months` (how many parts
of each status were placed on which day, so that lists are read by days that are known to hold something).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from datetime import date
from typing import Any

from pymongo import ASCENDING, IndexModel

from services.kit.mongo import Collection, Database, Document, DuplicateKey, ensure_indexes
from services.kit.outbox import Unit
from services.sellers.models.facts import Line, OrderFact, Tally
from services.sellers.models.ledger import DayKey, PlacedKey

_IDS_A_QUERY = 50
_FACT_FIELDS = tuple(field.name for field in fields(OrderFact))
_LINE_FIELDS = tuple(field.name for field in fields(Line))


class Overtaken(Exception):
    """Another consumer wrote the same document first: the transaction is to be done anew."""


class BookRepository:
    def __init__(self, database: Database) -> None:
        self._database = database
        self._facts: Collection = database["facts"]
        self._days: Collection = database["days"]
        self._months: Collection = database["months"]

    async def prepare(self) -> None:
        wanted = {
            "facts": [IndexModel([("placed", ASCENDING), ("status", ASCENDING)])],
            "days": [IndexModel([("bucket", ASCENDING)])],
            "months": [IndexModel([("seller_id", ASCENDING)])],
        }
        await ensure_indexes(self._database, wanted)

    async def wipe(self) -> None:
        for collection in (self._facts, self._days, self._months):
            await collection.drop()
        await self.prepare()

    async def facts(self, keys: Sequence[str], unit: Unit) -> dict[str, OrderFact]:
        return {key: _fact(row) for key, row in (await _by_id(self._facts, keys, unit)).items()}

    async def save_facts(self, facts: Iterable[OrderFact], existing: Iterable[str], unit: Unit) -> None:
        rows = {fact.key: _fact_row(fact) for fact in facts}
        await _save(self._facts, rows, set(existing), unit)

    async def add_to_days(self, changes: Mapping[DayKey, Tally], unit: Unit) -> None:
        """Add the sums (they may be negative) to the days they belong to."""
        keys = {_day_id(*key): key for key in changes}
        found = await _by_id(self._days, list(keys), unit)
        rows: dict[str, Document | None] = {}
        for day_id, (seller_id, day) in keys.items():
            tally = _tally(found[day_id]) if day_id in found else Tally()
            tally.add_all(changes[seller_id, day])
            rows[day_id] = None if tally.empty else _day_row(seller_id, day, tally)
        await _save(self._days, rows, set(found), unit)

    async def days(self, seller_id: str, months: Sequence[str]) -> dict[date, Tally]:
        """The days of these months (`2026-11`) that have any sums."""
        buckets = [_bucket(seller_id, month) for month in months]
        rows = await self._days.find({"bucket": {"$in": buckets}}).to_list(None)
        return {date.fromisoformat(row["day"]): _tally(row) for row in rows}

    async def add_to_months(self, changes: Mapping[PlacedKey, int], unit: Unit) -> None:
        """Add to the number of parts by seller, day of placing and status."""
        months: dict[str, dict[PlacedKey, int]] = {}
        for key, change in changes.items():
            months.setdefault(_bucket(key[0], f"{key[1]:%Y-%m}"), {})[key] = change
        found = await _by_id(self._months, list(months), unit)
        rows: dict[str, Document | None] = {}
        for month_id, placed in months.items():
            seller_id = next(iter(placed))[0]
            row = found.get(month_id) or {"seller_id": seller_id, "month": month_id.rpartition(":")[2], "placed": {}}
            rows[month_id] = _counted(row, placed)
        await _save(self._months, rows, set(found), unit)

    async def placed_days(self, seller_id: str, status: str | None) -> list[tuple[date, int]]:
        """Days with parts of this status (or any) and how many, newest first."""
        rows = await self._months.find({"seller_id": seller_id}).to_list(None)
        found = [
            (date.fromisoformat(f"{row['month']}-{day}"), sum(n for s, n in counts.items() if status in {None, s}))
            for row in rows
            for day, counts in row["placed"].items()
        ]
        return sorted(((day, count) for day, count in found if count), reverse=True)

    async def placed_on(self, seller_id: str, days: Sequence[date], status: str | None) -> list[OrderFact]:
        where: dict[str, Any] = {"placed": {"$in": [_day_id(seller_id, day) for day in days]}}
        if status:
            where["status"] = status
        return [_fact(row) for row in await self._facts.find(where).to_list(None)]


async def _by_id(collection: Collection, ids: Sequence[str], unit: Unit) -> dict[str, Document]:
    found: dict[str, Document] = {}
    for start in range(0, len(ids), _IDS_A_QUERY):
        group = list(ids[start : start + _IDS_A_QUERY])
        rows = await collection.find({"_id": {"$in": group}}, session=unit.session).to_list(None)
        found |= {row["_id"]: row for row in rows}
    return found


async def _save(collection: Collection, rows: Mapping[str, Document | None], existing: set[str], unit: Unit) -> None:
    """Insert, replace, or delete for None. Raises Overtaken when an unknown one is there by now."""
    new = [{**row, "_id": key} for key, row in rows.items() if row is not None and key not in existing]
    if new:
        try:
            await collection.insert_many(new, session=unit.session)
        except DuplicateKey as error:
            raise Overtaken from error
    for key in existing & rows.keys():
        row = rows[key]
        if row is None:
            await collection.delete_one({"_id": key}, session=unit.session)
        else:
            await collection.replace_one({"_id": key}, row, session=unit.session)


def _bucket(seller_id: str, month: str) -> str:
    return f"{seller_id}:{month}"


def _day_id(seller_id: str, day: date) -> str:
    return f"{seller_id}:{day.isoformat()}"


def _fact_row(fact: OrderFact) -> Document:
    row = {name: getattr(fact, name) for name in _FACT_FIELDS}
    row["lines"] = [{name: getattr(line, name) for name in _LINE_FIELDS} for line in fact.lines]
    row["placed"] = _placed_in(fact)
    return row


def _placed_in(fact: OrderFact) -> str:
    return _day_id(fact.seller_id, fact.placed_on)


def _fact(row: Document) -> OrderFact:
    plain = {name: row[name] for name in _FACT_FIELDS if name != "lines"}
    return OrderFact(**plain, lines=tuple(Line(**line) for line in row["lines"]))


def _day_row(seller_id: str, day: date, tally: Tally) -> Document:
    sold = {p: [tally.product_revenue[p], n] for p, n in sorted(tally.product_units.items()) if n}
    return {
        "bucket": _bucket(seller_id, f"{day:%Y-%m}"),
        "day": day.isoformat(),
        "revenue": tally.revenue,
        "orders": tally.orders,
        "units": tally.units,
        "cancellations": tally.cancellations,
        "returns": tally.returns,
        "products": sold,
    }


def _tally(row: Document) -> Tally:
    tally = Tally(row["revenue"], row["orders"], row["units"], row["cancellations"], row["returns"])
    for product_id, (revenue, units) in row["products"].items():
        tally.product_revenue[product_id] = revenue
        tally.product_units[product_id] = units
    return tally


def _counted(row: Document, changes: Mapping[PlacedKey, int]) -> Document:
    placed = {day: dict(counts) for day, counts in row["placed"].items()}
    for (_, day, status), change in changes.items():
        counts = placed.setdefault(f"{day:%d}", {})
        counts[status] = counts.get(status, 0) + change
    kept = {day: {s: n for s, n in counts.items() if n} for day, counts in placed.items()}
    return {"seller_id": row["seller_id"], "month": row["month"], "placed": {d: c for d, c in kept.items() if c}}
