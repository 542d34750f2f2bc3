"""Arguments in the shape a bound tool's schema allows."""

from collections.abc import Mapping
from typing import Any

from agents.models.offline.turn import Json


def fitted(args: Json, schema: Mapping[str, Any]) -> Json:
    """Without arguments the schema does not know; lists and single values turned into what it takes."""
    properties = schema.get("properties")
    if not isinstance(properties, Mapping):
        return args
    known = {name: _shaped(value, properties[name]) for name, value in args.items() if name in properties}
    return {name: value for name, value in known.items() if _allowed(value, properties[name])}


def _shaped(value: Any, schema: Mapping[str, Any]) -> Any:
    kinds = _kinds(schema)
    if isinstance(value, list) and "array" not in kinds and "string" in kinds:
        return ", ".join(map(str, value))
    if isinstance(value, str) and "array" in kinds and "string" not in kinds:
        return [value]
    return value


def _allowed(value: Any, schema: Mapping[str, Any]) -> bool:
    """Whether a closed list of values, if there is one, holds this one."""
    if not isinstance(value, str):
        return True
    parts = [schema, *schema.get("anyOf", ())]
    closed = [part.get("enum") or [part["const"]] for part in parts if "enum" in part or "const" in part]
    return not closed or any(value in values for values in closed)


def _kinds(schema: Mapping[str, Any]) -> set[str]:
    several = [*schema.get("anyOf", ()), *schema.get("oneOf", ())]
    own = schema.get("type")
    kinds = set(own) if isinstance(own, list) else {own} if own else set()
    return kinds.union(*(_kinds(part) for part in several)) if several else kinds
