"""What the cart promises."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Protocol, Self

from pydantic import AliasChoices, AwareDatetime, BeforeValidator, Field, StringConstraints, model_validator

from services.kit.errors import Conflict, Invalid, Refused, Unavailable
from services.kit.money import Money, RupeesIn, inr, round_half_up, split_by_largest_remainder
from services.kit.principal import Principal
from services.kit.wire import Page, Wire

MAX_QTY = 100
MAX_LINES = 50


class AmbiguousItem(Conflict):
    """A productId that stands in several lines; `details.items` names them."""

    code = "ambiguous_item"


class CartFull(Refused):
    code = "cart_full"


class CartBusy(Unavailable):
    """Too many writers at once on one cart; nothing was changed."""

    code = "cart_busy"


class QtyInvalid(Invalid):
    code = "invalid_qty"


class CouponRefused(Refused):
    """`details.reason`: ended, expired, used, minimum (with `missing`), nothing_eligible."""

    code = "coupon_refused"


class CouponTaken(Conflict):
    code = "coupon_code_taken"


LEAST_TO_PAY = 100
"""Paise that a coupon leaves of the goods it is for: less cannot be paid."""
Code = Annotated[
    str,
    BeforeValidator(lambda code: code.strip().upper() if isinstance(code, str) else code),
    StringConstraints(pattern=r"^[A-Z0-9-]{3,24}$"),
]


class CouponTerms(Wire):
    """What a coupon takes off the goods of one seller: `percent` (at most `cap`) or `amount`, from `minimum` on."""

    code: str
    seller_id: str
    percent: int | None = None
    amount: Money | None = None
    cap: Money | None = None
    minimum: Money = inr(0)

    def eligible(self, lines: Sequence[tuple[str, int]]) -> int:
        """Paise of the lines (seller, paise) that the coupon is for."""
        return sum(gross for seller_id, gross in lines if seller_id == self.seller_id)

    def discounts(self, lines: Sequence[tuple[str, int]]) -> list[int]:
        """Paise off each of the lines (seller, paise), split by largest remainder over the eligible ones."""
        eligible = self.eligible(lines)
        if eligible < self.minimum.amount:
            return [0] * len(lines)
        off = self.amount.amount if self.amount else round_half_up(eligible * (self.percent or 0), 100)
        if self.cap:
            off = min(off, self.cap.amount)
        off = max(0, min(off, eligible - LEAST_TO_PAY))
        return split_by_largest_remainder(off, [gross if seller == self.seller_id else 0 for seller, gross in lines])


class Coupon(CouponTerms):
    """A seller's coupon. A single-use one is good for one order of each user."""

    single_use: bool
    created_at: datetime
    expires_at: datetime | None = None
    ended_at: datetime | None = None

    def terms(self) -> CouponTerms:
        return CouponTerms.model_validate(self.model_dump())


class NewCoupon(Wire):
    """Either `percent` or `amount`; amounts in rupees. Lower case of the code is raised."""

    code: Code
    percent: Annotated[int, Field(ge=1, le=100)] | None = None
    amount: Annotated[RupeesIn, Field(gt=0)] | None = None
    cap: Annotated[RupeesIn, Field(gt=0)] | None = None
    minimum: RupeesIn = 0
    single_use: bool = True
    expires_at: AwareDatetime | None = None

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        if (self.percent is None) == (self.amount is None):
            raise ValueError("give either percent or amount")
        if self.cap is not None and self.percent is None:
            raise ValueError("a cap is for a percentage")
        return self

    def coupon(self, seller_id: str, now: datetime) -> Coupon:
        return Coupon(
            code=self.code,
            seller_id=seller_id,
            percent=self.percent,
            amount=None if self.amount is None else inr(self.amount),
            cap=None if self.cap is None else inr(self.cap),
            minimum=inr(self.minimum),
            single_use=self.single_use,
            created_at=now,
            expires_at=self.expires_at,
        )


class ApplyCoupon(Wire):
    code: Code


Qty = Annotated[int, Field(ge=1, le=MAX_QTY, validation_alias=AliasChoices("qty", "quantity"))]


class AddItem(Wire):
    """Either id; a productId must have exactly one active variant."""

    product_id: str | None = None
    variant_id: str | None = None
    qty: Qty = 1


class ChangeItem(Wire):
    """qty ≤ 0 removes the line."""

    qty: Annotated[int, Field(ge=-MAX_QTY, le=MAX_QTY, validation_alias=AliasChoices("qty", "quantity"))]


class CartItem(Wire):
    item_id: str
    product_id: str
    variant_id: str
    seller_id: str
    title: str
    options: dict[str, str] = {}
    image: str | None = None
    qty: int
    price: Money
    line_total: Money
    available: int


class Notice(Wire):
    """What changed since the cart was last written to: price_changed, out_of_stock, qty_over_stock, unavailable;

    or coupon_refused (without an item): the coupon in the cart takes nothing off now.
    Reading does not use a notice up; the next change of the cart does.
    """

    code: str
    item_id: str
    message: str


class CartView(Wire):
    """`total` is the sum of the lines that can be bought as they stand, less `discount`, before shipping; with GST.

    `coupon` is the code that was applied; `coupon_terms` are there while it takes something off.

    `version` grows with every change of the lines; 0 is a cart nobody wrote to yet.
    """

    cart_id: str
    version: int
    items: tuple[CartItem, ...]
    total: Money
    coupon: str | None = None
    coupon_terms: CouponTerms | None = None
    discount: Money = inr(0)
    notices: tuple[Notice, ...] = ()


class CartPort(Protocol):
    """`key` makes a repeated write do nothing twice; the cart remembers its last hundred keys."""

    async def get(self, who: Principal) -> CartView: ...

    async def add(self, who: Principal, item: AddItem, key: str | None = None) -> CartView:
        """Raises NotFound, ProductGone, VariantRequired, OutOfStock, CartFull."""

    async def change(self, who: Principal, item_ref: str, change: ChangeItem, key: str | None = None) -> CartView:
        """`item_ref`: itemId, variantId, or productId when unambiguous. Raises NotFound, AmbiguousItem, OutOfStock."""

    async def remove(self, who: Principal, item_ref: str, key: str | None = None) -> CartView:
        """Raises NotFound, AmbiguousItem."""

    async def clear(self, who: Principal, key: str | None = None) -> CartView: ...

    async def merge_guest(self, who: Principal, guest: Principal) -> CartView:
        """At login: the guest's lines move over, in one write; repeatable.

        Quantities add up to at most MAX_QTY; lines beyond MAX_LINES stay with the guest.
        """

    async def apply_coupon(self, who: Principal, command: ApplyCoupon, key: str | None = None) -> CartView:
        """In place of one that was there. Raises NotFound, CouponRefused."""

    async def drop_coupon(self, who: Principal, key: str | None = None) -> CartView: ...

    async def redeem(self, user_id: str, code: str, order_id: str) -> None:
        """Internal: this order uses the coupon from now on; repeatable. Raises NotFound, CouponRefused."""

    async def release_coupon(self, order_id: str) -> None:
        """Internal: the order will not be paid, what it used can be used again; repeatable."""

    async def redemptions_before(self, moment: datetime) -> list[str]:
        """Internal: orders that use a coupon since before `moment` and were never heard of."""

    async def create_coupon(self, who: Principal, new: NewCoupon) -> Coupon:
        """For sellers. Raises Forbidden, Invalid, CouponTaken."""

    async def coupons(self, who: Principal, limit: int = 20, cursor: str | None = None) -> Page[Coupon]:
        """A seller's own, newest first. Raises Forbidden, Invalid."""

    async def end_coupon(self, who: Principal, code: str) -> Coupon:
        """Nobody can use it any more; repeatable. Raises Forbidden, NotFound."""
