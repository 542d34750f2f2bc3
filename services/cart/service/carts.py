"""Carts of users and guests: every write is one conditional update on the version it was made from."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime

from services.cart.models.cart import Cart, Line, require_sellable
from services.cart.repository import CartRepository
from services.cart.service.coupons import Coupons
from services.contracts.cart import (
    AddItem,
    ApplyCoupon,
    CartBusy,
    CartView,
    ChangeItem,
    Coupon,
    NewCoupon,
    Notice,
)
from services.contracts.catalog import CatalogPort, PricedLine, ProductGone
from services.contracts.events import OrderEvent
from services.kit.errors import Invalid, NotFound
from services.kit.outbox import Outbox, Unit
from services.kit.principal import Principal
from services.kit.wire import Page

ATTEMPTS = 100

Prices = dict[str, PricedLine]
Change = Callable[[Cart], Awaitable[tuple[Cart, Prices]]]


class CartService:
    """Implements CartPort, and what the cart's consumer does. A cart holds no stock."""

    def __init__(self, repository: CartRepository, outbox: Outbox, catalog: CatalogPort) -> None:
        self._carts = repository
        self._coupons = Coupons(repository.coupons, repository.clock)
        self._outbox = outbox
        self._catalog = catalog

    async def get(self, who: Principal) -> CartView:
        cart = await self._carts.of(who.user_id)
        prices = await self._prices(cart)
        return await self._view(cart, prices)

    async def _view(self, cart: Cart, prices: Prices) -> CartView:
        notices = cart.notices(prices)
        if cart.coupon is None:
            return cart.view(prices, notices)
        terms, refusal = await self._coupons.seen(cart.owner, cart.coupon, cart.buyable(prices))
        told = (Notice(code="coupon_refused", item_id="", message=refusal),) if refusal else ()
        return cart.view(prices, (*notices, *told), terms)

    async def add(self, who: Principal, item: AddItem, key: str | None = None) -> CartView:
        async def adding(cart: Cart) -> tuple[Cart, Prices]:
            wanted, prices = await self._wanted(cart, item)
            return cart.adding(wanted, item.qty), prices

        return await self._change(who, key, adding)

    async def change(self, who: Principal, item_ref: str, change: ChangeItem, key: str | None = None) -> CartView:
        async def changing(cart: Cart) -> tuple[Cart, Prices]:
            line = cart.find(item_ref)
            prices = await self._prices(cart)
            if change.qty > 0:
                require_sellable(_still_sold(line, prices), change.qty)
            return cart.with_qty(line.item_id, change.qty), prices

        return await self._change(who, key, changing)

    async def remove(self, who: Principal, item_ref: str, key: str | None = None) -> CartView:
        async def removing(cart: Cart) -> tuple[Cart, Prices]:
            left = cart.with_qty(cart.find(item_ref).item_id, 0)
            return left, await self._prices(left)

        return await self._change(who, key, removing)

    async def clear(self, who: Principal, key: str | None = None) -> CartView:
        async def clearing(cart: Cart) -> tuple[Cart, Prices]:
            return cart.cleared(), {}

        return await self._change(who, key, clearing)

    async def apply_coupon(self, who: Principal, command: ApplyCoupon, key: str | None = None) -> CartView:
        async def applying(cart: Cart) -> tuple[Cart, Prices]:
            prices = await self._prices(cart)
            await self._coupons.usable(who.user_id, command.code, cart.buyable(prices))
            return cart.with_coupon(command.code), prices

        return await self._change(who, key, applying)

    async def drop_coupon(self, who: Principal, key: str | None = None) -> CartView:
        async def dropping(cart: Cart) -> tuple[Cart, Prices]:
            return cart.with_coupon(None), await self._prices(cart)

        return await self._change(who, key, dropping)

    async def redeem(self, user_id: str, code: str, order_id: str) -> None:
        await self._coupons.redeem(user_id, code, order_id)

    async def release_coupon(self, order_id: str) -> None:
        await self._coupons.release(order_id)

    async def redemptions_before(self, moment: datetime) -> list[str]:
        return await self._coupons.unkept_before(moment)

    async def create_coupon(self, who: Principal, new: NewCoupon) -> Coupon:
        return await self._coupons.create(who, new)

    async def coupons(self, who: Principal, limit: int = 20, cursor: str | None = None) -> Page[Coupon]:
        return await self._coupons.of_seller(who, limit, cursor)

    async def end_coupon(self, who: Principal, code: str) -> Coupon:
        return await self._coupons.end(who, code)

    async def merge_guest(self, who: Principal, guest: Principal) -> CartView:
        if not guest.is_guest:
            raise Invalid("only a guest's cart can be merged into an account's")

        async def move(unit: Unit) -> bool:
            theirs = await self._carts.of(guest.user_id, unit)
            if not theirs.lines:
                return True
            mine, left = (await self._carts.of(who.user_id, unit)).gaining(theirs.lines)
            if left == theirs.lines:
                return True
            mine = mine if mine.coupon else mine.with_coupon(theirs.coupon)
            return await self._carts.save(mine, unit) and await self._carts.save(replace(theirs, lines=left), unit)

        await self._in_one_write(move)
        return await self.get(who)

    async def create(self, owner: str) -> None:
        """A new account's empty cart; repeatable."""
        await self._carts.create(owner)

    async def take_ordered(self, event: OrderEvent, unit: Unit) -> None:
        """The lines of a placed order leave the cart they came from."""
        cart = await self._carts.of(event.user_id, unit)
        if event.coupon:
            await self._coupons.keep(event.order_id, unit)
        if cart.cart_id == event.cart_id:
            left = cart.ordering(event.order_id, event.cart_version, event.lines, event.coupon)
            await self._require_saved(cart, left, unit)

    async def give_back(self, event: OrderEvent, unit: Unit) -> None:
        """The lines of an order that ended unpaid return to the cart, once."""
        cart = await self._carts.of(event.user_id, unit)
        if cart.cart_id == event.cart_id:
            await self._require_saved(cart, cart.regaining(event.order_id, event.coupon), unit)

    async def _require_saved(self, before: Cart, after: Cart, unit: Unit) -> None:
        if after != before and not await self._carts.save(after, unit):
            raise CartBusy("the cart changed in between", retry_after=1)

    async def _change(self, who: Principal, key: str | None, change: Change) -> CartView:
        for _ in range(ATTEMPTS):
            before = await self._carts.of(who.user_id)
            if before.has_applied(key):
                return await self.get(who)
            changed, prices = await change(before)
            changed = changed.applying(key)
            if await self._carts.save(changed.seen_at(prices)):
                saved = replace(changed, version=before.version + 1)
                return await self._view(saved, prices)
        raise CartBusy("this cart is being changed from too many places at once", retry_after=1)

    async def _in_one_write(self, work: Callable[[Unit], Awaitable[bool]]) -> None:
        for _ in range(ATTEMPTS):
            try:
                return await self._outbox.transact(lambda unit: _all_or_nothing(work, unit))
            except _Overtaken:
                continue
        raise CartBusy("this cart is being changed from too many places at once", retry_after=1)

    async def _prices(self, cart: Cart, *more: str) -> Prices:
        wanted = list(dict.fromkeys([*cart.variant_ids, *more]))
        return await self._catalog.price(wanted) if wanted else {}

    async def _wanted(self, cart: Cart, item: AddItem) -> tuple[PricedLine, Prices]:
        """What is to be added, and the prices of the cart with it. Raises NotFound, VariantRequired, Invalid."""
        if item.variant_id is not None:
            prices = await self._prices(cart, item.variant_id)
            found = prices.get(item.variant_id)
            if found is None or item.product_id not in {None, found.product_id}:
                raise NotFound.of("product")
            return found, prices
        if item.product_id is None:
            raise Invalid("name what to add by productId or variantId", field="productId")
        sole = await self._catalog.sole_variant(item.product_id)
        return sole, {**await self._prices(cart), sole.variant_id: sole}


def _still_sold(line: Line, prices: Prices) -> PricedLine:
    found = prices.get(line.variant_id)
    if found is None:
        raise ProductGone(
            f"{line.title} is no longer sold",
            details={"productId": line.product_id, "variantId": line.variant_id, "title": line.title},
        )
    return found


class _Overtaken(Exception):
    """A version moved inside a transaction: undo it and begin again."""


async def _all_or_nothing(work: Callable[[Unit], Awaitable[bool]], unit: Unit) -> None:
    if not await work(unit):
        raise _Overtaken
