"""Seller profiles: one document each, under the seller's id."""

from collections.abc import Mapping, Sequence

from services.contracts.sellers import Profile
from services.kit.mongo import Collection, Database, Document, DuplicateKey

_IDS_A_QUERY = 50


class ProfileRepository:
    def __init__(self, database: Database) -> None:
        self._profiles: Collection = database["profiles"]

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


def _row(profile: Profile) -> Document:
    return {**profile.model_dump(exclude={"seller_id"}), "_id": profile.seller_id}


def _profile(row: Document) -> Profile:
    return Profile(seller_id=row["_id"], **{name: value for name, value in row.items() if name != "_id"})
