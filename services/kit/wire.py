"""The base of everything that travels: camelCase on the wire, snake_case in Python, frozen."""

from typing import Any, Generic, Self, TypeVar

import orjson
from pydantic import BaseModel, ConfigDict, PrivateAttr
from pydantic.alias_generators import to_camel

Item = TypeVar("Item")


class Wire(BaseModel):
    """A frozen value with camelCase JSON names; unknown fields of the input are ignored, never stored."""

    model_config = ConfigDict(frozen=True, alias_generator=to_camel, populate_by_name=True, extra="ignore")

    def to_wire(self) -> dict[str, Any]:
        """The JSON object a client sees (camelCase, times as ISO 8601 strings)."""
        return self.model_dump(mode="json", by_alias=True)

    def to_json(self) -> bytes:
        """The bytes a client sees; equal values give equal bytes."""
        return orjson.dumps(self.to_wire())

    @classmethod
    def from_wire(cls, raw: object) -> Self:
        return cls.model_validate(raw)


class Replayable(Wire):
    """An answer that may be given again for the same Idempotency-Key; `replayed` never travels in the body."""

    _replayed: bool = PrivateAttr(default=False)

    def as_replayed(self) -> Self:
        copy = self.model_copy()
        object.__setattr__(copy, "_replayed", True)
        return copy

    @property
    def replayed(self) -> bool:
        return self._replayed


class Page(Wire, Generic[Item]):
    """One page of a list; `next_cursor` is None at the end."""

    items: list[Item]
    next_cursor: str | None = None
