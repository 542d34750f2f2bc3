"""The ledger of stock: entries in numbered pages of their product, so that every read is of few documents."""

from collections import defaultdict
from collections.abc import Iterable, Sequence

from pymongo import ASCENDING, IndexModel, UpdateOne

from services.catalog.models.ledger import Booked
from services.catalog.repository.documents import Document, move_document, move_of
from services.kit.mongo import Collection, Database, ensure_indexes
from services.kit.outbox import Unit

_ENTRIES_A_PAGE = 50


class LedgerRepository:
    def __init__(self, database: Database) -> None:
        self._database = database
        self._entries: Collection = database["stock_entries"]
        self._books: Collection = database["stock_books"]

    async def prepare(self) -> None:
        await ensure_indexes(self._database, {"stock_entries": [IndexModel([("page", ASCENDING)])]})

    async def append(self, moves: Sequence[tuple[str, Booked]], unit: Unit) -> None:
        """Moves by product id, oldest first; those that are in the ledger already are passed over."""
        fresh = await self._unknown(moves, unit)
        if not fresh:
            return
        counts = await self._counts({product_id for product_id, _ in fresh}, unit)
        rows = []
        for product_id, booked in fresh:
            rows.append(_row(product_id, counts[product_id], booked))
            counts[product_id] += 1
        await self._entries.insert_many(rows, session=unit.session)
        books = [UpdateOne({"_id": each}, {"$set": {"count": n}}, upsert=True) for each, n in counts.items()]
        await self._books.bulk_write(books, session=unit.session)

    async def _unknown(self, moves: Sequence[tuple[str, Booked]], unit: Unit) -> list[tuple[str, Booked]]:
        ids = [booked.move.entry_id for _, booked in moves]
        known = await self._entries.find({"_id": {"$in": ids}}, {"_id": 1}, session=unit.session).to_list(None)
        there = {row["_id"] for row in known}
        return [(product_id, booked) for product_id, booked in moves if booked.move.entry_id not in there]

    async def _counts(self, product_ids: Iterable[str], unit: Unit) -> defaultdict[str, int]:
        rows = await self._books.find({"_id": {"$in": list(product_ids)}}, session=unit.session).to_list(None)
        return defaultdict(int, {row["_id"]: row["count"] for row in rows})

    async def count(self, product_id: str) -> int:
        book = await self._books.find_one({"_id": product_id})
        return book["count"] if book else 0

    async def has_any(self, id_prefix: str) -> bool:
        """Whether there is an entry whose id begins so."""
        following = id_prefix[:-1] + chr(ord(id_prefix[-1]) + 1)
        return await self._entries.find_one({"_id": {"$gte": id_prefix, "$lt": following}}, {"_id": 1}) is not None

    async def among(self, entry_ids: Sequence[str]) -> set[str]:
        rows = await self._entries.find({"_id": {"$in": list(entry_ids)}}, {"_id": 1}).to_list(None)
        return {row["_id"] for row in rows}

    async def before(self, product_id: str, number: int, limit: int) -> list[tuple[int, Booked]]:
        """Up to `limit` entries with lower numbers, the highest first."""
        lowest = max(0, number - limit)
        if lowest >= number:
            return []
        pages = [_page(product_id, each) for each in range(lowest // _ENTRIES_A_PAGE, number // _ENTRIES_A_PAGE + 1)]
        rows = await self._entries.find({"page": {"$in": pages}}).to_list(None)
        wanted = [row for row in rows if lowest <= row["number"] < number]
        wanted.sort(key=lambda row: -row["number"])
        return [(row["number"], Booked(row["variant_id"], move_of(row["move"]))) for row in wanted]

    async def forget(self, product_id: str, unit: Unit) -> None:
        book = await self._books.find_one({"_id": product_id}, session=unit.session)
        if book:
            for page in range(book["count"] // _ENTRIES_A_PAGE + 1):
                await self._entries.delete_many({"page": _page(product_id, page)}, session=unit.session)
            await self._books.delete_one({"_id": product_id}, session=unit.session)


def _page(product_id: str, page: int) -> str:
    return f"{product_id}:{page}"


def _row(product_id: str, number: int, booked: Booked) -> Document:
    return {
        "_id": booked.move.entry_id,
        "page": _page(product_id, number // _ENTRIES_A_PAGE),
        "number": number,
        "variant_id": booked.variant_id,
        "move": move_document(booked.move),
    }
