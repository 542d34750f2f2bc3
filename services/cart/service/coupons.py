"""Sellers' coupons, and the orders that use them."""

from datetime import datetime

from services.cart.models.coupon import LINES, redemption_of, require_live, require_worth, used
from services.cart.repository import CouponRepository
from services.contracts.cart import Coupon, CouponRefused, CouponTaken, CouponTerms, NewCoupon
from services.kit.clock import Clock
from services.kit.errors import Forbidden, Invalid, NotFound
from services.kit.mongo import DuplicateKey
from services.kit.outbox import Unit
from services.kit.principal import Principal
from services.kit.wire import Page


class Coupons:
    """A redemption is written before its order is saved, and taken back when the order ends unpaid."""

    def __init__(self, repository: CouponRepository, clock: Clock) -> None:
        self._coupons = repository
        self._clock = clock

    async def create(self, who: Principal, new: NewCoupon) -> Coupon:
        now = self._clock.now()
        if new.expires_at is not None and new.expires_at <= now:
            raise Invalid("the expiry lies in the past", field="expiresAt")
        coupon = new.coupon(_seller(who), now)
        try:
            await self._coupons.insert(coupon)
        except DuplicateKey:
            raise CouponTaken("this code is taken; choose another", field="code") from None
        return coupon

    async def of_seller(self, who: Principal, limit: int, cursor: str | None) -> Page[Coupon]:
        """Newest first."""
        found = await self._coupons.of_seller(_seller(who))
        codes = [coupon.code for coupon in found]
        if cursor is not None and cursor not in codes:
            raise Invalid("this cursor is not from this list", field="cursor")
        start = 0 if cursor is None else codes.index(cursor) + 1
        page = found[start : start + limit]
        more = start + limit < len(found)
        return Page[Coupon](items=page, next_cursor=page[-1].code if more else None)

    async def end(self, who: Principal, code: str) -> Coupon:
        """Carts and quotes lose it at once; placed orders keep it. Repeatable."""
        coupon = await self._coupons.find(code)
        if coupon is None or coupon.seller_id != _seller(who):
            raise NotFound.of("coupon")
        await self._coupons.end(coupon.code, self._clock.now())
        return await self._coupons.find(coupon.code) or coupon

    async def usable(self, user_id: str, code: str, lines: LINES) -> CouponTerms:
        """Raises NotFound, CouponRefused."""
        coupon = await self._coupons.find(code)
        if coupon is None:
            raise NotFound.of("coupon")
        require_live(coupon, self._clock.now())
        if coupon.single_use and await self._coupons.is_redeemed(redemption_of(coupon, user_id, "").key):
            raise used(coupon)
        terms = coupon.terms()
        require_worth(terms, lines)
        return terms

    async def seen(self, user_id: str, code: str, lines: LINES) -> tuple[CouponTerms | None, str]:
        """The terms, or why they do not hold now."""
        try:
            return await self.usable(user_id, code, lines), ""
        except (CouponRefused, NotFound) as refusal:
            return None, refusal.message

    async def redeem(self, user_id: str, code: str, order_id: str) -> None:
        coupon = await self._coupons.find(code)
        if coupon is None:
            raise NotFound.of("coupon")
        require_live(coupon, self._clock.now())
        if not await self._coupons.redeem(redemption_of(coupon, user_id, order_id), self._clock.now()):
            raise used(coupon)

    async def release(self, order_id: str) -> None:
        await self._coupons.release(order_id)

    async def keep(self, order_id: str, unit: Unit) -> None:
        await self._coupons.keep(order_id, unit)

    async def unkept_before(self, moment: datetime) -> list[str]:
        return await self._coupons.unkept_before(moment)


def _seller(who: Principal) -> str:
    if who.seller_id is None:
        raise Forbidden("this is for sellers")
    return who.seller_id
