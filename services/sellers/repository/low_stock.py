"""Which variants ran low. Only candidates: how much there is now, the catalogue says."""

from collections.abc import Mapping, Sequence
from zlib import crc32

from pymongo import ASCENDING, IndexModel

from services.kit.mongo import Collection, Database, DuplicateKey, ensure_indexes

SHARDS = 16
_IDS_A_QUERY = 50


class LowStockRepository:
    def __init__(self, database: Database) -> None:
        self._database = database
        self._low: Collection = database["low_stock"]

    async def prepare(self) -> None:
        wanted = {"low_stock": [IndexModel([("product_id", ASCENDING)]), IndexModel([("bucket", ASCENDING)])]}
        await ensure_indexes(self._database, wanted)

    async def set_low(self, product_ids: Sequence[str], low: Mapping[str, tuple[str, str]]) -> None:
        """Of these products exactly the variants in `low` (variant → product, seller) are low."""
        known: set[str] = set()
        for start in range(0, len(product_ids), _IDS_A_QUERY):
            group = {"product_id": {"$in": list(product_ids[start : start + _IDS_A_QUERY])}}
            known.update([row["_id"] async for row in self._low.find(group, {"_id": 1})])
        for variant_id in known - low.keys():
            await self._low.delete_one({"_id": variant_id})
        await self._add([_row(variant_id, *low[variant_id]) for variant_id in low.keys() - known])

    async def _add(self, rows: list[dict[str, str]]) -> None:
        if not rows:
            return
        try:
            await self._low.insert_many(rows)
        except DuplicateKey:
            for row in rows:
                await self._low.replace_one({"_id": row["_id"]}, row, upsert=True)

    async def of_seller(self, seller_id: str, shard: int) -> list[str]:
        """Variant ids of one of the SHARDS, in order."""
        rows = await self._low.find({"bucket": _bucket(seller_id, shard)}, {"_id": 1}).to_list(None)
        return sorted(row["_id"] for row in rows)


def _row(variant_id: str, product_id: str, seller_id: str) -> dict[str, str]:
    bucket = _bucket(seller_id, crc32(variant_id.encode()) % SHARDS)
    return {"_id": variant_id, "product_id": product_id, "bucket": bucket}


def _bucket(seller_id: str, shard: int) -> str:
    return f"{seller_id}:{shard}"
