"""Payments over HTTP."""

from typing import Annotated

from fastapi import APIRouter, Path, Request
from starlette.responses import JSONResponse, Response

from services.contracts.orders import OrderClosed
from services.contracts.payments import (
    GatewayAway,
    GatewayOrder,
    NothingToPay,
    OpenPayment,
    PaymentRefused,
    PaymentsPort,
    PaymentView,
    RefundNotAllowed,
    RefundTooLarge,
    RefundView,
    RequestRefund,
    SignatureInvalid,
    VerifyPayment,
)
from services.kit.errors import (
    IdempotencyConflict,
    IdempotencyKeyRequired,
    InFlight,
    NotFound,
    Unauthenticated,
    Unavailable,
)
from services.kit.web import RequiredKey, User, answer, problems
from services.kit.wire import Page, Wire

PaymentId = Annotated[str, Path(max_length=64)]
_KEYED = (Unauthenticated, IdempotencyKeyRequired, IdempotencyConflict, InFlight, NotFound, GatewayAway, Unavailable)


class Received(Wire):
    status: str = "ok"


def routes(payments: PaymentsPort) -> APIRouter:
    router = APIRouter(prefix="/payments", tags=["payments"])

    @router.post(
        "/razorpay/order",
        status_code=201,
        response_model=GatewayOrder,
        responses=problems(*_KEYED, OrderClosed, NothingToPay, PaymentRefused),
    )
    async def open_razorpay_order(who: User, command: OpenPayment, key: RequiredKey) -> Response:
        """Open the gateway's order for one of the caller's orders, from the order's own total."""
        return answer(await payments.open(who, command, key), 201)

    @router.post("/verify", response_model=PaymentView, responses=problems(*_KEYED, SignatureInvalid, PaymentRefused))
    async def verify_payment(who: User, command: VerifyPayment, key: RequiredKey) -> Response:
        """Confirm a payment with what the gateway's checkout handed over."""
        return answer(await payments.verify(who, command, key))

    @router.post(
        "/razorpay/webhook", response_model=Received, responses=problems(SignatureInvalid, GatewayAway, Unavailable)
    )
    async def receive_razorpay_webhook(request: Request) -> Response:
        """The gateway's own messages, signed with the webhook secret over the raw body."""
        signature = _only(request, "x-razorpay-signature")
        event_id = request.headers.get("x-razorpay-event-id", "")[:128]
        await payments.webhook(await request.body(), signature, event_id)
        return JSONResponse(Received().to_wire())

    @router.get("/{payment_id}", response_model=PaymentView, responses=problems(Unauthenticated, NotFound))
    async def get_payment(who: User, payment_id: PaymentId) -> Response:
        """One of the caller's payments."""
        return answer(await payments.get(who, payment_id))

    @router.post(
        "/{payment_id}/refunds",
        status_code=201,
        response_model=RefundView,
        responses=problems(
            Unauthenticated,
            IdempotencyKeyRequired,
            IdempotencyConflict,
            InFlight,
            NotFound,
            Unavailable,
            RefundNotAllowed,
            RefundTooLarge,
        ),
    )
    async def refund_payment(
        who: User, payment_id: PaymentId, key: RequiredKey, command: RequestRefund | None = None
    ) -> Response:
        """Give money back: an admin any part of what is left, a buyer what was cancelled. It is sent at once after."""
        return answer(await payments.refund(who, payment_id, command or RequestRefund(), key), 201)

    @router.get("/{payment_id}/refunds", response_model=Page[RefundView], responses=problems(Unauthenticated, NotFound))
    async def list_refunds(who: User, payment_id: PaymentId) -> Response:
        """Every refund of a payment with its lines, newest first."""
        return answer(await payments.refunds(who, payment_id))

    return router


def _only(request: Request, name: str) -> str:
    """A header that must be there exactly once."""
    found = request.headers.getlist(name)
    if len(found) != 1:
        raise SignatureInvalid(f"send exactly one {name} header", field=name)
    return found[0]
