"""Where a list goes on: the sort value and the inner id of the first point of the next page."""

import base64
import binascii
import json
from dataclasses import dataclass
from uuid import NAMESPACE_URL, UUID, uuid5

from vectorstore.index import BadCursor, OrderBy

_POINTS = uuid5(NAMESPACE_URL, "cohort:vectorstore:point")


def inner_id(point_id: str) -> UUID:
    """The engine takes UUIDs only; they also give equal points of a list their order."""
    return uuid5(_POINTS, point_id)


@dataclass(frozen=True)
class Position:
    """`value` is None without a sort, and among the points that lack the sort field."""

    value: float | None
    inner: UUID

    def cursor(self, order_by: OrderBy | None) -> str:
        body = json.dumps([list(order_by) if order_by else None, self.value, self.inner.hex])
        return base64.urlsafe_b64encode(body.encode()).decode().rstrip("=")

    @classmethod
    def of(cls, cursor: str, order_by: OrderBy | None) -> "Position":
        """Raises BadCursor for what `cursor` did not make for the same sort."""
        try:
            body = json.loads(base64.urlsafe_b64decode(cursor.encode("ascii") + b"=" * (-len(cursor) % 4)))
            made_for, value, inner = body
            position = cls(_number(value), UUID(hex=inner))
        except (ValueError, TypeError, AttributeError, RecursionError, binascii.Error) as error:
            raise BadCursor from error
        if made_for != (list(order_by) if order_by else None):
            raise BadCursor
        return position


def _number(value: object) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise BadCursor
    return value
