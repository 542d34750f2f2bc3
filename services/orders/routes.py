"""Quotes and orders over HTTP."""

from typing import Annotated

from fastapi import APIRouter, Path
from starlette.responses import Response

from services.contracts.cart import CouponRefused
from services.contracts.catalog import OutOfStock, ProductGone
from services.contracts.orders import (
    AddressFixed,
    AddressRequired,
    CancelOrder,
    CancelPart,
    CartAlreadyOrdered,
    CartEmpty,
    ChangeAddress,
    DecideReturn,
    IllegalStep,
    MethodNotAvailable,
    NoInvoice,
    NotCancellable,
    OrderClosed,
    OrdersPort,
    OrderStatus,
    OrderView,
    PlaceOrder,
    Quote,
    QuoteChanged,
    QuoteRequest,
    RequestReturn,
    ReturnDecided,
    ReturnNotPossible,
    SellerPart,
    SellerUnavailable,
    ShipPart,
)
from services.kit.errors import (
    Forbidden,
    IdempotencyConflict,
    IdempotencyKeyRequired,
    InFlight,
    NotFound,
    Unauthenticated,
)
from services.kit.web import Admin, Cursor, Limit, OptionalKey, RequiredKey, Seller, User, answer, problems
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


_PLACING = (
    *_QUOTING,
    *_KEYED,
    IdempotencyKeyRequired,
    QuoteChanged,
    CartAlreadyOrdered,
    OrderClosed,
    CouponRefused,
)
_STEPPING = (Unauthenticated, Forbidden, NotFound, IllegalStep, *_KEYED)


def routes(orders: OrdersPort) -> APIRouter:
    """All of them: the buyer's, the sellers' and the operators'."""
    router = APIRouter()
    for each in (_buying(orders), _ending(orders), _selling(orders), _deciding(orders), _operating(orders)):
        router.include_router(each)
    return router


def _buying(orders: OrdersPort) -> APIRouter:
    router = APIRouter(prefix="/orders", tags=["orders"])

    @router.post("/quote", response_model=Quote, responses=problems(*_QUOTING))
    async def quote_order(who: User, request: QuoteRequest) -> Response:
        """What the cart would cost, delivered to an address; holds nothing."""
        return answer(await orders.quote(who, request))

    @router.post(
        "",
        status_code=201,
        response_model=OrderView,
        responses=problems(
            *_QUOTING, *_KEYED, IdempotencyKeyRequired, QuoteChanged, CartAlreadyOrdered, OrderClosed, CouponRefused
        ),
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

    return router


def _ending(orders: OrdersPort) -> APIRouter:
    router = APIRouter(prefix="/orders", tags=["orders"])

    @router.get(
        "/{order_id}/invoice",
        response_class=Response,
        responses={
            200: {"content": {"application/pdf": {"schema": {"type": "string", "format": "binary"}}}},
            **problems(Unauthenticated, NotFound, NoInvoice),
        },
    )
    async def get_invoice(who: User, order_id: OrderId) -> Response:
        """The invoices of a confirmed order as PDF: all parts for the buyer, the own part for a seller."""
        pdf = await orders.invoice(who, order_id)
        headers = {"Content-Disposition": f'inline; filename="invoice-{order_id}.pdf"', "Cache-Control": "private"}
        return Response(pdf, 200, headers, "application/pdf")

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

    @router.patch(
        "/{order_id}/address",
        response_model=OrderView,
        responses=problems(Unauthenticated, NotFound, AddressFixed, *_KEYED),
    )
    async def change_order_address(who: User, order_id: OrderId, command: ChangeAddress, key: OptionalKey) -> Response:
        """Deliver elsewhere, as long as the order is not paid; the total stays."""
        return answer(await orders.change_address(who, order_id, command, key))

    @router.post(
        "/{order_id}/returns",
        status_code=201,
        response_model=OrderView,
        responses=problems(Unauthenticated, NotFound, ReturnNotPossible, IdempotencyKeyRequired, *_KEYED),
    )
    async def request_return(who: User, order_id: OrderId, command: RequestReturn, key: RequiredKey) -> Response:
        """Ask to give delivered goods back; each seller decides on the own lines."""
        return answer(await orders.request_return(who, order_id, command, key), 201)

    return router


def _selling(orders: OrdersPort) -> APIRouter:
    router = APIRouter(prefix="/seller/orders", tags=["orders"])

    @router.get("/{order_id}", response_model=SellerPart, responses=problems(Unauthenticated, Forbidden, NotFound))
    async def get_seller_order(who: Seller, order_id: OrderId) -> Response:
        """The seller's own part of an order, with where to send it once it is confirmed."""
        return answer(await orders.part(who, order_id))

    @router.post("/{order_id}/ship", response_model=SellerPart, responses=problems(*_STEPPING))
    async def ship_order(who: Seller, order_id: OrderId, key: OptionalKey, command: ShipPart | None = None) -> Response:
        """The own part is on its way."""
        return answer(await orders.ship(who, order_id, command or ShipPart(), key))

    @router.post("/{order_id}/deliver", response_model=SellerPart, responses=problems(*_STEPPING))
    async def deliver_order(who: Seller, order_id: OrderId, key: OptionalKey) -> Response:
        """The own part has arrived."""
        return answer(await orders.deliver(who, order_id, key))

    @router.post("/{order_id}/cancel", response_model=SellerPart, responses=problems(*_STEPPING))
    async def cancel_seller_order(
        who: Seller, order_id: OrderId, key: OptionalKey, command: CancelPart | None = None
    ) -> Response:
        """Call the own part off before it is shipped; its goods go back on the shelf, its money to the buyer."""
        return answer(await orders.cancel_part(who, order_id, command or CancelPart(), key))

    @router.post("/{order_id}/cod-collected", response_model=SellerPart, responses=problems(*_STEPPING))
    async def collect_cash(who: Seller, order_id: OrderId, key: OptionalKey) -> Response:
        """The cash of the own, delivered part is here."""
        return answer(await orders.cod_collected(who, order_id, key))

    return router


def _deciding(orders: OrdersPort) -> APIRouter:
    router = APIRouter(prefix="/seller/returns", tags=["orders"])
    refusals = (Unauthenticated, Forbidden, NotFound, ReturnDecided, *_KEYED)

    @router.post("/{return_id}/approve", response_model=SellerPart, responses=problems(*refusals))
    async def approve_return(
        who: Seller, return_id: OrderId, key: OptionalKey, command: DecideReturn | None = None
    ) -> Response:
        """Take the goods back: exactly what was paid for these pieces goes back to the buyer."""
        return answer(await orders.approve_return(who, return_id, command or DecideReturn(), key))

    @router.post("/{return_id}/refuse", response_model=SellerPart, responses=problems(*refusals))
    async def refuse_return(
        who: Seller, return_id: OrderId, key: OptionalKey, command: DecideReturn | None = None
    ) -> Response:
        """Decline, with a note for the buyer."""
        return answer(await orders.refuse_return(who, return_id, command or DecideReturn(), key))

    return router


def _operating(orders: OrdersPort) -> APIRouter:
    router = APIRouter(prefix="/admin/orders", tags=["admin"])

    @router.get("", response_model=Page[OrderView], responses=problems(Unauthenticated, Forbidden))
    async def list_all_orders(
        who: Admin, status: OrderStatus | None = None, limit: Limit = 20, cursor: Cursor = None
    ) -> Response:
        """All orders, newest first; a page may hold fewer than asked when few have the status."""
        return answer(await orders.listed(who, status, limit, cursor))

    return router
