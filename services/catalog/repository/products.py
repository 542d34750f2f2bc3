"""Products and their variants. Every read is bounded: by ids, or by the variants of given products."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from pymongo import ASCENDING, IndexModel
from pymongo.errors import BulkWriteError

from services.catalog.models.product import Product, Variant
from services.catalog.models.suggestions import Offered
from services.catalog.repository.documents import Document, product_document, product_of, variant_document, variant_of
from services.kit.mongo import Collection, Database, DuplicateKey, ensure_indexes
from services.kit.outbox import Unit

_IDS_A_QUERY = 50
"""The embedded document server answers long lists of ids in quadratic time."""
_DUPLICATE_KEY = 11000


class KeyTaken(Exception):
    """A product id, variant id or SKU is there already."""


class ProductRepository:
    def __init__(self, database: Database) -> None:
        self._database = database
        self._products: Collection = database["products"]
        self._variants: Collection = database["variants"]

    async def prepare(self) -> None:
        await ensure_indexes(
            self._database,
            {
                "variants": [
                    IndexModel([("product_id", ASCENDING)]),
                    IndexModel([("seller_id", ASCENDING), ("sku", ASCENDING)], unique=True),
                    IndexModel([("mark", ASCENDING)], sparse=True),
                ]
            },
        )

    async def find(self, product_id: str, unit: Unit | None = None) -> Product | None:
        session = unit.session if unit else None
        row = await self._products.find_one({"_id": product_id}, session=session)
        if row is None:
            return None
        return product_of(row, await self._variants.find({"product_id": product_id}, session=session).to_list(None))

    async def load(self, product_ids: Sequence[str]) -> dict[str, Product]:
        """Those that exist, by id."""
        groups = _in_groups(product_ids)
        rows, variants = await asyncio.gather(
            _all(self._products, "_id", groups), _all(self._variants, "product_id", groups)
        )
        by_product: defaultdict[str, list[Document]] = defaultdict(list)
        for variant in variants:
            by_product[variant["product_id"]].append(variant)
        return {row["_id"]: product_of(row, by_product[row["_id"]]) for row in rows}

    async def variants(self, variant_ids: Sequence[str]) -> list[Variant]:
        rows = await _all(self._variants, "_id", _in_groups(variant_ids))
        return [variant_of(row) for row in rows]

    async def content_hashes(self, product_ids: Sequence[str]) -> dict[str, str | None]:
        """What an import compares with; by id, of those that exist."""
        rows = await _all(self._products, "_id", _in_groups(product_ids), {"content_hash": 1})
        return {row["_id"]: row["content_hash"] for row in rows}

    async def every_id(self) -> AsyncIterator[str]:
        """Reads the whole collection once: for repairs only."""
        async for row in self._products.find({}, {"_id": 1}, batch_size=1_000):
            yield row["_id"]

    async def every_offer(self) -> AsyncIterator[Offered]:
        """Reads the whole collection once: what of each live product completes words."""
        fields = {"title": 1, "brand": 1, "category": 1, "rating": 1}
        live = {"status": "active", "suspended": {"$ne": True}}
        async for row in self._products.find(live, fields, batch_size=1_000):
            weight = row["rating"]["average"] * row["rating"]["count"]
            yield Offered(row["_id"], row["title"], row["brand"], row["category"], weight)

    async def ids_of_seller(self, seller_id: str) -> list[str]:
        """All there are, archived ones too, in order."""
        found: set[str] = set()
        async for row in self._variants.find({"seller_id": seller_id}, {"product_id": 1}, batch_size=1_000):
            found.add(row["product_id"])
        return sorted(found)

    async def delete(self, product: Product, unit: Unit) -> bool:
        """For good. False when the product moved on or something of it is held; the unit must not be committed then."""
        same = {"_id": product.product_id, "version": product.version}
        gone = await self._products.delete_one(same, session=unit.session)
        unheld = {"product_id": product.product_id, "reserved": 0}
        variants = await self._variants.delete_many(unheld, session=unit.session)
        return bool(gone.deleted_count) and variants.deleted_count == len(product.variants)

    async def insert(self, products: Sequence[Product], unit: Unit) -> None:
        """Raises KeyTaken."""
        await self._insert(products, unit.session)

    async def load_in_bulk(self, products: Sequence[Product]) -> None:
        """Outside any transaction, without events. Raises KeyTaken."""
        await self._insert(products, None)

    async def _insert(self, products: Sequence[Product], session: Any) -> None:
        variants = [variant_document(each, product.created_at) for product in products for each in product.variants]
        try:
            await self._variants.insert_many(variants, session=session)
            await self._products.insert_many([product_document(product) for product in products], session=session)
        except DuplicateKey as error:
            raise KeyTaken from error
        except BulkWriteError as error:
            if all(each["code"] == _DUPLICATE_KEY for each in error.details["writeErrors"]):
                raise KeyTaken from error
            raise

    async def remove_in_bulk(self, product_ids: Sequence[str]) -> None:
        for group in _in_groups(product_ids):
            await self._variants.delete_many({"product_id": {"$in": group}})
            await self._products.delete_many({"_id": {"$in": group}})

    async def change(self, product_id: str, version: int, fields: Mapping[str, Any], unit: Unit) -> bool:
        """Set fields and raise the version; False when the product is not at `version` any more."""
        change = {"$set": dict(fields), "$inc": {"version": 1}}
        result = await self._products.update_one({"_id": product_id, "version": version}, change, session=unit.session)
        return bool(result.modified_count)

    async def insert_variants(self, variants: Sequence[Variant], at: datetime, unit: Unit) -> None:
        """Raises KeyTaken."""
        try:
            await self._variants.insert_many([variant_document(each, at) for each in variants], session=unit.session)
        except (DuplicateKey, BulkWriteError) as error:
            raise KeyTaken from error

    async def change_variant(self, variant_id: str, fields: Mapping[str, Any], unit: Unit) -> None:
        """Set fields that are not stock. Raises KeyTaken when the new SKU is another variant's."""
        try:
            await self._variants.update_one(
                {"_id": variant_id}, {"$set": dict(fields), "$inc": {"revision": 1}}, session=unit.session
            )
        except DuplicateKey as error:
            raise KeyTaken from error

    async def set_live(self, product_id: str, *, live: bool, unit: Unit) -> None:
        """Open or close all variants of a product for buying; removed ones stay closed."""
        await self._variants.update_many(
            {"product_id": product_id, "removed": False},
            {"$set": {"live": live}, "$inc": {"revision": 1}},
            session=unit.session,
        )


def _in_groups(ids: Iterable[str]) -> list[list[str]]:
    unique = list(dict.fromkeys(ids))
    return [unique[start : start + _IDS_A_QUERY] for start in range(0, len(unique), _IDS_A_QUERY)]


async def _all(
    collection: Collection, field: str, groups: list[list[str]], fields: dict[str, int] | None = None
) -> list[Document]:
    found: list[Document] = []
    for group in groups:
        found += await collection.find({field: {"$in": group}}, fields).to_list(None)
    return found
