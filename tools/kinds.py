"""What a tool is: an async function over ports, with a kind, the scope it needs and a schema of arguments."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import Any

from pydantic import BaseModel, ConfigDict

from services.kit.errors import CohortError
from services.kit.principal import Principal


class Kind(StrEnum):
    """READ changes nothing, WRITE changes what the caller can change back, PAY needs the buyer's consent."""

    READ = "read"
    WRITE = "write"
    PAY = "pay"


class Scope(StrEnum):
    """Who may use a tool at all."""

    ANYONE = "anyone"
    BUYER = "buyer"
    SELLER = "seller"


class Arguments(BaseModel):
    """Arguments as a chat model sends them: snake_case; unknown names are refused so that a typo is seen."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)


@dataclass(frozen=True)
class Call:
    """One use of a tool. `key` makes a repeated WRITE or PAY do nothing twice; who calls comes from the server."""

    who: Principal
    key: str
    quote_hash: str | None = None


@dataclass(frozen=True)
class Receipt:
    """What really happened: the action, the id it happened to, and whether it did."""

    action: str
    id: str
    ok: bool

    def to_wire(self) -> dict[str, Any]:
        return {"action": self.action, "id": self.id, "ok": self.ok}


@dataclass(frozen=True)
class ToolResult:
    """`data` is what the model sees; `receipt` is kept by the server for every write."""

    data: dict[str, Any] = field(default_factory=dict)
    error: dict[str, Any] | None = None
    receipt: Receipt | None = None

    @property
    def ok(self) -> bool:
        return self.error is None

    def content(self) -> dict[str, Any]:
        return {"ok": True, "data": self.data} if self.ok else {"ok": False, "error": self.error}


def refused(code: str, message: str, *, field_name: str | None = None, options: Any = None) -> ToolResult:
    """An error the model can act on: the field, the reason, the valid options."""
    error: dict[str, Any] = {"code": code, "message": message}
    if field_name:
        error["field"] = field_name
    if options:
        error["options"] = options
    return ToolResult(error=error)


def from_error(error: CohortError) -> ToolResult:
    """A service's error as a tool result."""
    details = {key: value for key, value in error.details.items() if key != "options"}
    result = refused(error.code, error.message, field_name=error.field, options=error.details.get("options"))
    if details and result.error is not None:
        result.error["details"] = details
    return result


Run = Callable[[Call, Any], Awaitable[ToolResult]]


@dataclass(frozen=True)
class Proposal:
    """What a PAY tool would do, exactly: shown to the buyer and bound by the consent record."""

    summary: str
    arguments: dict[str, Any]
    quote: dict[str, Any]
    quote_hash: str | None = None
    cart_version: int | None = None
    total: int | None = None


Prepare = Callable[[Call, Any], Awaitable[Proposal]]
"""Raises CohortError when the action is not possible right now."""


@dataclass(frozen=True)
class Tool:
    """`run(call, arguments)` makes one call to one port; `prepare` says what a PAY tool asks consent for."""

    name: str
    description: str
    kind: Kind
    scope: Scope
    arguments: type[Arguments]
    run: Run
    prepare: Prepare | None = None

    def open_to(self, who: Principal) -> bool:
        """A tool whose scope is missing is not even offered to the model."""
        if self.scope is Scope.SELLER:
            return "seller" in who.roles
        return self.scope is Scope.ANYONE or not who.is_guest

    def schema(self) -> dict[str, Any]:
        """The function in OpenAI's format; made once, not to be changed."""
        return self._schema

    @cached_property
    def _schema(self) -> dict[str, Any]:
        parameters = self.arguments.model_json_schema()
        parameters.pop("title", None)
        parameters.pop("description", None)
        return {
            "type": "function",
            "function": {"name": self.name, "description": self.description, "parameters": parameters},
        }
