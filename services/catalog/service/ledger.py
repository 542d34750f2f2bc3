"""Stock counted and corrected by sellers, and the ledger of every change."""

from collections.abc import Sequence

from services.catalog.adapters import cursors
from services.catalog.models.ledger import Booked, entry, level, openings, unbooked
from services.catalog.models.product import Move, Product, Variant
from services.catalog.repository import LedgerRepository, ProductRepository, StockRepository
from services.catalog.service.stock import Stock
from services.contracts.catalog import StockBelowReserved, StockChange, StockChanged, StockLedger
from services.kit.clock import Clock
from services.kit.errors import Conflict, Invalid, NotFound
from services.kit.idempotency import Attempt, CommandKey, Idempotency
from services.kit.outbox import Outbox, Unit
from services.kit.principal import Principal

_ATTEMPTS = 8
_MOST = 10_000_000
_KIND = "stock"


class _MovedOn(Exception):
    """Stock moved between reading and writing."""


class Ledger:
    def __init__(
        self,
        *,
        products: ProductRepository,
        shelf: StockRepository,
        ledger: LedgerRepository,
        outbox: Outbox,
        idempotency: Idempotency,
        stock: Stock,
        clock: Clock,
    ) -> None:
        self._products = products
        self._shelf = shelf
        self._ledger = ledger
        self._outbox = outbox
        self._idempotency = idempotency
        self._stock = stock
        self._clock = clock

    async def change(
        self, who: Principal, product_id: str, wanted: StockChange, key: CommandKey | None
    ) -> StockChanged:
        async with self._idempotency.attempt(key, "mov") as attempt:
            if attempt.answer is not None:
                return StockChanged.from_wire(attempt.answer).as_replayed()
            for _ in range(_ATTEMPTS):
                product = await self._own(who, product_id)
                variant = _meant(product, wanted.variant_id)
                try:
                    return await self._write(product, variant, wanted, attempt)
                except _MovedOn:
                    continue
            raise Conflict("the stock moves faster than it can be counted; try again")

    async def _own(self, who: Principal, product_id: str) -> Product:
        product = await self._products.find(product_id)
        if product is None or product.seller_id != who.seller_id:
            raise NotFound.of("product")
        return product

    async def _write(self, product: Product, variant: Variant, wanted: StockChange, attempt: Attempt) -> StockChanged:
        on_hand = _target(variant, wanted)
        by = on_hand - variant.on_hand
        move = Move(attempt.new_id, by, "adjusted", None, wanted.reason, self._clock.now())

        async def work(unit: Unit) -> StockChanged:
            if not await self._shelf.set_on_hand(variant, on_hand, move, unit):
                raise _MovedOn
            now = await self._shelf.find(variant.variant_id, unit)
            shown = StockChanged(entry=entry(product, Booked(variant.variant_id, move)), level=level(now or variant))
            await self._idempotency.complete(attempt, shown, unit)
            return shown

        shown = await self._outbox.transact(work)
        await self._stock.moved([variant.variant_id])
        return shown

    async def read(self, who: Principal, product_id: str, limit: int, cursor: str | None) -> StockLedger:
        """Newest first: what is not booked yet, what is, and what the variants began with."""
        product = await self._own(who, product_id)
        booked = await self._ledger.count(product_id)
        waiting = await self._waiting(product)
        top = booked + len(waiting)
        before = cursors.decode(cursor, _KIND, int)[0] if cursor else top
        found = [(booked + place, each) for place, each in enumerate(waiting) if booked + place < before][::-1][:limit]
        if len(found) < limit:
            found += await self._ledger.before(product_id, min(before, booked), limit - len(found))
        found += _opened(product.variants, before, limit - len(found))
        following = cursors.encode(_KIND, found[-1][0]) if len(found) == limit and self._more(product, found) else None
        return StockLedger(
            items=tuple(entry(product, each) for _, each in found),
            next_cursor=following,
            levels=tuple(level(variant) for variant in product.offered),
        )

    async def _waiting(self, product: Product) -> list[Booked]:
        moves = unbooked(product.variants)
        known = await self._ledger.among([each.move.entry_id for each in moves]) if moves else set()
        return [each for each in moves if each.move.entry_id not in known]

    def _more(self, product: Product, found: Sequence[tuple[int, Booked]]) -> bool:
        last = found[-1][0]
        return last > 0 or len(openings(product.variants)) > max(0, -last)


def _opened(variants: Sequence[Variant], before: int, limit: int) -> list[tuple[int, Booked]]:
    """Numbered -1, -2, …"""
    first = openings(variants)
    return [(-place, each) for place, each in enumerate(first, 1) if -place < before][: max(0, limit)]


def _meant(product: Product, variant_id: str | None) -> Variant:
    if variant_id is None and len(product.offered) == 1:
        return product.offered[0]
    for variant in product.offered:
        if variant.variant_id == variant_id:
            return variant
    raise Invalid("say in variantId which variant of the product this is about", field="variantId")


def _target(variant: Variant, wanted: StockChange) -> int:
    """What is to lie on the shelf. Raises Invalid, StockBelowReserved."""
    if (wanted.change is None) == (wanted.on_hand is None):
        raise Invalid("send either change (more or less) or onHand (what was counted)", field="change")
    on_hand = variant.on_hand + wanted.change if wanted.change is not None else wanted.on_hand or 0
    if not 0 <= on_hand <= _MOST:
        raise Invalid(f"the stock would be {on_hand}; it is 0 to {_MOST}", field="change")
    if on_hand < variant.reserved:
        raise StockBelowReserved(
            f"{variant.reserved} of {variant.sku} are held for orders; the stock cannot be {on_hand}",
            field="change",
            details={"variantId": variant.variant_id, "reserved": variant.reserved},
        )
    return on_hand
