"""Payloads by the rules of the engine: what a path reaches, and whether a condition holds."""

from collections.abc import Iterator, Mapping
from typing import cast

from vectorstore.index import All, Any, Condition, Match, Nested, Not, Payload, Range


def without_booleans(payload: Payload) -> dict[str, object]:
    """A copy with 0 and 1 for booleans, which the engine's filters do not know."""
    return {field: _plain(value) for field, value in payload.items()}


def _plain(value: object) -> object:
    match value:
        case bool():
            return int(value)
        case dict():
            return {key: _plain(inner) for key, inner in value.items()}
        case list() | tuple():
            return [_plain(inner) for inner in value]
        case _:
            return value


def holds(condition: Condition | None, payload: Payload) -> bool:  # noqa: PLR0911 - one return a kind of condition
    match condition:
        case None:
            return True
        case Match(field, values):
            return any(value in values for value in values_at(payload, field))
        case Range():
            return any(_within(condition, value) for value in values_at(payload, condition.field))
        case Nested(path, all_of):
            return any(holds(All(all_of), element) for element in _elements(payload, path))
        case Not(inner):
            return not holds(inner, payload)
        case All(conditions):
            return all(holds(each, payload) for each in conditions)
        case Any(conditions):
            return any(holds(each, payload) for each in conditions)


def values_at(payload: object, path: str) -> Iterator[object]:
    """The single values at a path like "brand", "size.width" or "variants[].price"; lists are opened."""
    name, _, rest = path.partition(".")
    if not isinstance(payload, Mapping):
        return
    found = payload.get(name.removesuffix("[]"))
    for value in found if isinstance(found, list) else [found]:
        if rest:
            yield from values_at(value, rest)
        elif value is not None:
            yield value


def _within(bounds: Range, value: object) -> bool:
    if not isinstance(value, int | float):
        return False
    return (bounds.gte is None or value >= bounds.gte) and (bounds.lte is None or value <= bounds.lte)


def _elements(payload: Payload, path: str) -> list[Payload]:
    found = payload.get(path)
    return [cast("Payload", each) for each in found if isinstance(each, Mapping)] if isinstance(found, list) else []
