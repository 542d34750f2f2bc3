"""Filling the cart."""

from functools import partial
from typing import Annotated

from pydantic import Field

from services.contracts.cart import MAX_QTY, AddItem, CartPort, CartView, ChangeItem
from tools.kinds import Arguments, Call, Kind, Receipt, Scope, Tool, ToolResult, refused

_Product = Annotated[str | None, Field(description="productId, when it has one variant or stands once in the cart")]
_Variant = Annotated[str | None, Field(description="variantId, when the product has several")]


class NoArguments(Arguments):
    pass


class AddArguments(Arguments):
    product_id: _Product = None
    variant_id: _Variant = None
    qty: Annotated[int, Field(ge=1, le=MAX_QTY)] = 1


class LineArguments(Arguments):
    product_id: _Product = None
    variant_id: _Variant = None


class UpdateArguments(LineArguments):
    qty: Annotated[int, Field(ge=0, le=MAX_QTY, description="the new quantity; 0 removes")]


def tools(cart: CartPort) -> list[Tool]:
    basket = _Basket(cart)
    write = partial(Tool, kind=Kind.WRITE, scope=Scope.ANYONE)
    return [
        Tool(
            "view_cart", "What is in the cart, with prices of now.", Kind.READ, Scope.ANYONE, NoArguments, basket.view
        ),
        write("add_to_cart", "Put a product or variant into the cart.", arguments=AddArguments, run=basket.add),
        write("update_cart_item", "Change the quantity of a cart line.", arguments=UpdateArguments, run=basket.update),
        write("remove_from_cart", "Take a line out of the cart.", arguments=LineArguments, run=basket.remove),
        write("clear_cart", "Empty the cart.", arguments=NoArguments, run=basket.clear),
    ]


class _Basket:
    def __init__(self, cart: CartPort) -> None:
        self._cart = cart

    async def view(self, call: Call, _wish: NoArguments) -> ToolResult:
        return ToolResult((await self._cart.get(call.who)).to_wire())

    async def add(self, call: Call, wish: AddArguments) -> ToolResult:
        if not (wish.product_id or wish.variant_id):
            return _which()
        item = AddItem(product_id=wish.product_id, variant_id=wish.variant_id, qty=wish.qty)
        cart = await self._cart.add(call.who, item, call.key)
        line = next(
            (
                i
                for i in cart.items
                if wish.variant_id in (None, i.variant_id) and wish.product_id in (None, i.product_id)
            ),
            None,
        )
        added = line and {"title": line.title, "qty": wish.qty, "variantId": line.variant_id, "options": line.options}
        return _changed("add_to_cart", cart, wish.variant_id or wish.product_id, {"added": added})

    async def update(self, call: Call, wish: UpdateArguments) -> ToolResult:
        ref = wish.variant_id or wish.product_id
        if not ref:
            return _which()
        cart = await self._cart.change(call.who, ref, ChangeItem(qty=wish.qty), call.key)
        return _changed("update_cart_item", cart, ref)

    async def remove(self, call: Call, wish: LineArguments) -> ToolResult:
        ref = wish.variant_id or wish.product_id
        if not ref:
            return _which()
        return _changed("remove_from_cart", await self._cart.remove(call.who, ref, call.key), ref)

    async def clear(self, call: Call, _wish: NoArguments) -> ToolResult:
        cart = await self._cart.clear(call.who, call.key)
        return _changed("clear_cart", cart, cart.cart_id)


def _which() -> ToolResult:
    return refused("invalid", "say which product: product_id or variant_id", field_name="product_id")


def _changed(action: str, cart: CartView, ref: str | None, more: dict[str, object] | None = None) -> ToolResult:
    return ToolResult({**cart.to_wire(), **(more or {})}, receipt=Receipt(action, ref or cart.cart_id, ok=True))
