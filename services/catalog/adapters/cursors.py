"""Where a list of products goes on. A cursor belongs to one sort and is opaque to callers."""

import base64
import binascii
from typing import Any

import orjson

from services.contracts.catalog import CursorInvalid

_MESSAGE = "this cursor does not belong to this list; start again without one"


def encode(kind: str, *position: object) -> str:
    return base64.urlsafe_b64encode(orjson.dumps([kind, *position])).decode().rstrip("=")


def decode(cursor: str, kind: str, *shape: type) -> tuple[Any, ...]:
    """The position. Raises CursorInvalid for another kind or shape."""
    try:
        made_for, *position = orjson.loads(base64.urlsafe_b64decode(cursor.encode("ascii") + b"=" * (-len(cursor) % 4)))
    except (ValueError, TypeError, binascii.Error) as error:
        raise CursorInvalid(_MESSAGE, field="cursor") from error
    fits = len(position) == len(shape) and all(type(p) is s for p, s in zip(position, shape, strict=True))
    if made_for != kind or not fits:
        raise CursorInvalid(_MESSAGE, field="cursor")
    return tuple(position)


def refused() -> CursorInvalid:
    return CursorInvalid(_MESSAGE, field="cursor")
