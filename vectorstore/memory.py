"""The index without an engine: exact, in memory, gone with the process. For unit tests and very small shops."""

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

import numpy as np

from vectorstore.embeddings import Vector
from vectorstore.fusion import DENSE_FLOOR, DEPTH, fuse
from vectorstore.index import (
    Condition,
    Facets,
    FieldKind,
    Fields,
    Hit,
    OrderBy,
    Page,
    Payload,
    Point,
    Scalar,
    UnindexedField,
    WrongDimension,
)
from vectorstore.lexical import TermWeights, document_weights, query_weights
from vectorstore.matching import holds, values_at, without_booleans
from vectorstore.position import Position, inner_id


@dataclass(frozen=True)
class _Stored:
    point: Point
    inner: UUID
    weights: Mapping[int, float]


class MemoryIndex:
    """VectorIndex over a dictionary; every search looks at every point."""

    def __init__(self, dim: int, fields: Fields) -> None:
        self._dim = dim
        self._fields = fields
        self._stored: dict[str, _Stored] = {}

    async def upsert(self, points: Sequence[Point]) -> None:
        for point in points:
            before = self._stored.get(point.id)
            dense = self._checked(point.dense)
            if dense is None and before and point.text and before.point.text == point.text:
                dense = before.point.dense
            self._put(replace(point, dense=dense, payload=without_booleans(point.payload)))

    async def set_vectors(self, vectors: Mapping[str, Vector], made_from: Mapping[str, str] | None = None) -> None:
        for point_id, vector in vectors.items():
            dense = self._checked(vector)
            known = self._stored.get(point_id)
            if known and (made_from or {}).get(point_id, known.point.text) == known.point.text:
                self._put(replace(known.point, dense=dense))

    async def set_payload(self, point_id: str, partial: Payload) -> None:
        if known := self._stored.get(point_id):
            payload = {**known.point.payload, **without_booleans(partial)}
            self._put(replace(known.point, payload=payload))

    async def delete(self, ids: Iterable[str]) -> None:
        for point_id in ids:
            self._stored.pop(point_id, None)

    async def search(
        self, text: str, vector: Vector | None, where: Condition | None, limit: int, offset: int = 0
    ) -> list[Hit]:
        chosen = list(self._matching(where))
        by_words = self._by_words(query_weights(text), chosen)
        dense = self._checked(vector)
        by_vector = [] if dense is None else _by_vector(dense, chosen, DENSE_FLOOR)
        return self._hits(fuse(by_words, by_vector)[offset : offset + limit])

    async def similar(self, point_id: str, where: Condition | None, limit: int) -> list[Hit]:
        known = self._stored.get(point_id)
        if known is None:
            return []
        chosen = [stored for stored in self._matching(where) if stored is not known]
        if known.point.dense is not None:
            near = _by_vector(known.point.dense, chosen, -math.inf)
        else:
            near = self._by_words(query_weights(known.point.text or ""), chosen)
        return self._hits(fuse([], near)[:limit])

    async def scroll(
        self, where: Condition | None, order_by: OrderBy | None, limit: int, cursor: str | None = None
    ) -> Page:
        start = Position.of(cursor, order_by) if cursor else None
        if order_by:
            self._require(order_by[0], "integer", "float")
        rows = [(_position(stored, order_by), stored) for stored in self._matching(where)]
        rows.sort(key=lambda row: _rank(row[0], order_by))
        if start is not None:
            first = _rank(start, order_by)
            rows = [row for row in rows if _rank(row[0], order_by) >= first]
        following = rows[limit][0].cursor(order_by) if len(rows) > limit else None
        return Page([_hit(stored, 0.0) for _, stored in rows[:limit]], following)

    async def facets(self, fields: Sequence[str], where: Condition | None, limit: int) -> Facets:
        chosen = list(self._matching(where))
        return {field: self._facet(field, chosen, limit) for field in fields}

    async def count(self, where: Condition | None = None) -> int:
        return sum(1 for _ in self._matching(where))

    async def missing_dense(self, limit: int) -> list[tuple[str, str]]:
        points = (stored.point for stored in self._stored.values())
        waiting = [(point.id, point.text) for point in points if point.text and point.dense is None]
        return waiting[:limit]

    async def ids(self, where: Condition | None = None) -> set[str]:
        return {stored.point.id for stored in self._matching(where)}

    async def close(self) -> None:
        self._stored.clear()

    def _put(self, point: Point) -> None:
        weights = document_weights(point.text or "")
        self._stored[point.id] = _Stored(point, inner_id(point.id), dict(_pairs(weights)))

    def _checked(self, vector: Vector | None) -> Vector | None:
        if vector is not None and len(vector) != self._dim:
            raise WrongDimension(self._dim, len(vector))
        return vector

    def _matching(self, where: Condition | None) -> Iterator[_Stored]:
        return (stored for stored in self._stored.values() if holds(where, stored.point.payload))

    def _by_words(self, words: TermWeights, chosen: Sequence[_Stored]) -> list[str]:
        rarity = {term: self._rarity(term) for term in words.indices}
        scores = [
            (sum(weight * rarity[term] * stored.weights.get(term, 0.0) for term, weight in _pairs(words)), stored)
            for stored in chosen
        ]
        return _best([(score, stored) for score, stored in scores if score > 0])

    def _rarity(self, term: int) -> float:
        texts = sum(1 for stored in self._stored.values() if stored.weights)
        holding = sum(1 for stored in self._stored.values() if term in stored.weights)
        return math.log(1 + (texts - holding + 0.5) / (holding + 0.5))

    def _facet(self, field: str, chosen: Sequence[_Stored], limit: int) -> list[tuple[Scalar, int]]:
        self._require(field, "keyword", "integer")
        counts: Counter[Scalar] = Counter()
        for stored in chosen:
            counts.update({value for value in values_at(stored.point.payload, field) if isinstance(value, str | int)})
        return sorted(counts.items(), key=lambda entry: (-entry[1], entry[0]))[:limit]

    def _require(self, field: str, *kinds: FieldKind) -> None:
        if self._fields.get(field) not in kinds:
            raise UnindexedField(field)

    def _hits(self, ranked: Sequence[tuple[str, float]]) -> list[Hit]:
        return [_hit(self._stored[point_id], score) for point_id, score in ranked]


def _by_vector(vector: Vector, chosen: Sequence[_Stored], floor: float) -> list[str]:
    scores = [(_cosine(vector, stored.point.dense), stored) for stored in chosen if stored.point.dense is not None]
    return _best([(score, stored) for score, stored in scores if score >= floor])


def _cosine(one: Vector, other: Vector) -> float:
    lengths = float(np.linalg.norm(one) * np.linalg.norm(other))
    return float(one @ other) / lengths if lengths else 0.0


def _best(scores: list[tuple[float, _Stored]]) -> list[str]:
    scores.sort(key=lambda scored: (-scored[0], scored[1].inner))
    return [stored.point.id for _, stored in scores[:DEPTH]]


def _position(stored: _Stored, order_by: OrderBy | None) -> Position:
    value = next(iter(values_at(stored.point.payload, order_by[0])), None) if order_by else None
    return Position(value if isinstance(value, int | float) else None, stored.inner)


def _rank(position: Position, order_by: OrderBy | None) -> tuple[bool, float, UUID]:
    sign = -1 if order_by and order_by[1] == "desc" else 1
    return position.value is None, sign * (position.value or 0), position.inner


def _pairs(weights: TermWeights) -> Iterable[tuple[int, float]]:
    return zip(weights.indices, weights.values, strict=True)


def _hit(stored: _Stored, score: float) -> Hit:
    return Hit(stored.point.id, score, dict(stored.point.payload))
