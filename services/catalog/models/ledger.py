"""Why the stock on the shelf is what it is: one entry for each change of what is on hand. Holds are none."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from services.catalog.models.product import Move, Product, Variant
from services.contracts.catalog import StockEntry, StockLevel, StockReason


@dataclass(frozen=True, slots=True)
class Booked:
    """A move of one variant in its place in the product's ledger."""

    variant_id: str
    move: Move


def sold_prefix(order_id: str, variant_id: str) -> str:
    """What the ids of the entries of an order's sales of a variant begin with; there is one unless it held again."""
    return f"sold:{order_id}:{variant_id}:"


def sold(order_id: str, variant_id: str, qty: int, at: datetime) -> Move:
    entry_id = f"{sold_prefix(order_id, variant_id)}{int(at.timestamp() * 1000)}"
    return Move(entry_id, -qty, "sold", order_id, "", at)


def returned(reference: str, variant_id: str, qty: int, at: datetime) -> Move:
    return Move(f"returned:{reference}:{variant_id}", qty, "returned", reference, "", at)


def changed(reason: StockReason, product: Product, variant: Variant, on_hand: int, at: datetime) -> Move:
    """By a change of the product that leads to its next version."""
    reference = f"{product.product_id}:{product.version + 1}"
    return Move(f"{reason}:{reference}:{variant.variant_id}", on_hand - variant.on_hand, reason, reference, "", at)


def unbooked(variants: Iterable[Variant]) -> list[Booked]:
    """What is not in the ledger yet, oldest first."""
    moves = [Booked(variant.variant_id, move) for variant in variants for move in variant.moves]
    return sorted(moves, key=lambda booked: booked.move.at)


def openings(variants: Sequence[Variant]) -> list[Booked]:
    """What each variant began with, newest first."""
    began = [variant for variant in variants if variant.opened and variant.opened.change]
    newest_first = sorted(began, key=lambda each: (each.opened.at if each.opened else None, each.place), reverse=True)
    return [Booked(each.variant_id, each.opened) for each in newest_first if each.opened]


def entry(product: Product, booked: Booked) -> StockEntry:
    skus = {variant.variant_id: variant.sku for variant in product.variants}
    move = booked.move
    return StockEntry(
        entry_id=move.entry_id,
        variant_id=booked.variant_id,
        sku=skus.get(booked.variant_id, ""),
        change=move.change,
        reason=move.reason,
        reference=move.reference,
        note=move.note,
        at=move.at,
    )


def level(variant: Variant) -> StockLevel:
    return StockLevel(
        variant_id=variant.variant_id,
        sku=variant.sku,
        options=dict(variant.options),
        on_hand=variant.on_hand,
        reserved=variant.reserved,
        available=variant.available,
    )
