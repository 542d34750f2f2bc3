"""Quotes and orders over HTTP."""

from typing import Annotated

from fastapi import APIRouter, Path
from starlette.responses import Response

from services.contracts.catalog import OutOfStock, ProductGone
from services.contracts.orders import (
    AddressRequired,
    CancelOrder,
    CartAlreadyOrdered,
    CartEmpty,
    MethodNotAvailable,
    NotCancellable,
    OrderClosed,
    OrdersPort,
    OrderView,
    PlaceOrder,
    Quote,
    QuoteChanged,
    QuoteRequest,
    SellerUnavailable,
)
from services.kit.errors import (
    IdempotencyConflict,
    IdempotencyKeyRequired,
    InFlight,
    NotFound,
    Unauthenticated,
)
from services.kit.web import Cursor, Limit, OptionalKey, RequiredKey, User, answer, problems
from services.kit.wire import Page

OrderId = Annotated[str, Path(max_length=64)]
_QUOTING = (
    Unauthenticated,
    NotFound,
    CartEmpty,
    AddressRequired,
    OutOfStock,
    ProductGone,
    MethodNotAvailable,
    SellerUnavailable,
)
_KEYED = (IdempotencyConflict, InFlight)


def routes(orders: OrdersPort) -> APIRouter:
    router = APIRouter(prefix="/orders", tags=["orders"])

    @router.post("/quote", response_model=Quote, responses=problems(*_QUOTING))
    async def quote_order(who: User, request: QuoteRequest) -> Response:
        """What the cart would cost, delivered to an address; holds nothing."""
        return answer(await orders.quote(who, request))

    @router.post(
        "",
        status_code=201,
        response_model=OrderView,
        responses=problems(*_QUOTING, *_KEYED, IdempotencyKeyRequired, QuoteChanged, CartAlreadyOrdered, OrderClosed),
    )
    async def place_order(who: User, command: PlaceOrder, key: RequiredKey) -> Response:
        """Turn the cart into an order and hold its stock."""
        return answer(await orders.place(who, command, key), 201)

    @router.get("/me", response_model=Page[OrderView], responses=problems(Unauthenticated))
    async def list_my_orders(who: User, limit: Limit = 20, cursor: Cursor = None) -> Response:
        """The caller's orders, newest first."""
        return answer(await orders.mine(who, limit, cursor))

    @router.get("/{order_id}", response_model=OrderView, responses=problems(Unauthenticated, NotFound))
    async def get_order(who: User, order_id: OrderId) -> Response:
        """One order with its timeline, parts and payment summary."""
        return answer(await orders.get(who, order_id))

    @router.post(
        "/{order_id}/cancel",
        response_model=OrderView,
        responses=problems(Unauthenticated, NotFound, NotCancellable, *_KEYED),
    )
    async def cancel_order(
        who: User, order_id: OrderId, key: OptionalKey, command: CancelOrder | None = None
    ) -> Response:
        """Call an order off before anything is shipped; what was paid goes back."""
        return answer(await orders.cancel(who, order_id, command or CancelOrder(), key))

    return router
