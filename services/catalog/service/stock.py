"""Stock: held for orders, sold, freed, taken back, and told to the others."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Sequence
from datetime import datetime

from services.catalog.models.ledger import sold_prefix, unbooked
from services.catalog.models.product import Product, Variant
from services.catalog.repository import LedgerRepository, ProductRepository, StockRepository
from services.catalog.service.rendered import RenderedProducts
from services.contracts.catalog import HoldDiffers, LineIn, OutOfStock, ProductGone
from services.contracts.events import InventoryLow, InventoryUpdated
from services.kit.clock import Clock
from services.kit.errors import Invalid
from services.kit.faults import CrashPoints
from services.kit.log import get_logger
from services.kit.outbox import Outbox, Unit

_EVENTS_A_WRITE = 100
_OWNERS_KEPT = 50_000

log = get_logger("catalog")
EndHold = Callable[[str, str, int, datetime], Awaitable[bool]]
NoHold = Callable[[str, str], Awaitable[None]]


class Stock:
    """Every step is repeatable, and variants are always taken in the order of their ids."""

    def __init__(
        self,
        *,
        shelf: StockRepository,
        products: ProductRepository,
        ledger: LedgerRepository,
        outbox: Outbox,
        rendered: RenderedProducts,
        clock: Clock,
        crash: CrashPoints,
        low_stock_units: int,
    ) -> None:
        self.changed = asyncio.Event()
        self._shelf = shelf
        self._products = products
        self._ledger = ledger
        self._outbox = outbox
        self._rendered = rendered
        self._clock = clock
        self._crash = crash
        self._low_stock_units = low_stock_units
        self._owners: dict[str, str] = {}

    async def reserve(self, order_id: str, lines: Sequence[LineIn]) -> None:
        wanted = _summed(lines)
        taken: list[tuple[str, int]] = []
        try:
            for variant_id, qty in wanted:
                await self._hold(order_id, variant_id, qty)
                taken.append((variant_id, qty))
                self._crash.reach("catalog.reserve.line")
        except (OutOfStock, ProductGone, HoldDiffers):
            for variant_id, qty in taken:
                await self._shelf.free(variant_id, order_id, qty)
            raise
        finally:
            await self.moved(variant_id for variant_id, _ in taken)

    async def _hold(self, order_id: str, variant_id: str, qty: int) -> None:
        if await self._shelf.hold(variant_id, order_id, qty, self._clock.now()):
            return
        variant = await self._shelf.find(variant_id)
        held = _held_by(variant, order_id) if variant else 0
        if held == qty:
            return
        raise await self._refusal(variant_id, variant, held)

    async def _refusal(self, variant_id: str, variant: Variant | None, held: int) -> Exception:
        product = await self._products.find(variant.product_id) if variant else None
        title = product.title if product else "a product"
        details = {"variantId": variant_id, "title": title}
        if variant is None or not variant.live:
            return ProductGone(f"{title} is not sold any more", details=details)
        if held:
            return HoldDiffers(f"the order already holds {held} of {title}", details={**details, "held": held})
        left = max(0, variant.available)
        return OutOfStock(f"only {left} of {title} left", details={**details, "available": left})

    async def commit(self, order_id: str, lines: Sequence[LineIn]) -> None:
        await self._end_holds(order_id, lines, self._shelf.sell, "catalog.commit.line", self._check_sold)

    async def release(self, order_id: str, lines: Sequence[LineIn]) -> None:
        await self._end_holds(order_id, lines, self._shelf.free, "catalog.release.line", self._check_no_other_hold)

    async def _end_holds(
        self, order_id: str, lines: Sequence[LineIn], end: EndHold, crash_point: str, no_hold: NoHold
    ) -> None:
        ended: list[str] = []
        try:
            for variant_id, qty in _summed(lines):
                if await end(variant_id, order_id, qty, self._clock.now()):
                    ended.append(variant_id)
                    self._crash.reach(crash_point)
                else:
                    await no_hold(order_id, variant_id)
        finally:
            await self.moved(ended)

    async def _check_no_other_hold(self, order_id: str, variant_id: str) -> None:
        variant = await self._shelf.find(variant_id)
        held = _held_by(variant, order_id) if variant else 0
        if held:
            details = {"variantId": variant_id, "held": held}
            raise HoldDiffers(f"the order holds {held} of the variant, another quantity", details=details)

    async def _check_sold(self, order_id: str, variant_id: str) -> None:
        """A repeated commit finds the goods sold before; without a trace of that nothing was ever held."""
        await self._check_no_other_hold(order_id, variant_id)
        prefix = sold_prefix(order_id, variant_id)
        variant = await self._shelf.find(variant_id)
        waiting = variant is not None and any(move.entry_id.startswith(prefix) for move in variant.moves)
        if not waiting and not await self._ledger.has_any(prefix):
            log.warning("commit_without_hold", order_id=order_id, variant_id=variant_id)

    async def restock(self, order_id: str, lines: Sequence[LineIn]) -> None:
        wanted = _summed(lines)

        async def work(unit: Unit) -> None:
            for variant_id, qty in wanted:
                await self._shelf.take_back(variant_id, order_id, qty, self._clock.now(), unit)

        await self._outbox.transact(work)
        await self.moved(variant_id for variant_id, _ in wanted)

    async def holds_older_than(self, moment: datetime) -> list[tuple[str, list[LineIn]]]:
        found: dict[str, list[LineIn]] = {}
        for variant in await self._shelf.held():
            for hold in variant.holds:
                if hold.at < moment:
                    line = LineIn(variant_id=variant.variant_id, qty=hold.qty)
                    found.setdefault(hold.order_id, []).append(line)
        return sorted(found.items())

    async def moved(self, variant_ids: Iterable[str]) -> None:
        """Stock of these is not what it was: forget what was shown, and have the change told."""
        moved = list(variant_ids)
        if not moved:
            return
        self.changed.set()
        unknown = [each for each in moved if each not in self._owners]
        if unknown:
            await self._learn_owners(unknown)
        await self._rendered.forget({self._owners[each] for each in moved if each in self._owners})

    async def _learn_owners(self, variant_ids: Sequence[str]) -> None:
        if len(self._owners) > _OWNERS_KEPT:
            self._owners.clear()
        for variant in await self._products.variants(variant_ids):
            self._owners[variant.variant_id] = variant.product_id

    async def flush(self) -> int:
        """Tell all stock that moved, by one event a product; returns how many products."""
        dirty = await self._shelf.dirty()
        products = list(dict.fromkeys(variant.product_id for variant in dirty))
        for start in range(0, len(products), _EVENTS_A_WRITE):
            group = set(products[start : start + _EVENTS_A_WRITE])
            await self._tell([variant for variant in dirty if variant.product_id in group])
        return len(products)

    async def _tell(self, dirty: Sequence[Variant]) -> None:
        """The events are written before the marks go: a crash between repeats them, and never loses one."""
        products = await self._products.load([variant.product_id for variant in dirty])
        owners = {variant.variant_id: variant.product_id for variant in dirty}

        async def work(unit: Unit) -> None:
            for product in products.values():
                self._record(product, dirty, unit)
            await self._ledger.append([(owners[each.variant_id], each) for each in unbooked(dirty)], unit)

        await self._outbox.transact(work)
        await self._shelf.told([(variant, self._is_low(variant)) for variant in dirty])

    def _record(self, product: Product, dirty: Sequence[Variant], unit: Unit) -> None:
        sequence = sum(variant.revision for variant in product.variants)
        available = sum(max(0, variant.available) for variant in product.offered)
        told = InventoryUpdated(product_id=product.product_id, seller_id=product.seller_id, available=available)
        unit.record(told, sequence=sequence)
        for variant in dirty:
            fell = self._is_low(variant) and not variant.low and not variant.removed
            if variant.product_id == product.product_id and fell:
                unit.record(_low_event(product, variant), sequence=sequence)

    def _is_low(self, variant: Variant) -> bool:
        return variant.available <= self._low_stock_units


def _low_event(product: Product, variant: Variant) -> InventoryLow:
    return InventoryLow(
        product_id=product.product_id,
        seller_id=product.seller_id,
        variant_id=variant.variant_id,
        sku=variant.sku,
        title=product.title,
        available=variant.available,
    )


def _held_by(variant: Variant, order_id: str) -> int:
    return sum(hold.qty for hold in variant.holds if hold.order_id == order_id)


def _summed(lines: Sequence[LineIn]) -> list[tuple[str, int]]:
    """One entry a variant, sorted by id. Raises Invalid for a quantity below one."""
    wanted: Counter[str] = Counter()
    for line in lines:
        if line.qty < 1:
            raise Invalid(f"a quantity is at least 1, not {line.qty}", field="qty")
        wanted[line.variant_id] += line.qty
    return sorted(wanted.items())
