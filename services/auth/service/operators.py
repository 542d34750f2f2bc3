from datetime import datetime, timedelta

from services.auth.models import User, disabled
from services.auth.repository import AuthRepository
from services.auth.service.revocation import Revocation
from services.contracts.auth import ManagedUser
from services.contracts.events import UserUpdated
from services.kit.clock import Clock
from services.kit.errors import Forbidden, Invalid, NotFound, Refused
from services.kit.outbox import Outbox, Unit
from services.kit.principal import Principal
from services.kit.wire import Page

_FIRST_WINDOW = timedelta(hours=6)
_WINDOWS = 16


class Operators:
    """What operators do with accounts."""

    def __init__(self, repository: AuthRepository, outbox: Outbox, revocation: Revocation, *, clock: Clock) -> None:
        self._repository = repository
        self._outbox = outbox
        self._revocation = revocation
        self._clock = clock

    async def users(self, who: Principal, limit: int, cursor: str | None) -> Page[ManagedUser]:
        """Newest first, read backwards in windows of time that double: about forty years in all."""
        _only_operators(who)
        before = _parse(cursor) if cursor else (self._clock.now() + timedelta(seconds=1), "")
        found: list[User] = []
        high, width = before[0] + timedelta(milliseconds=1), _FIRST_WINDOW
        for _ in range(_WINDOWS):
            rows = await self._repository.users_between(high - width, high)
            found += sorted((u for u in rows if _position(u) < before), key=_position, reverse=True)
            if len(found) > limit:
                break
            high, width = high - width, width * 2
        items = [user.managed_view() for user in found[:limit]]
        return Page(items=items, next_cursor=_cursor(found[limit - 1]) if len(found) > limit else None)

    async def disable(self, who: Principal, user_id: str) -> ManagedUser:
        if user_id == who.user_id:
            raise Refused("nobody closes the account they work with; ask another operator")
        return await self._switch(who, user_id, self._clock.now())

    async def enable(self, who: Principal, user_id: str) -> ManagedUser:
        return await self._switch(who, user_id, None)

    async def _switch(self, who: Principal, user_id: str, disabled_at: datetime | None) -> ManagedUser:
        _only_operators(who)

        async def work(unit: Unit) -> tuple[User, list[str]]:
            user = await self._repository.find_user(user_id, unit)
            if user is None or user.deleted_at:
                raise NotFound.of("account")
            if bool(user.disabled_at) == bool(disabled_at):
                return user, []
            user = disabled(user, disabled_at)
            await self._repository.save_user(user, unit)
            unit.record(UserUpdated(user_id=user.user_id, roles=user.roles), sequence=user.version)
            reason = "account disabled" if disabled_at else "account enabled"
            return user, await self._revocation.end_all_within(unit, user_id, reason)

        user, ended = await self._outbox.transact(work)
        await self._revocation.copy(ended)
        return user.managed_view()


def _only_operators(who: Principal) -> None:
    if not who.is_admin:
        raise Forbidden("this is for operators")


def _position(user: User) -> tuple[datetime, str]:
    return user.created_at, user.user_id


def _cursor(last: User) -> str:
    return f"{last.created_at.isoformat()}_{last.user_id}"


def _parse(cursor: str) -> tuple[datetime, str]:
    at, _, user_id = cursor.partition("_")
    try:
        position = datetime.fromisoformat(at), user_id
    except ValueError:
        position = None
    if position is None or position[0].tzinfo is None or not 1990 < position[0].year < 2200:
        raise Invalid("not a cursor of this list; take nextCursor as it came", field="cursor")
    return position
