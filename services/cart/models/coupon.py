"""Coupons: what a seller promises, to whom and until when. Pure."""

from dataclasses import dataclass
from datetime import datetime

from services.contracts.cart import Coupon, CouponRefused, CouponTerms
from services.kit.money import inr

LINES = list[tuple[str, int]]


@dataclass(frozen=True)
class Redemption:
    """An order that uses a coupon; `key` is taken once."""

    key: str
    order_id: str


def redemption_of(coupon: Coupon, user_id: str, order_id: str) -> Redemption:
    """Of a single-use coupon a user has one, whatever the order."""
    return Redemption(f"{coupon.code}:{user_id if coupon.single_use else order_id}", order_id)


def require_live(coupon: Coupon, now: datetime) -> None:
    """Raises CouponRefused."""
    if coupon.ended_at is not None:
        raise _refused(coupon, "ended", f"the coupon {coupon.code} has ended")
    if coupon.expires_at is not None and coupon.expires_at <= now:
        raise _refused(coupon, "expired", f"the coupon {coupon.code} has expired")


def require_worth(terms: CouponTerms, lines: LINES) -> None:
    """Raises CouponRefused when the lines (seller, paise) earn no discount."""
    eligible = terms.eligible(lines)
    if eligible < terms.minimum.amount:
        reason = f"the coupon {terms.code} needs {terms.minimum.text()} of its seller's goods in the cart"
        raise _refused(terms, "minimum", reason, missing=inr(terms.minimum.amount - eligible).to_wire())
    if not sum(terms.discounts(lines)):
        raise _refused(terms, "nothing_eligible", f"the coupon {terms.code} is for goods of its seller")


def used(coupon: Coupon) -> CouponRefused:
    return _refused(coupon, "used", f"the coupon {coupon.code} was used before")


def _refused(coupon: CouponTerms, reason: str, message: str, **more: object) -> CouponRefused:
    return CouponRefused(message, field="code", details={"code": coupon.code, "reason": reason, **more})
