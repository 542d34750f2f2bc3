"""One shard of Qdrant's engine and what this project keeps in it. Blocking, and for one thread."""

from collections.abc import Iterator, Sequence
from itertools import takewhile
from pathlib import Path
from uuid import UUID

from vectorstore.edge_engine import qdrant
from vectorstore.edge_filters import engine_filter
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
    UnindexedField,
    WrongDimension,
)
from vectorstore.lexical import TermWeights, document_weights, query_weights
from vectorstore.matching import without_booleans
from vectorstore.position import Position, inner_id

_DENSE = "dense"
_WORDS = "words"
_ID = "_id"
_TEXT = "_text"
_POINTS_BETWEEN_FLUSHES = 4096  # the log is replayed from the last flush when the shard opens
_VISIBLE = qdrant.PayloadSelector.Exclude([_TEXT])
_LISTED = 1000
_UPDATE = qdrant.UpdateOperation


class Shard:
    def __init__(self, path: Path, dim: int, fields: Fields, *, new: bool) -> None:
        """Create or load the shard at path and index the fields it does not index yet."""
        self._dim = dim
        self._fields = fields
        self._shard = qdrant.EdgeShard.create(str(path), _config(dim)) if new else qdrant.EdgeShard.load(str(path))
        self._since_flush = 0
        for field in fields.keys() - self._shard.info().payload_schema.keys():
            self._shard.update(_UPDATE.create_field_index(field, _field_index(field, fields[field])))

    def close(self) -> None:
        self._shard.flush()
        self._shard.close()

    # writes

    def upsert(self, points: Sequence[Point]) -> None:
        kept = self._vectors_of_unchanged([point for point in points if point.dense is None and point.text])
        stored = [self._engine_point(point, kept.get(point.id)) for point in points]
        self._write(_UPDATE.upsert_points(stored), len(points))

    def set_vectors(self, vectors: Sequence[tuple[str, Vector, str | None]]) -> None:
        texts = self._texts([point_id for point_id, _, _ in vectors])
        wanted = [
            qdrant.PointVectors(inner_id(point_id), {_DENSE: self._checked(vector)})
            for point_id, vector, made_from in vectors
            if point_id in texts and made_from in (None, texts[point_id])
        ]
        if wanted:
            self._write(_UPDATE.update_vectors(wanted), len(wanted))

    def set_payload(self, point_id: str, partial: Payload) -> None:
        if self._texts([point_id]):
            self._write(_UPDATE.set_payload([inner_id(point_id)], without_booleans(partial)), 1)

    def delete(self, ids: Sequence[str]) -> None:
        self._write(_UPDATE.delete_points([inner_id(point_id) for point_id in ids]), len(ids))

    def _write(self, operation: object, points: int) -> None:
        self._shard.update(operation)
        self._since_flush += points
        if self._since_flush >= _POINTS_BETWEEN_FLUSHES:
            self._shard.flush()
            self._since_flush = 0

    def _engine_point(self, point: Point, kept: list[float] | None) -> object:
        vectors: dict[str, object] = {}
        if point.text:
            vectors[_WORDS] = _sparse(document_weights(point.text))
        dense = kept if point.dense is None else self._checked(point.dense)
        if dense is not None:
            vectors[_DENSE] = dense
        payload = {**without_booleans(point.payload), _ID: point.id, _TEXT: point.text}
        return qdrant.Point(inner_id(point.id), vectors, payload)

    def _checked(self, vector: Vector) -> list[float]:
        if len(vector) != self._dim:
            raise WrongDimension(self._dim, len(vector))
        numbers: list[float] = vector.tolist()
        return numbers

    def _vectors_of_unchanged(self, points: Sequence[Point]) -> dict[str, list[float]]:
        texts = {point.id: point.text for point in points}
        records = self._shard.retrieve([inner_id(point_id) for point_id in texts], [_ID, _TEXT], [_DENSE])
        return {
            record.payload[_ID]: record.vector[_DENSE]
            for record in records
            if record.vector and _DENSE in record.vector and record.payload.get(_TEXT) == texts[record.payload[_ID]]
        }

    def _texts(self, ids: Sequence[str]) -> dict[str, str | None]:
        records = self._shard.retrieve([inner_id(point_id) for point_id in ids], [_ID, _TEXT], False)
        return {record.payload[_ID]: record.payload.get(_TEXT) for record in records}

    # searches

    def search(self, text: str, vector: Vector | None, where: Condition | None, limit: int, offset: int) -> list[Hit]:
        by_words = self._by_words(query_weights(text), where)
        by_vector = [] if vector is None else self._by_vector(self._checked(vector), where, DEPTH, DENSE_FLOOR)
        return self._hits(fuse(by_words, by_vector)[offset : offset + limit])

    def similar(self, point_id: str, where: Condition | None, limit: int) -> list[Hit]:
        own = inner_id(point_id)
        found = self._shard.retrieve([own], [_TEXT], [_DENSE])
        if not found:
            return []
        if found[0].vector and _DENSE in found[0].vector:
            near = self._by_vector(found[0].vector[_DENSE], where, limit + 1)
        else:
            near = self._by_words(query_weights(found[0].payload.get(_TEXT) or ""), where)
        return self._hits(fuse([], [inner for inner in near if inner != own])[:limit])

    def _by_words(self, words: TermWeights, where: Condition | None) -> list[UUID]:
        return self._nearest(_sparse(words), _WORDS, where, DEPTH) if words.indices else []

    def _by_vector(
        self, vector: list[float], where: Condition | None, limit: int, floor: float | None = None
    ) -> list[UUID]:
        return self._nearest(vector, _DENSE, where, limit, floor)

    def _nearest(
        self, vector: object, using: str, where: Condition | None, limit: int, floor: float | None = None
    ) -> list[UUID]:
        query = qdrant.Query.Nearest(vector, using=using)
        request = qdrant.QueryRequest(limit, query=query, filter=engine_filter(where), score_threshold=floor)
        found = self._shard.query(request)
        ranked = sorted(found, key=lambda point: (-point.score, point.id))  # equal scores come in any order
        return [point.id for point in ranked]

    def _hits(self, ranked: Sequence[tuple[UUID, float]]) -> list[Hit]:
        records = self._shard.retrieve([inner for inner, _ in ranked], _VISIBLE, False)
        payloads = {record.id: record.payload for record in records}
        return [_hit(payloads[inner], score) for inner, score in ranked if inner in payloads]

    # lists

    def scroll(self, where: Condition | None, order_by: OrderBy | None, limit: int, start: Position | None) -> Page:
        listed = self._listed(where, order_by, start, limit + 1)
        further = listed[limit] if len(listed) > limit else None
        cursor = further[0].cursor(order_by) if further else None
        return Page([_hit(payload, 0.0) for _, payload in listed[:limit]], cursor)

    def _listed(
        self, where: Condition | None, order_by: OrderBy | None, start: Position | None, limit: int
    ) -> list[tuple[Position, Payload]]:
        base = engine_filter(where)
        if order_by is None:
            return self._in_inner_order(base, None, start, limit)
        field = order_by[0]
        self._require(field, "integer", "float")
        rows: list[tuple[Position, Payload]] = []
        if start is None or start.value is not None:
            rows = self._with_value(base, order_by, start, limit)
            start = None
        if len(rows) < limit:
            lacking = qdrant.Filter(must=[base, qdrant.IsEmptyCondition(field)])
            rows += self._in_inner_order(lacking, None, start, limit - len(rows))
        return rows

    def _with_value(
        self, base: object, order_by: OrderBy, start: Position | None, limit: int
    ) -> list[tuple[Position, Payload]]:
        """Rows by value, equal values by inner id: the engine sorts by value only, and cuts equal ones anywhere."""
        rows: list[tuple[Position, Payload]] = []
        if start is not None:
            rows = self._equal(base, order_by[0], start, limit)
        while len(rows) < limit:
            last = rows[-1][0].value if rows else start.value if start else None
            further = self._beyond(base, order_by, last, limit - len(rows))
            if not further:
                break
            cut = further[-1][0].value
            rows += takewhile(lambda row, cut=cut: row[0].value != cut, further)  # type: ignore[misc]
            at_cut = Position(cut, UUID(int=0))
            rows += self._equal(base, order_by[0], at_cut, limit - len(rows))
        return rows

    def _equal(self, base: object, field: str, start: Position, limit: int) -> list[tuple[Position, Payload]]:
        same = qdrant.FieldCondition(field, range=qdrant.RangeFloat(gte=start.value, lte=start.value))
        return self._in_inner_order(qdrant.Filter(must=[base, same]), start.value, start, limit)

    def _beyond(
        self, base: object, order_by: OrderBy, last: float | None, limit: int
    ) -> list[tuple[Position, Payload]]:
        field, direction = order_by
        ascending = direction == "asc"
        beyond = qdrant.RangeFloat(gt=last) if ascending else qdrant.RangeFloat(lt=last)
        order = qdrant.OrderBy(field, qdrant.Direction.Asc if ascending else qdrant.Direction.Desc)
        every = qdrant.Filter(must=[base] if last is None else [base, qdrant.FieldCondition(field, range=beyond)])
        request = qdrant.ScrollRequest(limit=limit, filter=every, order_by=order, with_payload=_VISIBLE)
        records, _ = self._shard.scroll(request)
        rows = [(Position(record.order_value, record.id), record.payload) for record in records]
        sign = 1 if ascending else -1
        return sorted(rows, key=lambda row: (sign * (row[0].value or 0), row[0].inner))

    def _in_inner_order(
        self, chosen: object, value: float | None, start: Position | None, limit: int
    ) -> list[tuple[Position, Payload]]:
        offset = start.inner if start else None
        request = qdrant.ScrollRequest(offset=offset, limit=limit, filter=chosen, with_payload=_VISIBLE)
        records, _ = self._shard.scroll(request)
        return [(Position(value, record.id), record.payload) for record in records]

    def facets(self, fields: Sequence[str], where: Condition | None, limit: int) -> Facets:
        return {field: self._facet(field, where, limit) for field in fields}

    def _facet(self, field: str, where: Condition | None, limit: int) -> list[tuple[str | int | bool, int]]:
        self._require(field, "keyword", "integer")
        request = qdrant.FacetRequest(field, limit=limit, exact=True, filter=engine_filter(where))
        hits = [(hit.value, hit.count) for hit in self._shard.facet(request).hits]
        return sorted(hits, key=lambda hit: (-hit[1], hit[0]))

    def _require(self, field: str, *kinds: FieldKind) -> None:
        if self._fields.get(field) not in kinds:
            raise UnindexedField(field)

    def count(self, where: Condition | None) -> int:
        return int(self._shard.count(qdrant.CountRequest(exact=True, filter=engine_filter(where))))

    def missing_dense(self, limit: int) -> list[tuple[str, str]]:
        without = qdrant.Filter(must_not=[qdrant.HasVectorCondition(_DENSE)], must=[qdrant.HasVectorCondition(_WORDS)])
        request = qdrant.ScrollRequest(limit=limit, filter=without, with_payload=[_ID, _TEXT])
        records, _ = self._shard.scroll(request)
        return [(record.payload[_ID], record.payload[_TEXT]) for record in records]

    def id_pages(self, where: Condition | None) -> Iterator[list[str]]:
        offset: UUID | None = None
        while True:
            request = qdrant.ScrollRequest(
                offset=offset, limit=_LISTED, filter=engine_filter(where), with_payload=[_ID]
            )
            records, offset = self._shard.scroll(request)
            yield [record.payload[_ID] for record in records]
            if offset is None:
                return


def _config(dim: int) -> object:
    return qdrant.EdgeConfig(
        vectors={_DENSE: qdrant.EdgeVectorParams(dim, qdrant.Distance.Cosine)},
        sparse_vectors={_WORDS: qdrant.EdgeSparseVectorParams(modifier=qdrant.Modifier.Idf)},
        max_search_threads=1,
    )


def _field_index(field: str, kind: FieldKind) -> object:
    array, inside, _ = field.rpartition("[].")
    nested = array if inside else None
    match kind:
        case "keyword":
            return qdrant.KeywordIndexParams(nested=nested)
        case "integer":
            return qdrant.IntegerIndexParams(lookup=True, range=True, nested=nested)
        case "float":
            return qdrant.FloatIndexParams(nested=nested)


def _sparse(weights: TermWeights) -> object:
    return qdrant.SparseVector(list(weights.indices), list(weights.values))


def _hit(payload: Payload, score: float) -> Hit:
    shown = dict(payload)
    return Hit(str(shown.pop(_ID)), score, shown)
