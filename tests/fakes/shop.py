"""A small shop behind tools of the real kinds, and a chat model that plays what a test wrote down."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage
from langchain_core.messages.tool import tool_call_chunk
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from langchain_core.runnables import Runnable
from pydantic import PrivateAttr

from services.kit.errors import CohortError, Conflict
from tools.cart import NoArguments
from tools.kinds import Arguments, Call, Kind, Proposal, Receipt, Scope, Tool, ToolResult
from tools.registry import Registry

Step = AIMessage | Exception | Callable[[Sequence[BaseMessage]], AIMessage]
RED = {
    "productId": "prd_red", "title": "Red runner", "brand": "Kavi", "category": "shoes",
    "price": {"amount": 149900, "currency": "INR"}, "colours": ["red"], "sizes": ["8"],
    "rating": {"average": 4.2, "count": 10}, "available": 12,
}  # fmt: skip
QUOTE = {"lines": [{"title": "Red runner", "qty": 1}], "total": {"amount": 149900, "currency": "INR"}}


def said(text: str) -> AIMessage:
    return AIMessage(text)


def calls(*wanted: tuple[str, dict[str, Any]]) -> AIMessage:
    made = [{"name": name, "args": args, "id": f"model_{n}"} for n, (name, args) in enumerate(wanted)]
    return AIMessage("", tool_calls=made)


class ScriptedModel(BaseChatModel):
    """Plays its steps in order and keeps what it was sent; past the last step it repeats that one."""

    _steps: list[Step] = PrivateAttr(default_factory=list)
    _sent: list[list[BaseMessage]] = PrivateAttr(default_factory=list)
    _tools: list[str] = PrivateAttr(default_factory=list)

    @classmethod
    def of(cls, *steps: Step) -> "ScriptedModel":
        model = cls()
        model._steps = list(steps)
        return model

    def then(self, *steps: Step) -> None:
        self._steps.extend(steps)

    @property
    def sent(self) -> list[list[BaseMessage]]:
        return self._sent

    @property
    def offered(self) -> list[str]:
        return self._tools

    @property
    def _llm_type(self) -> str:
        return "scripted"

    def bind_tools(self, tools: Sequence[Any], **_kwargs: Any) -> Runnable[Any, AIMessage]:
        self._tools = [tool["function"]["name"] for tool in tools]
        return self

    def _next(self, messages: Sequence[BaseMessage]) -> AIMessage:
        self._sent.append(list(messages))
        step = self._steps.pop(0) if len(self._steps) > 1 else self._steps[0]
        if isinstance(step, Exception):
            raise step
        return step if isinstance(step, AIMessage) else step(messages)

    def _generate(self, messages: list[BaseMessage], *_args: Any, **_kwargs: Any) -> ChatResult:
        return ChatResult(generations=[ChatGeneration(message=self._next(messages))])

    def _stream(self, messages: list[BaseMessage], *_args: Any, **_kwargs: Any) -> Iterator[ChatGenerationChunk]:
        answer = self._next(messages)
        for word in answer.text.split(" ") if answer.text else []:
            yield ChatGenerationChunk(message=AIMessageChunk(word + " "))
        chunks = [
            tool_call_chunk(name=call["name"], args=orjson.dumps(call["args"]).decode(), id=call["id"], index=n)
            for n, call in enumerate(answer.tool_calls)
        ]
        last = AIMessageChunk("", tool_call_chunks=chunks, additional_kwargs=answer.additional_kwargs)
        last.chunk_position = "last"
        yield ChatGenerationChunk(message=last)


class SearchArguments(Arguments):
    query: str = ""
    max_price: float | None = None


class ProductArguments(Arguments):
    product_id: str
    qty: int = 1


class OrderArguments(Arguments):
    address_id: str | None = None
    payment_method: str = "razorpay"


class PhoneArguments(Arguments):
    phone: str


class QuoteMoved(Conflict):
    code = "quote_changed"


@dataclass
class Shop:
    """What the tools do is counted here; `refuse` and `gate` let a test steer them."""

    lines: list[dict[str, Any]] = field(default_factory=list)
    orders: dict[str, str] = field(default_factory=dict)
    searches: list[str] = field(default_factory=list)
    phones: list[str] = field(default_factory=list)
    attempts: list[str] = field(default_factory=list)
    refuse: dict[str, CohortError | Exception] = field(default_factory=dict)
    gates: dict[str, asyncio.Event] = field(default_factory=dict)
    reached: dict[str, asyncio.Event] = field(default_factory=dict)
    quoted: list[dict[str, Any]] = field(default_factory=list)

    def gate(self, tool: str) -> tuple[asyncio.Event, asyncio.Event]:
        """(reached, open): the tool tells that it was reached and waits to be let on."""
        self.reached[tool], self.gates[tool] = asyncio.Event(), asyncio.Event()
        return self.reached[tool], self.gates[tool]

    async def _pass(self, tool: str) -> None:
        if tool in self.gates:
            self.reached[tool].set()
            await self.gates[tool].wait()
        if tool in self.refuse:
            raise self.refuse[tool]

    def _cart(self) -> dict[str, Any]:
        total = sum(line["lineTotal"]["amount"] for line in self.lines)
        money = {"amount": total, "currency": "INR"}
        return {"cartId": "crt_1", "version": len(self.lines), "items": list(self.lines), "total": money}

    async def search(self, _call: Call, wish: SearchArguments) -> ToolResult:
        self.searches.append(wish.query)
        await self._pass("search_products")
        return ToolResult({"items": [RED]})

    async def view(self, _call: Call, _wish: NoArguments) -> ToolResult:
        return ToolResult(self._cart())

    async def add(self, call: Call, wish: ProductArguments) -> ToolResult:
        await self._pass("add_to_cart")
        if call.key not in self.attempts:
            self.attempts.append(call.key)
            price = RED["price"]
            self.lines.append(
                {"productId": wish.product_id, "variantId": "var_1", "title": "Red runner", "options": {},
                 "qty": wish.qty, "price": price, "lineTotal": price}
            )  # fmt: skip
        return ToolResult(self._cart(), receipt=Receipt("add_to_cart", wish.product_id, ok=True))

    async def propose(self, _call: Call, wish: OrderArguments) -> Proposal:
        await self._pass("propose")
        arguments = {"address_id": wish.address_id or "adr_home", "payment_method": wish.payment_method}
        self.quoted.append(arguments)
        return Proposal("Order 1 item for ₹1,499", arguments, QUOTE, quote_hash="q1", cart_version=1, total=149900)

    async def place(self, call: Call, _wish: OrderArguments) -> ToolResult:
        await self._pass("place_order")
        order_id = self.orders.setdefault(call.key, f"ord_{len(self.orders) + 1:06d}")
        order = {
            "orderId": order_id, "status": "pending", "paymentStatus": "unpaid", "createdAt": "2026-11-01T00:00:00Z",
            "total": QUOTE["total"], "items": [{"title": "Red runner"}],
        }  # fmt: skip
        payment = {
            "orderId": order_id, "razorpayOrderId": "order_abcdef", "keyId": "rzp_test", "amount": 149900,
            "currency": "INR",
        }  # fmt: skip
        return ToolResult({"order": order, "payment": payment}, receipt=Receipt("place_order", order_id, ok=True))

    async def call_back(self, _call: Call, wish: PhoneArguments) -> ToolResult:
        self.phones.append(wish.phone)
        return ToolResult({"noted": True}, receipt=Receipt("set_preference", "phone", ok=True))

    def registry(self) -> Registry:
        return Registry(
            [
                Tool("search_products", "Search.", Kind.READ, Scope.ANYONE, SearchArguments, self.search),
                Tool("view_cart", "The cart.", Kind.READ, Scope.ANYONE, NoArguments, self.view),
                Tool("add_to_cart", "Add.", Kind.WRITE, Scope.ANYONE, ProductArguments, self.add),
                Tool("call_me", "Leave a number.", Kind.WRITE, Scope.ANYONE, PhoneArguments, self.call_back),
                Tool("place_order", "Order.", Kind.PAY, Scope.BUYER, OrderArguments, self.place, self.propose),
            ]
        )
