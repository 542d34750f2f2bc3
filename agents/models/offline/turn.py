"""What the planner is given: the messages of a turn, read into plain values."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage, ToolMessage

Json = dict[str, Any]
PLAN = "plan"
_STATE = re.compile(r"^## State\s*```json\s*(?P<json>.*?)\s*```", re.DOTALL)


def paise(amount: Any) -> int:
    """Amounts come as integers or as {"amount", "currency"}."""
    if isinstance(amount, Mapping):
        return int(amount.get("amount", 0))
    return int(amount) if isinstance(amount, int | float) else 0


@dataclass(frozen=True)
class Product:
    """A product as it was shown; `n` is its place in the list, prices in paise."""

    n: int
    product_id: str
    title: str
    brand: str
    category: str
    price: int
    colours: tuple[str, ...]
    sizes: tuple[str, ...]
    rating: float
    available: int

    @classmethod
    def of(cls, raw: Json, n: int) -> "Product":
        rating = raw.get("rating") or 0
        return cls(
            n=int(raw.get("n") or n),
            product_id=str(raw.get("productId", "")),
            title=str(raw.get("title", "")),
            brand=str(raw.get("brand") or ""),
            category=str(raw.get("category") or ""),
            price=paise(raw.get("price")),
            colours=tuple(map(str, raw.get("colours") or ())),
            sizes=tuple(map(str, raw.get("sizes") or ())),
            rating=float(rating.get("average", 0) if isinstance(rating, Mapping) else rating),
            available=int(raw.get("available") or 0),
        )


@dataclass(frozen=True)
class Line:
    """A line of the cart."""

    n: int
    product_id: str
    variant_id: str
    title: str
    options: Mapping[str, str]
    qty: int
    price: int

    @classmethod
    def of(cls, raw: Json, n: int) -> "Line":
        return cls(
            n=n,
            product_id=str(raw.get("productId", "")),
            variant_id=str(raw.get("variantId", "")),
            title=str(raw.get("title", "")),
            options=raw.get("options") or {},
            qty=int(raw.get("qty") or 0),
            price=paise(raw.get("price")),
        )


@dataclass(frozen=True)
class State:
    """What the graph knows; absent parts are empty."""

    raw: Json

    @property
    def shown(self) -> tuple[Product, ...]:
        return tuple(Product.of(raw, n) for n, raw in enumerate(self.raw.get("shown") or (), 1))

    @property
    def cart(self) -> tuple[Line, ...]:
        items = (self.raw.get("cart") or {}).get("items") or ()
        return tuple(Line.of(raw, n) for n, raw in enumerate(items, 1))

    @property
    def focus(self) -> str | None:
        return self.raw.get("focus")

    @property
    def last_search(self) -> Json | None:
        return self.raw.get("lastSearch")

    @property
    def pending(self) -> Json | None:
        return self.raw.get("pending")

    @property
    def preferences(self) -> dict[str, str]:
        return {key: str(value) for key, value in (self.raw.get("preferences") or {}).items()}

    @property
    def orders(self) -> list[Json] | None:
        return self.raw.get("orders")

    @property
    def addresses(self) -> list[Json] | None:
        return self.raw.get("addresses")

    @property
    def guest(self) -> bool:
        return bool(self.raw.get("guest"))

    @property
    def name(self) -> str:
        return str((self.raw.get("user") or {}).get("name") or "")

    def with_(self, **parts: Any) -> "State":
        return State(self.raw | parts)


@dataclass(frozen=True)
class Step:
    """One tool call of this turn and what came back."""

    tool: str
    args: Json
    ok: bool
    data: Any
    error: Json

    @classmethod
    def of(cls, call: Mapping[str, Any], content: str) -> "Step":
        answer = _json(content)
        ok = bool(answer.get("ok"))
        return cls(call["name"], call["args"], ok, answer.get("data") if ok else None, answer.get("error") or {})

    @property
    def code(self) -> str:
        return str(self.error.get("code", ""))


@dataclass(frozen=True)
class Turn:
    """The current message, the steps already done for it, and the plan carried on the last of them."""

    text: str
    state: State
    steps: tuple[Step, ...] = ()
    plan: Json | None = None
    bound: Mapping[str, Json] | None = None

    def may_call(self, tool: str) -> bool:
        return self.bound is None or tool in self.bound

    @property
    def now(self) -> "Turn":
        """With products found in this turn standing for what is shown."""
        state = self.state
        for step in self.steps:
            if step.ok and step.tool in {"search_products", "similar_products", "get_recommendations"}:
                state = state.with_(shown=(step.data or {}).get("items") or [], focus=None)
        return replace(self, state=state)


def read_turn(messages: Sequence[BaseMessage], bound: Mapping[str, Json] | None = None) -> Turn:
    last = max((i for i, message in enumerate(messages) if isinstance(message, HumanMessage)), default=-1)
    text = _text(messages[last]) if last >= 0 else ""
    since = messages[last + 1 :]
    plans = [m.additional_kwargs.get(PLAN) for m in since if isinstance(m, AIMessage)]
    return Turn(text, State(_state(messages)), tuple(_steps(since)), plans[-1] if plans else None, bound)


def _state(messages: Sequence[BaseMessage]) -> Json:
    for message in reversed(messages):
        found = _STATE.match(_text(message)) if isinstance(message, SystemMessage) else None
        if found:
            return _json(found["json"])
    return {}


def _steps(messages: Sequence[BaseMessage]) -> list[Step]:
    answers = {m.tool_call_id: _text(m) for m in messages if isinstance(m, ToolMessage)}
    calls = [call for m in messages if isinstance(m, AIMessage) for call in m.tool_calls]
    return [Step.of(call, answers[call["id"] or ""]) for call in calls if call["id"] in answers]


def _text(message: BaseMessage) -> str:
    return str(message.text)


def _json(text: str) -> Json:
    try:
        value = json.loads(text)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}
