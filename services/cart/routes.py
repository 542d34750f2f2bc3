"""The cart over HTTP, for users and guests."""

from typing import Annotated

from fastapi import APIRouter, Path
from starlette.responses import Response

from services.contracts.cart import AddItem, AmbiguousItem, CartBusy, CartFull, CartPort, CartView, ChangeItem
from services.contracts.catalog import OutOfStock, ProductGone, VariantRequired
from services.kit.errors import NotFound, Unauthenticated
from services.kit.idempotency import CommandKey
from services.kit.web import Caller, OptionalKey, answer, problems

ItemRef = Annotated[
    str, Path(max_length=64, description="An itemId, a variantId, or a productId that stands in one line only.")
]


def routes(cart: CartPort) -> APIRouter:
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

    return router


def _key(key: CommandKey | None) -> str | None:
    return key.record_id if key else None
