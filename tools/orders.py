"""Quotes, orders and paying for them."""

from functools import partial
from typing import Annotated, Any

from pydantic import Field

from services.contracts.auth import AuthPort
from services.contracts.orders import (
    AddressRequired,
    CancelOrder,
    NotCancellable,
    OrdersPort,
    OrderView,
    PaymentMethod,
    PlaceOrder,
    QuoteRequest,
)
from services.contracts.payments import OpenPayment, PaymentsPort
from services.kit.idempotency import CommandKey, command_key
from services.kit.principal import Principal
from tools.kinds import Arguments, Call, Kind, Proposal, Receipt, Scope, Tool, ToolResult

_OrderId = Annotated[str, Field(description="orderId of one of the shopper's orders")]


class CheckoutArguments(Arguments):
    address_id: Annotated[str | None, Field(description="addressId; the default address when absent")] = None
    payment_method: Annotated[PaymentMethod, Field(description="razorpay (online) or cod (cash on delivery)")] = (
        "razorpay"
    )


class OrderArguments(Arguments):
    order_id: _OrderId


class ListArguments(Arguments):
    limit: Annotated[int, Field(ge=1, le=20)] = 5


def tools(orders: OrdersPort, payments: PaymentsPort, auth: AuthPort) -> list[Tool]:
    desk = _Desk(orders, payments, auth)
    read, pay = partial(Tool, kind=Kind.READ, scope=Scope.BUYER), partial(Tool, kind=Kind.PAY, scope=Scope.BUYER)
    return [
        read("get_quote", "What the cart costs with tax and shipping.", arguments=CheckoutArguments, run=desk.quote),
        pay(
            "place_order",
            "Order the cart. The buyer is asked for consent first.",
            arguments=CheckoutArguments,
            run=desk.place,
            prepare=desk.propose_place,
        ),
        Tool(
            "pay_order", "Open the payment of an unpaid order again.", Kind.WRITE, Scope.BUYER, OrderArguments, desk.pay
        ),
        read("track_order", "Where an order stands.", arguments=OrderArguments, run=desk.track),
        read("list_orders", "The shopper's latest orders.", arguments=ListArguments, run=desk.list),
        pay(
            "cancel_order",
            "Cancel an order. The buyer is asked first.",
            arguments=OrderArguments,
            run=desk.cancel,
            prepare=desk.propose_cancel,
        ),
    ]


class _Desk:
    def __init__(self, orders: OrdersPort, payments: PaymentsPort, auth: AuthPort) -> None:
        self._orders = orders
        self._payments = payments
        self._auth = auth

    async def quote(self, call: Call, wish: CheckoutArguments) -> ToolResult:
        return ToolResult((await self.propose_place(call, wish)).quote)

    async def propose_place(self, call: Call, wish: CheckoutArguments) -> Proposal:
        """The quote the buyer is asked to approve, with the address named. Raises AddressRequired."""
        if not wish.address_id and not await self._auth.addresses(call.who):
            raise AddressRequired("there is no delivery address yet; ask for one", field="address_id")
        request = QuoteRequest(address_id=wish.address_id, payment_method=wish.payment_method)
        quote = await self._orders.quote(call.who, request)
        how = "cash on delivery" if wish.payment_method == "cod" else "online payment"
        units = sum(line.qty for line in quote.lines)
        return Proposal(
            summary=f"Order {units} item{'s' * (units != 1)} for {quote.total.text()}, {how}, to {quote.address.city}",
            arguments={"address_id": quote.address.address_id, "payment_method": wish.payment_method},
            quote=quote.to_wire(), quote_hash=quote.quote_hash, cart_version=quote.cart_version,
            total=quote.total.amount,
        )  # fmt: skip

    async def propose_cancel(self, call: Call, wish: OrderArguments) -> Proposal:
        order = await self._orders.get(call.who, wish.order_id)
        if order.status not in {"pending", "confirmed"}:
            raise NotCancellable(
                f"this order is {order.status} and cannot be cancelled", details={"status": order.status}
            )
        back = f"; {order.total.text()} goes back to you" if order.payment_status == "paid" else ""
        return Proposal(
            summary=f"Cancel the order of {order.total.text()}{back}",
            arguments={"order_id": order.order_id},
            quote={
                "lines": [line.to_wire() for line in order.items],
                "total": order.total.to_wire(),
                "orderId": order.order_id,
            },
            total=order.total.amount,
        )

    async def place(self, call: Call, wish: CheckoutArguments) -> ToolResult:
        """One order for exactly the consented quote, and for online payment the gateway order of that total."""
        command = PlaceOrder(address_id=wish.address_id, quote_hash=call.quote_hash, payment_method=wish.payment_method)
        key = _key(call, "place_order", command.to_wire())
        order = await self._orders.place(call.who, command, key)
        payment = await self._open(call, order) if wish.payment_method == "razorpay" else None
        receipt = Receipt("place_order", order.order_id, ok=True)
        return ToolResult({"order": order.to_wire(), "payment": payment}, receipt=receipt)

    async def pay(self, call: Call, wish: OrderArguments) -> ToolResult:
        order = await self._orders.payable(call.who, wish.order_id)
        payment = await self._open(call, order)
        return ToolResult(
            {"order": order.to_wire(), "payment": payment}, receipt=Receipt("pay_order", order.order_id, ok=True)
        )

    async def _open(self, call: Call, order: OrderView) -> dict[str, Any]:
        command = OpenPayment(order_id=order.order_id)
        opened = await self._payments.open(call.who, command, _key(call, "pay_order", command.to_wire()))
        return opened.to_wire()

    async def track(self, call: Call, wish: OrderArguments) -> ToolResult:
        return ToolResult((await self._orders.get(call.who, wish.order_id)).to_wire())

    async def list(self, call: Call, wish: ListArguments) -> ToolResult:
        page = await self._orders.mine(call.who, wish.limit)
        return ToolResult({"items": [order.to_wire() for order in page.items]})

    async def cancel(self, call: Call, wish: OrderArguments) -> ToolResult:
        command = CancelOrder(reason="cancelled in chat")
        key = _key(call, "cancel_order", {"orderId": wish.order_id})
        order = await self._orders.cancel(call.who, wish.order_id, command, key)
        return ToolResult(order.to_wire(), receipt=Receipt("cancel_order", order.order_id, ok=True))


def _key(call: Call, action: str, body: dict[str, Any]) -> CommandKey:
    return command_key(_scope(call.who, action), call.key, body)


def _scope(who: Principal, action: str) -> str:
    return f"{who.user_id}:chat:{action}"
