"""A catalogue in memory with the true rules of holds: all or nothing, repeatable, available = on hand - reserved."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from services.contracts.catalog import HoldDiffers, LineIn, OutOfStock, PricedLine, ProductGone, VariantRequired
from services.kit.clock import Clock
from services.kit.errors import NotFound
from services.kit.money import inr


@dataclass
class Shelf:
    """One variant; `holds` is qty and moment by order."""

    product_id: str
    variant_id: str
    price: int
    on_hand: int
    seller_id: str = "sel_a"
    category: str = "Toys"
    active: bool = True
    options: dict[str, str] = field(default_factory=dict)
    holds: dict[str, tuple[int, datetime]] = field(default_factory=dict)
    sold: dict[str, int] = field(default_factory=dict)

    @property
    def available(self) -> int:
        return self.on_hand - sum(qty for qty, _ in self.holds.values())

    def priced(self) -> PricedLine:
        return PricedLine(
            variant_id=self.variant_id,
            product_id=self.product_id,
            seller_id=self.seller_id,
            title=f"Thing {self.variant_id}",
            category=self.category,
            brand="Bora",
            image=None,
            options=self.options,
            sku=self.variant_id.upper(),
            price=inr(self.price),
            available=self.available,
            active=self.active,
            product_version=1,
        )


class FakeCatalog:
    """Every call gives the loop a turn, so that concurrent callers really interleave."""

    def __init__(self, clock: Clock) -> None:
        self.shelves: dict[str, Shelf] = {}
        self.restocked: set[tuple[str, str]] = set()
        self.price_calls = 0
        self._clock = clock

    def stock(self, variant_id: str, price: int = 10_000, on_hand: int = 10, **more) -> Shelf:
        shelf = Shelf(more.pop("product_id", f"prd_{variant_id}"), variant_id, price, on_hand, **more)
        self.shelves[variant_id] = shelf
        return shelf

    async def price(self, variant_ids: Sequence[str]) -> dict[str, PricedLine]:
        await asyncio.sleep(0)
        self.price_calls += 1
        return {v: self.shelves[v].priced() for v in variant_ids if v in self.shelves}

    async def variants_of(self, product_ids: Sequence[str]) -> dict[str, tuple[PricedLine, ...]]:
        await asyncio.sleep(0)
        found: dict[str, tuple[PricedLine, ...]] = {}
        for shelf in self.shelves.values():
            if shelf.product_id in product_ids:
                found[shelf.product_id] = (*found.get(shelf.product_id, ()), shelf.priced())
        return found

    async def sole_variant(self, product_id: str) -> PricedLine:
        await asyncio.sleep(0)
        found = [s.priced() for s in self.shelves.values() if s.product_id == product_id and s.active]
        if not found:
            raise NotFound.of("product")
        if len(found) > 1:
            options = [
                {"variantId": p.variant_id, "options": p.options, "price": p.price.to_wire(), "available": p.available}
                for p in found
                if p.available > 0
            ]
            raise VariantRequired("choose one", details={"options": options})
        return found[0]

    async def reserve(self, order_id: str, lines: Sequence[LineIn]) -> None:
        taken: list[LineIn] = []
        for line in sorted(lines, key=lambda line: line.variant_id):
            await asyncio.sleep(0)
            shelf = self.shelves.get(line.variant_id)
            if shelf is not None and order_id in shelf.holds:
                _require_same(shelf, order_id, line)
                continue
            if shelf is None or not shelf.active or shelf.available < line.qty:
                await self.release(order_id, taken)
                raise self._refusal(line, shelf)
            shelf.holds[order_id] = (line.qty, self._clock.now())
            taken.append(line)

    def _refusal(self, line: LineIn, shelf: Shelf | None) -> Exception:
        if shelf is None or not shelf.active:
            return ProductGone("gone", details={"variantId": line.variant_id})
        return OutOfStock("too few", details={"variantId": line.variant_id, "available": shelf.available})

    async def commit(self, order_id: str, lines: Sequence[LineIn]) -> None:
        await asyncio.sleep(0)
        for line in lines:
            shelf = self.shelves[line.variant_id]
            if order_id in shelf.holds:
                _require_same(shelf, order_id, line)
                qty, _ = shelf.holds.pop(order_id)
                shelf.on_hand -= qty
                shelf.sold[order_id] = qty

    async def release(self, order_id: str, lines: Sequence[LineIn]) -> None:
        await asyncio.sleep(0)
        for line in lines:
            shelf = self.shelves.get(line.variant_id)
            if shelf is not None and order_id in shelf.holds:
                _require_same(shelf, order_id, line)
                del shelf.holds[order_id]

    async def restock(self, order_id: str, lines: Sequence[LineIn]) -> None:
        await asyncio.sleep(0)
        for line in lines:
            if (order_id, line.variant_id) not in self.restocked:
                self.restocked.add((order_id, line.variant_id))
                self.shelves[line.variant_id].on_hand += line.qty
                self.shelves[line.variant_id].sold.pop(order_id, None)

    async def holds_older_than(self, moment: datetime) -> list[tuple[str, list[LineIn]]]:
        await asyncio.sleep(0)
        by_order: dict[str, list[LineIn]] = {}
        for shelf in self.shelves.values():
            for order_id, (qty, since) in shelf.holds.items():
                if since < moment:
                    by_order.setdefault(order_id, []).append(LineIn(variant_id=shelf.variant_id, qty=qty))
        return list(by_order.items())


def _require_same(shelf: Shelf, order_id: str, line: LineIn) -> None:
    held, _ = shelf.holds[order_id]
    if held != line.qty:
        raise HoldDiffers("another quantity is held", details={"variantId": line.variant_id, "held": held})
