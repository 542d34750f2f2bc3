"""Reviews in numbered pages of their product, so that every read is of few documents."""

from collections.abc import Mapping
from typing import Any

from pymongo import ASCENDING, IndexModel

from services.catalog.models.review import Review, Standing
from services.catalog.repository.documents import Document
from services.kit.mongo import Collection, Database, ensure_indexes
from services.kit.outbox import Unit

_REVIEWS_A_PAGE = 50


class ReviewRepository:
    def __init__(self, database: Database) -> None:
        self._database = database
        self._reviews: Collection = database["reviews"]
        self._products: Collection = database["products"]

    async def prepare(self) -> None:
        await ensure_indexes(self._database, {"reviews": [IndexModel([("page", ASCENDING)])]})

    async def find(self, review_id: str) -> Review | None:
        row = await self._reviews.find_one({"_id": review_id})
        return _review(row) if row else None

    async def insert(self, review: Review, unit: Unit) -> None:
        await self._reviews.insert_one(_document(review), session=unit.session)

    async def change(self, review_id: str, fields: Mapping[str, Any], unit: Unit | None = None) -> None:
        session = unit.session if unit else None
        await self._reviews.update_one({"_id": review_id}, {"$set": dict(fields)}, session=session)

    async def standing(self, product_id: str) -> Standing | None:
        row = await self._products.find_one({"_id": product_id}, {"rating": 1, "reviews": 1, "version": 1})
        if row is None:
            return None
        rating = row["rating"]
        total = rating.get("total", rating["average"] * rating["count"])
        return Standing(total, rating["count"], row.get("reviews", 0), row["version"])

    async def settle(self, product_id: str, standing: Standing, unit: Unit) -> bool:
        """The product stands so from now on; False when it is no longer at that version."""
        rating = {"average": standing.average, "count": standing.count, "total": standing.total}
        result = await self._products.update_one(
            {"_id": product_id, "version": standing.version},
            {"$set": {"rating": rating, "reviews": standing.written}, "$inc": {"version": 1}},
            session=unit.session,
        )
        return bool(result.modified_count)

    async def before(self, product_id: str, number: int, limit: int) -> list[Review]:
        """The `limit` reviews with the next lower numbers, the highest first."""
        lowest = max(0, number - limit)
        if lowest >= number:
            return []
        places = range(lowest // _REVIEWS_A_PAGE, (number - 1) // _REVIEWS_A_PAGE + 1)
        pages = [f"{product_id}:{place}" for place in places]
        rows = await self._reviews.find({"page": {"$in": pages}}).to_list(None)
        found = [_review(row) for row in rows if lowest <= row["number"] < number]
        return sorted(found, key=lambda review: -review.number)


def _document(review: Review) -> Document:
    return {
        "_id": review.review_id,
        "page": f"{review.product_id}:{review.number // _REVIEWS_A_PAGE}",
        "number": review.number,
        "product_id": review.product_id,
        "user_id": review.user_id,
        "rating": review.rating,
        "text": review.text,
        "created_at": review.created_at,
        "hidden": review.hidden,
        "reply": review.reply,
        "replied_at": review.replied_at,
    }


def _review(row: Document) -> Review:
    fields = {name: value for name, value in row.items() if name not in {"_id", "page"}}
    return Review(review_id=row["_id"], **fields)
