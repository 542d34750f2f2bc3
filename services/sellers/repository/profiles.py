"""Seller profiles: one document each, under the seller's id.

Operators read them by `shelf`, status and a share of the ids, so that no query reads all sellers.
"""

from collections.abc import Mapping, Sequence
from zlib import crc32

from pymongo import ASCENDING, IndexModel

from services.contracts.sellers import Profile, SellerStatus
from services.kit.mongo import Collection, Database, Document, DuplicateKey, ensure_indexes

SHARDS = 16
_IDS_A_QUERY = 50
_FIELDS = tuple(Profile.model_fields.keys() - {"seller_id"})


class ProfileRepository:
    def __init__(self, database: Database) -> None:
        self._database = database
        self._profiles: Collection = database["profiles"]

    async def prepare(self) -> None:
        await ensure_indexes(self._database, {"profiles": [IndexModel([("shelf", ASCENDING)])]})

    async def find(self, seller_ids: Sequence[str]) -> dict[str, Profile]:
        found: dict[str, Profile] = {}
        for start in range(0, len(seller_ids), _IDS_A_QUERY):
            group = list(seller_ids[start : start + _IDS_A_QUERY])
            rows = await self._profiles.find({"_id": {"$in": group}}).to_list(None)
            found |= {row["_id"]: _profile(row) for row in rows}
        return found

    async def add(self, profile: Profile) -> None:
        """Keep what is there already."""
        try:
            await self._profiles.insert_one(_row(profile))
        except DuplicateKey:
            return

    async def add_missing(self, profiles: Sequence[Profile]) -> int:
        known = await self.find([profile.seller_id for profile in profiles])
        missing = [_row(profile) for profile in profiles if profile.seller_id not in known]
        if missing:
            await self._profiles.insert_many(missing)
        return len(missing)

    async def change(self, seller_id: str, fields: Mapping[str, str]) -> None:
        await self._profiles.update_one({"_id": seller_id}, {"$set": dict(fields)})

    async def set_status(self, seller_id: str, status: SellerStatus) -> bool:
        """False when there is no such profile."""
        change = {"status": status, "shelf": _shelf(status, _shard(seller_id))}
        result = await self._profiles.update_one({"_id": seller_id}, {"$set": change})
        return bool(result.matched_count)

    async def shelved(self, statuses: Sequence[SellerStatus], shard: int) -> list[Profile]:
        """Sellers of one of the SHARDS, by id."""
        shelves = [_shelf(status, shard) for status in statuses]
        rows = await self._profiles.find({"shelf": {"$in": shelves}}).to_list(None)
        return sorted(map(_profile, rows), key=lambda profile: profile.seller_id)


def _shard(seller_id: str) -> int:
    return crc32(seller_id.encode()) % SHARDS


def _shelf(status: SellerStatus, shard: int) -> str:
    return f"{status}:{shard}"


def _row(profile: Profile) -> Document:
    shelf = _shelf(profile.status, _shard(profile.seller_id))
    return {**profile.model_dump(exclude={"seller_id"}), "_id": profile.seller_id, "shelf": shelf}


def _profile(row: Document) -> Profile:
    return Profile(seller_id=row["_id"], **{name: row[name] for name in _FIELDS if name in row})
