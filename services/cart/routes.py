"""The cart over HTTP, for users and guests."""

from typing import Annotated

from fastapi import APIRouter, Path
from starlette.responses import Response

from services.contracts.cart import (
    AddItem,
    AmbiguousItem,
    ApplyCoupon,
    CartBusy,
    CartFull,
    CartPort,
    CartView,
    ChangeItem,
    Coupon,
    CouponRefused,
    CouponTaken,
    NewCoupon,
)
from services.contracts.catalog import OutOfStock, ProductGone, VariantRequired
from services.kit.errors import Forbidden, NotFound, Unauthenticated
from services.kit.idempotency import CommandKey
from services.kit.web import Caller, Cursor, Limit, OptionalKey, Seller, answer, problems
from services.kit.wire import Page

CouponCode = Annotated[str, Path(max_length=24)]
ItemRef = Annotated[
    str, Path(max_length=64, description="An itemId, a variantId, or a productId that stands in one line only.")
]


def routes(cart: CartPort) -> APIRouter:
    """The shopper's cart, and the sellers' coupons."""
    router = APIRouter()
    router.include_router(_shopping(cart))
    router.include_router(_selling(cart))
    return router


def _shopping(cart: CartPort) -> APIRouter:
    router = APIRouter(prefix="/cart", tags=["cart"])

    @router.get("", response_model=CartView, responses=problems(Unauthenticated))
    async def get_cart(who: Caller) -> Response:
        """The caller's cart at the prices and stock of now, with notices of what changed."""
        return answer(await cart.get(who))

    @router.post(
        "/items",
        response_model=CartView,
        responses=problems(Unauthenticated, NotFound, ProductGone, VariantRequired, OutOfStock, CartFull, CartBusy),
    )
    async def add_cart_item(who: Caller, item: AddItem, key: OptionalKey) -> Response:
        """Add a variant, or a product that has exactly one."""
        return answer(await cart.add(who, item, _key(key)))

    @router.patch(
        "/items/{item_ref}",
        response_model=CartView,
        responses=problems(Unauthenticated, NotFound, AmbiguousItem, ProductGone, OutOfStock, CartBusy),
    )
    async def change_cart_item(who: Caller, item_ref: ItemRef, change: ChangeItem, key: OptionalKey) -> Response:
        """Set a line's quantity; 0 or less removes it."""
        return answer(await cart.change(who, item_ref, change, _key(key)))

    @router.delete(
        "/items/{item_ref}",
        response_model=CartView,
        responses=problems(Unauthenticated, NotFound, AmbiguousItem, CartBusy),
    )
    async def remove_cart_item(who: Caller, item_ref: ItemRef, key: OptionalKey) -> Response:
        """Take a line out."""
        return answer(await cart.remove(who, item_ref, _key(key)))

    @router.delete("", response_model=CartView, responses=problems(Unauthenticated, CartBusy))
    async def clear_cart(who: Caller, key: OptionalKey) -> Response:
        """Take everything out."""
        return answer(await cart.clear(who, _key(key)))

    @router.post(
        "/coupon",
        response_model=CartView,
        responses=problems(Unauthenticated, NotFound, CouponRefused, CartBusy),
    )
    async def apply_coupon(who: Caller, command: ApplyCoupon, key: OptionalKey) -> Response:
        """Use a coupon for this cart, in place of one that was there."""
        return answer(await cart.apply_coupon(who, command, _key(key)))

    @router.delete("/coupon", response_model=CartView, responses=problems(Unauthenticated, CartBusy))
    async def drop_coupon(who: Caller, key: OptionalKey) -> Response:
        """Take the coupon out of the cart."""
        return answer(await cart.drop_coupon(who, _key(key)))

    return router


def _selling(cart: CartPort) -> APIRouter:
    router = APIRouter(prefix="/seller/coupons", tags=["cart"])

    @router.post(
        "",
        status_code=201,
        response_model=Coupon,
        responses=problems(Unauthenticated, Forbidden, CouponTaken),
    )
    async def create_coupon(who: Seller, new: NewCoupon) -> Response:
        """A coupon for the seller's own goods: a percentage with a cap, or an amount."""
        return answer(await cart.create_coupon(who, new), 201)

    @router.get("", response_model=Page[Coupon], responses=problems(Unauthenticated, Forbidden))
    async def list_coupons(who: Seller, limit: Limit = 20, cursor: Cursor = None) -> Response:
        """The seller's own coupons, newest first."""
        return answer(await cart.coupons(who, limit, cursor))

    @router.post("/{code}/end", response_model=Coupon, responses=problems(Unauthenticated, Forbidden, NotFound))
    async def end_coupon(who: Seller, code: CouponCode) -> Response:
        """From now on nobody can use it; orders that did keep it."""
        return answer(await cart.end_coupon(who, code))

    return router


def _key(key: CommandKey | None) -> str | None:
    return key.record_id if key else None
