"""Arguments in the shape a bound tool's schema allows."""

from collections.abc import Mapping
from typing import Any

from agents.models.offline.turn import Json


def fitted(args: Json, schema: Mapping[str, Any]) -> Json:
    """Without arguments the schema does not know; lists and single values turned into what it takes."""
    properties = schema.get("properties")
    if not isinstance(properties, Mapping):
        return args
    return {name: _shaped(value, properties[name]) for name, value in args.items() if name in properties}


def _shaped(value: Any, schema: Mapping[str, Any]) -> Any:
    kinds = _kinds(schema)
    if isinstance(value, list) and "array" not in kinds and "string" in kinds:
        return ", ".join(map(str, value))
    if isinstance(value, str) and "array" in kinds and "string" not in kinds:
        return [value]
    return value


def _kinds(schema: Mapping[str, Any]) -> set[str]:
    several = [*schema.get("anyOf", ()), *schema.get("oneOf", ())]
    own = schema.get("type")
    kinds = set(own) if isinstance(own, list) else {own} if own else set()
    return kinds.union(*(_kinds(part) for part in several)) if several else kinds
