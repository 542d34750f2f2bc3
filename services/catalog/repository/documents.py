"""Products and variants as documents, and back."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from services.catalog.models.product import Hold, Move, Product, Variant

Document = dict[str, Any]


def product_document(product: Product) -> Document:
    return {
        "_id": product.product_id,
        "seller_id": product.seller_id,
        "title": product.title,
        "description": product.description,
        "category": product.category,
        "brand": product.brand,
        # names may hold dots and dollars, which are no good as keys of a document
        "attributes": [[name, value] for name, value in product.attributes.items()],
        "images": list(product.images),
        "status": product.status,
        "rating": {"average": product.rating_average, "count": product.rating_count},
        "external_id": product.external_id,
        "content_hash": product.content_hash,
        "created_at": product.created_at,
        "updated_at": product.updated_at,
        "version": product.version,
        "suspended": product.suspended,
    }


def variant_document(variant: Variant, at: datetime) -> Document:
    """A new variant's; its stock was there from `at` on."""
    return {
        "_id": variant.variant_id,
        "product_id": variant.product_id,
        "seller_id": variant.seller_id,
        "sku": variant.sku,
        "options": [[name, value] for name, value in variant.options.items()],
        "price": variant.price,
        "compare_at_price": variant.compare_at_price,
        "on_hand": variant.on_hand,
        "reserved": variant.reserved,
        "available": variant.available,
        "live": variant.live,
        "removed": variant.removed,
        "revision": variant.revision,
        "place": variant.place,
        "low": variant.low,
        "holds": [],
        "moves": [],
        "opened": {"qty": variant.on_hand, "at": at},
    }


def product_of(row: Document, variants: Iterable[Document]) -> Product:
    ordered = sorted((variant_of(variant) for variant in variants), key=lambda variant: variant.place)
    return Product(
        product_id=row["_id"],
        seller_id=row["seller_id"],
        title=row["title"],
        description=row["description"],
        category=row["category"],
        brand=row["brand"],
        attributes=dict(row["attributes"]),
        images=tuple(row["images"]),
        status=row["status"],
        rating_average=row["rating"]["average"],
        rating_count=row["rating"]["count"],
        external_id=row["external_id"],
        content_hash=row["content_hash"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
        version=row["version"],
        variants=tuple(ordered),
        suspended=row.get("suspended", False),
    )


def variant_of(row: Document) -> Variant:
    return Variant(
        variant_id=row["_id"],
        product_id=row["product_id"],
        seller_id=row["seller_id"],
        sku=row["sku"],
        options=dict(row["options"]),
        price=row["price"],
        compare_at_price=row["compare_at_price"],
        on_hand=row["on_hand"],
        reserved=row["reserved"],
        live=row["live"],
        removed=row["removed"],
        revision=row["revision"],
        place=row["place"],
        low=row["low"],
        holds=tuple(Hold(hold["order_id"], hold["qty"], hold["at"]) for hold in row["holds"]),
        moves=tuple(move_of(move) for move in row.get("moves", ())),
        opened=_opening_of(row),
    )


def _opening_of(row: Document) -> Move | None:
    opened = row.get("opened")
    return opened and Move(f"opening:{row['_id']}", opened["qty"], "opening", None, "", opened["at"])


def move_document(move: Move) -> Document:
    return {
        "id": move.entry_id,
        "change": move.change,
        "reason": move.reason,
        "reference": move.reference,
        "note": move.note,
        "at": move.at,
    }


def move_of(row: Document) -> Move:
    return Move(row["id"], row["change"], row["reason"], row["reference"], row["note"], row["at"])
