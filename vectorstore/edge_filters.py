"""Conditions in the engine's own words. Booleans are 0 and 1 there: it matches nothing on True."""

from collections.abc import Sequence

from vectorstore.edge_engine import qdrant
from vectorstore.index import All, Any, Condition, Match, Nested, Not, Range, Scalar

EngineCondition = object


def engine_filter(condition: Condition | None) -> EngineCondition:
    """A filter without conditions matches every point."""
    match condition:
        case None:
            return qdrant.Filter()
        case All(conditions):
            return qdrant.Filter(must=[_engine_condition(each) for each in conditions])
        case Not(inner):
            return qdrant.Filter(must_not=[_engine_condition(inner)])
        case Any(conditions):
            return _any([_engine_condition(each) for each in conditions])
        case _:
            return qdrant.Filter(must=[_engine_condition(condition)])


def _engine_condition(condition: Condition) -> EngineCondition:
    match condition:
        case Match(field, values):
            return _match(field, values)
        case Range(field, gte, lte):
            return qdrant.FieldCondition(field, range=qdrant.RangeFloat(gte=gte, lte=lte))
        case Nested(path, all_of):
            return qdrant.NestedCondition(path, engine_filter(All(all_of)))
        case _:
            return engine_filter(condition)


def _match(field: str, values: Sequence[Scalar]) -> EngineCondition:
    words = [value for value in values if isinstance(value, str)]
    numbers = [int(value) for value in values if not isinstance(value, str)]
    return _any([qdrant.FieldCondition(field, match=qdrant.MatchAny(kind)) for kind in (words, numbers) if kind])


def _any(conditions: list[EngineCondition]) -> EngineCondition:
    nothing = qdrant.HasIdCondition(set())
    return qdrant.Filter(should=conditions or [nothing])
