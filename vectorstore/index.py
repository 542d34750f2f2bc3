"""The port of a vector index: points with payload, keyword text and a dense vector, found by any mix of them.

Errors:
    VectorIndexError
    ├── WrongDimension     a vector of another model
    ├── UnindexedField     a sort or facet over a field the index was not opened with
    ├── BadCursor          a cursor of another sort, or no cursor at all
    ├── IndexOutdated      the folder was written by another version
    └── IndexUnavailable   the storage cannot be opened or used
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple, Protocol

from vectorstore.embeddings import Vector

Payload = Mapping[str, object]
Scalar = str | int | bool
Direction = Literal["asc", "desc"]
OrderBy = tuple[str, Direction]
Facets = dict[str, list[tuple[Scalar, int]]]

FieldKind = Literal["keyword", "integer", "float"]
Fields = Mapping[str, FieldKind]
"""Payload fields to filter, sort and facet by. "variants[].price" is a field of the elements of an array."""


@dataclass(frozen=True)
class Point:
    """What is indexed under an id.

    Keyword search sees `text`: the first line is the heading and counts more. Booleans of the payload come
    back as 0 and 1. Names that start with an underscore are the index's own.
    """

    id: str
    payload: Payload
    text: str | None = None
    dense: Vector | None = None


@dataclass(frozen=True)
class Match:
    """The field, or one element of it when it is a list, equals one of the values."""

    field: str
    values: Sequence[Scalar]


@dataclass(frozen=True)
class Range:
    """The number lies between the bounds, both inclusive; None leaves a side open."""

    field: str
    gte: float | None = None
    lte: float | None = None


@dataclass(frozen=True)
class Nested:
    """All conditions hold for one and the same element of the array at `path`; fields are relative to the element."""

    path: str
    all_of: Sequence["Condition"]


@dataclass(frozen=True)
class Not:
    condition: "Condition"


@dataclass(frozen=True)
class All:
    """Every condition holds; true when there is none."""

    conditions: Sequence["Condition"]


@dataclass(frozen=True)
class Any:
    """At least one condition holds; false when there is none."""

    conditions: Sequence["Condition"]


Condition = Match | Range | Nested | Not | All | Any


@dataclass(frozen=True)
class Hit:
    """A found point. The score orders the hits of one search and means nothing beyond; it is 0 in lists."""

    id: str
    score: float
    payload: Payload


class Page(NamedTuple):
    """`next_cursor` is None on the last page."""

    hits: list[Hit]
    next_cursor: str | None


class VectorIndex(Protocol):
    """Every write is durable and visible when it returns."""

    async def upsert(self, points: Sequence[Point]) -> None:
        """Put points in place of those with the same ids.

        A point without a dense vector keeps the one it had while its text is unchanged.
        """
        ...

    async def set_vectors(self, vectors: Mapping[str, Vector], made_from: Mapping[str, str] | None = None) -> None:
        """Add dense vectors to points; unknown ids are passed over.

        With `made_from`, the text each vector was made from, a point whose text is another by now is passed over too.
        """
        ...

    async def set_payload(self, point_id: str, partial: Payload) -> None:
        """Replace the given top-level fields; an unknown id is passed over."""
        ...

    async def delete(self, ids: Iterable[str]) -> None: ...

    async def search(
        self, text: str, vector: Vector | None, where: Condition | None, limit: int, offset: int = 0
    ) -> list[Hit]:
        """Best first: by keywords and by vector, fused by rank; by keywords alone without a vector.

        Looks at the best 500 of each kind, so paging ends there at the latest.
        """
        ...

    async def similar(self, point_id: str, where: Condition | None, limit: int) -> list[Hit]:
        """Nearest to a point, itself left out; by its words when it has no vector; empty for an unknown id."""
        ...

    async def scroll(
        self, where: Condition | None, order_by: OrderBy | None, limit: int, cursor: str | None = None
    ) -> Page:
        """List points in a stable order; those without the sort field come last, equal ones by an inner order.

        The sort field holds one number a point. A change between two pages moves only the changed point.
        Raises BadCursor, UnindexedField.
        """
        ...

    async def facets(self, fields: Sequence[str], where: Condition | None, limit: int) -> Facets:
        """The most frequent values of each field with the number of points that hold them. Raises UnindexedField."""
        ...

    async def count(self, where: Condition | None = None) -> int: ...

    async def missing_dense(self, limit: int) -> list[tuple[str, str]]:
        """Ids and texts of points that have a text and no dense vector yet."""
        ...

    async def ids(self, where: Condition | None = None) -> set[str]:
        """All ids, to compare with the source of truth."""
        ...

    async def close(self) -> None: ...


class VectorIndexError(Exception):
    """Base of the errors of an index."""


class WrongDimension(VectorIndexError):
    def __init__(self, expected: int, got: int) -> None:
        super().__init__(f"the index holds vectors of {expected} numbers, got {got}: rebuild it for another model")


class UnindexedField(VectorIndexError):
    def __init__(self, field: str) -> None:
        super().__init__(f'"{field}" is not a field this index sorts or counts by')


class BadCursor(VectorIndexError):
    def __init__(self) -> None:
        super().__init__("the cursor does not belong to this list")


class IndexUnavailable(VectorIndexError):
    pass


class IndexOutdated(VectorIndexError):
    def __init__(self, path: Path) -> None:
        super().__init__(f"the vector index at {path} was written by another version: index again")
