"""Products by the price of the variant that answers the question.

The index can sort by a product's lowest or highest price only. The price asked about lies between the two, so products
are read in the order of the nearer bound and given out as soon as nothing unread can come before them.
"""

import heapq
from collections.abc import Awaitable, Callable, Sequence
from typing import NamedTuple

from vectorstore.index import Hit

_HITS_A_READ = 60
Read = Callable[[int, str | None], Awaitable[tuple[list[Hit], str | None]]]


class Place(NamedTuple):
    """`key` is the price, negative when the dearest come first."""

    key: int
    product_id: str


async def first_places(
    read: Read, bound: Callable[[Hit], int], key: Callable[[Hit], int], after: Place | None, count: int
) -> list[Place]:
    """The first `count` places behind `after`.

    `read(limit, cursor)` gives hits ordered by `bound`, and `bound(hit) <= key(hit)` holds for each.
    """
    waiting: list[Place] = []
    given: list[Place] = []
    cursor: str | None = None
    while len(given) < count:
        hits, cursor = await read(count + _HITS_A_READ if cursor else count + 20, cursor)
        _push_behind(waiting, [Place(key(hit), hit.id) for hit in hits], after)
        reached = bound(hits[-1]) if hits and cursor else None
        while waiting and len(given) < count and (reached is None or waiting[0].key < reached):
            given.append(heapq.heappop(waiting))
        if cursor is None:
            break
    return given


def _push_behind(waiting: list[Place], places: Sequence[Place], after: Place | None) -> None:
    for place in places:
        if after is None or place > after:
            heapq.heappush(waiting, place)
