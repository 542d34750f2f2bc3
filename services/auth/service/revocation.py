from collections.abc import Sequence
from datetime import timedelta

from services.auth.adapters.revoked import RevokedSessions
from services.auth.models import Session
from services.auth.repository import AuthRepository
from services.contracts.auth import SessionView
from services.kit.clock import Clock
from services.kit.errors import NotFound
from services.kit.outbox import Outbox, Unit
from services.kit.principal import Principal


class Revocation:
    """Ending sessions: in the database first, then in Redis' copy that every request asks."""

    def __init__(self, repository: AuthRepository, outbox: Outbox, revoked: RevokedSessions, *, clock: Clock) -> None:
        self._repository = repository
        self._outbox = outbox
        self._revoked = revoked
        self._clock = clock

    async def end(self, session_id: str, reason: str) -> None:
        await self._repository.revoke(session_id, reason, self._clock.now())
        await self._revoked.add([session_id])

    async def end_all_within(self, unit: Unit, user_id: str, reason: str, keep: str | None = None) -> list[str]:
        """Part of a transaction; `copy` what it returns once that is committed."""
        now = self._clock.now()
        sessions = await self._repository.live_sessions(user_id, now, unit)
        ended = [session.session_id for session in sessions if session.session_id != keep]
        if ended:
            await self._repository.revoke_many(ended, reason, now, unit)
        return ended

    async def copy(self, session_ids: Sequence[str]) -> None:
        if session_ids:
            await self._revoked.add(session_ids)

    async def end_all(self, who: Principal) -> None:
        async def work(unit: Unit) -> list[str]:
            return await self.end_all_within(unit, who.user_id, "logout everywhere")

        await self.copy(await self._outbox.transact(work))

    async def mine(self, who: Principal) -> list[SessionView]:
        return [session.view(who.session_id) for session in await self._sessions(who)]

    async def _sessions(self, who: Principal) -> list[Session]:
        sessions = await self._repository.live_sessions(who.user_id, self._clock.now())
        return sorted(sessions, key=lambda session: session.rotated_at or session.created_at, reverse=True)

    async def end_mine(self, who: Principal, session_id: str) -> None:
        if session_id not in {session.session_id for session in await self._sessions(who)}:
            raise NotFound.of("session")
        await self.end(session_id, "ended by its owner")

    async def is_live(self, session_id: str) -> bool:
        revoked = await self._revoked.knows(session_id)
        if revoked is not None:
            return not revoked
        session = await self._repository.find_session(session_id)
        return session is not None and session.revoked_at is None

    async def mirror(self) -> int:
        since = self._clock.now() - timedelta(seconds=self._revoked.keep_seconds)
        session_ids = await self._repository.revoked_since(since)
        await self.copy(session_ids)
        return len(session_ids)
