"""What operators do with events that no consumer took."""

from collections.abc import Sequence
from typing import Annotated, Protocol

from fastapi import APIRouter, Query
from starlette.responses import Response

from services.kit.broker import DeadLetter
from services.kit.errors import Conflict, Forbidden, Invalid, NotFound, Unauthenticated
from services.kit.web import Admin, Cursor, Limit, answer, problems
from services.kit.wire import Page

QueueName = Annotated[str | None, Query(max_length=100)]


class DeadLetters(Protocol):
    """The part of a broker that keeps what was given up."""

    async def dead_letters(self, queue: str | None = None) -> list[DeadLetter]: ...

    async def replay(self, letter_id: str) -> str | None:
        """None when it was handled, else why it stays dead. Raises NotFound."""


class StillDead(Conflict):
    """The consumer failed again; `detail` is what it said."""

    code = "still_dead"


def dead_letter_routes(letters: DeadLetters) -> APIRouter:
    router = APIRouter(prefix="/admin/dead-letters", tags=["admin"])

    @router.get("", response_model=Page[DeadLetter], responses=problems(Unauthenticated, Forbidden))
    async def list_dead_letters(
        who: Admin, queue: QueueName = None, limit: Limit = 20, cursor: Cursor = None
    ) -> Response:
        """Events a queue gave up on, with the reason of the last attempt, latest first."""
        del who
        return answer(_page(await letters.dead_letters(queue), limit, cursor))

    @router.post(
        "/{letter_id}/replay", status_code=204, responses=problems(Unauthenticated, Forbidden, NotFound, StillDead)
    )
    async def replay_dead_letter(who: Admin, letter_id: str) -> Response:
        """Give an event to its queue again; when that fails it stays here with the new reason."""
        del who
        reason = await letters.replay(letter_id)
        if reason is not None:
            raise StillDead(f"the consumer failed again: {reason}")
        return Response(status_code=204)

    return router


def _page(letters: Sequence[DeadLetter], limit: int, cursor: str | None) -> Page[DeadLetter]:
    """The cursor is the time and id of the last one shown."""
    ordered = sorted(letters, key=_position, reverse=True)
    if cursor is not None:
        _check(cursor)
        ordered = [letter for letter in ordered if _position(letter) < cursor]
    following = _position(ordered[limit - 1]) if len(ordered) > limit else None
    return Page(items=ordered[:limit], next_cursor=following)


def _position(letter: DeadLetter) -> str:
    return f"{round(letter.at.timestamp() * 1000):015d}_{letter.letter_id}"


def _check(cursor: str) -> None:
    at, separator, _ = cursor.partition("_")
    if not (separator and len(at) == 15 and at.isascii() and at.isdigit()):
        raise Invalid("not a cursor of this list; take nextCursor as it came", field="cursor")
