"""Razorpay's REST API and the buyer's checkout, over a SandboxGateway."""

from typing import Any

from fastapi import APIRouter, Depends
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response

from services.payments.adapters.sandbox import page
from services.payments.adapters.sandbox.conversation import check_keys, read_body, refusal, route_class
from services.payments.adapters.sandbox.entities import Entity
from services.payments.adapters.sandbox.errors import RazorpayError, url_unknown
from services.payments.adapters.sandbox.faults import Fault
from services.payments.adapters.sandbox.gateway import SandboxGateway


def create_router(gateway: SandboxGateway) -> APIRouter:
    """Mount it with any prefix; `<prefix>` is then the SDK's base_url."""
    router = APIRouter(include_in_schema=False)
    router.include_router(_checkout(gateway))
    if gateway.fault_route:
        router.include_router(_faults(gateway))
    router.include_router(_api(gateway))
    return router


def _api(gateway: SandboxGateway) -> APIRouter:
    def authenticate(request: Request) -> None:
        check_keys(gateway, request)

    router = APIRouter(
        prefix="/v1", route_class=route_class(gateway), dependencies=[Depends(authenticate)], include_in_schema=False
    )
    _add_orders(router, gateway)
    _add_payments(router, gateway)
    _add_refunds(router, gateway)
    _add_transfers(router, gateway)

    @router.api_route("/{anything:path}", methods=["GET", "POST", "PUT", "PATCH", "DELETE"])
    async def unknown() -> Response:
        return refusal(url_unknown())

    return router


def _add_orders(router: APIRouter, gateway: SandboxGateway) -> None:
    @router.post("/orders")
    async def create_order(request: Request) -> Entity:
        return await gateway.orders.create(await read_body(request))

    @router.get("/orders")
    async def list_orders(request: Request) -> Entity:
        asked = request.query_params
        return await gateway.orders.list_all(
            asked.get("receipt"), _number(asked, "count", 10), _number(asked, "skip", 0)
        )

    @router.get("/orders/{order_id}")
    async def fetch_order(order_id: str) -> Entity:
        return await gateway.orders.fetch(order_id)

    @router.get("/orders/{order_id}/payments")
    async def payments_of_order(order_id: str) -> Entity:
        return await gateway.orders.payments(order_id)


def _add_payments(router: APIRouter, gateway: SandboxGateway) -> None:
    @router.get("/payments/{payment_id}")
    async def fetch_payment(payment_id: str) -> Entity:
        return await gateway.payments.fetch(payment_id)

    @router.post("/payments/{payment_id}/capture")
    async def capture(payment_id: str, request: Request) -> Entity:
        return await gateway.payments.capture(payment_id, await read_body(request))


def _add_refunds(router: APIRouter, gateway: SandboxGateway) -> None:
    @router.post("/payments/{payment_id}/refund")
    async def refund(payment_id: str, request: Request) -> Entity:
        key = request.headers.get("x-refund-idempotency")
        return await gateway.refunds.create(payment_id, await read_body(request), key)

    @router.get("/payments/{payment_id}/refunds")
    async def refunds_of_payment(payment_id: str) -> Entity:
        return await gateway.refunds.list_of(payment_id)

    @router.get("/payments/{payment_id}/refunds/{refund_id}")
    async def refund_of_payment(payment_id: str, refund_id: str) -> Entity:
        return await gateway.refunds.fetch(refund_id, payment_id)

    @router.get("/refunds/{refund_id}")
    async def fetch_refund(refund_id: str) -> Entity:
        return await gateway.refunds.fetch(refund_id)


def _add_transfers(router: APIRouter, gateway: SandboxGateway) -> None:
    @router.post("/payments/{payment_id}/transfers")
    async def transfer(payment_id: str, request: Request) -> Entity:
        return await gateway.transfers.create(payment_id, await read_body(request))

    @router.get("/payments/{payment_id}/transfers")
    async def transfers_of_payment(payment_id: str) -> Entity:
        return await gateway.transfers.list_of(payment_id)

    @router.get("/transfers/{transfer_id}")
    async def fetch_transfer(transfer_id: str) -> Entity:
        return await gateway.transfers.fetch(transfer_id)

    @router.post("/transfers/{transfer_id}/reversals")
    async def reverse(transfer_id: str, request: Request) -> Entity:
        return await gateway.transfers.reverse(transfer_id, await read_body(request))

    @router.get("/transfers/{transfer_id}/reversals")
    async def reversals(transfer_id: str) -> Entity:
        return await gateway.transfers.reversals(transfer_id)


def _checkout(gateway: SandboxGateway) -> APIRouter:
    router = APIRouter(route_class=route_class(gateway), include_in_schema=False)

    @router.post("/checkout")
    async def check_out(request: Request) -> Entity:
        body = await read_body(request)
        return await gateway.payments.check_out(str(body.get("order_id", "")), str(body.get("vpa", "")))

    @router.get("/checkout/{order_id}")
    async def show(order_id: str) -> Response:
        return HTMLResponse(page.checkout_page(await gateway.orders.fetch(order_id)), headers=page.HEADERS)

    @router.post("/checkout/{order_id}")
    async def choose(order_id: str, request: Request) -> Response:
        vpa = str((await read_body(request)).get("vpa", ""))
        try:
            shown, status = page.paid_page(await gateway.payments.check_out(order_id, vpa)), 200
        except RazorpayError as error:
            shown, status = page.failed_page(str(error)), error.status
        return HTMLResponse(shown, status, page.HEADERS)

    return router


def _faults(gateway: SandboxGateway) -> APIRouter:
    router = APIRouter(include_in_schema=False)

    @router.post("/_faults")
    async def plan(request: Request) -> Response:
        """`{"fault", "method", "path", "times"}`; an empty object forgets what was planned."""
        try:
            body = await read_body(request)
            if not body:
                gateway.faults.clear()
            else:
                _plan(gateway, body)
        except RazorpayError as error:
            return refusal(error)
        return JSONResponse({"planned": bool(body)})

    return router


def _plan(gateway: SandboxGateway, body: Entity) -> None:
    try:
        fault, times = Fault(str(body.get("fault"))), int(body.get("times", 1))
    except (TypeError, ValueError) as error:
        raise RazorpayError(f"fault must be one of {', '.join(Fault)}; times a number", field="fault") from error
    gateway.faults.plan(fault, method=str(body.get("method", "*")), path=str(body.get("path", "*")), times=times)


def _number(asked: Any, name: str, default: int) -> int:
    given = asked.get(name, str(default))
    if not given.isdecimal():
        raise RazorpayError(f"The {name} must be an integer.", field=name)
    return int(given)
