"""Opaque cursors: a few words in base64url JSON."""

import base64
import binascii
from datetime import datetime

import orjson

from services.contracts.catalog import CursorInvalid

_INVALID = "this cursor is none of ours; leave it out to start from the beginning"


def cursor_of(*words: str) -> str:
    return base64.urlsafe_b64encode(orjson.dumps(words)).decode().rstrip("=")


def words_of(cursor: str, count: int) -> list[str]:
    """Raises CursorInvalid."""
    try:
        words = orjson.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (binascii.Error, ValueError) as error:
        raise CursorInvalid(_INVALID, field="cursor") from error
    if not isinstance(words, list) or len(words) != count or not all(isinstance(word, str) for word in words):
        raise CursorInvalid(_INVALID, field="cursor")
    return words


def order_position(cursor: str | None) -> tuple[datetime, str] | None:
    """Placed at and order id of the last one seen. Raises CursorInvalid."""
    if cursor is None:
        return None
    placed_at, order_id = words_of(cursor, 2)
    try:
        moment = datetime.fromisoformat(placed_at)
    except ValueError as error:
        raise CursorInvalid(_INVALID, field="cursor") from error
    if moment.tzinfo is None or not 1 < moment.year < 9999:
        raise CursorInvalid(_INVALID, field="cursor")
    return moment, order_id


def numbered_position(cursor: str | None) -> tuple[int, str]:
    """A number and a word; (0, "") at the beginning. Raises CursorInvalid."""
    if cursor is None:
        return 0, ""
    number, word = words_of(cursor, 2)
    if not (number.isascii() and number.isdigit() and len(number) < 7):
        raise CursorInvalid(_INVALID, field="cursor")
    return int(number), word
