"""Redis' copy of the revoked sessions; the truth is in the database."""

from collections.abc import Sequence
from typing import Any

from services.kit.cache import RedisAway
from services.kit.log import get_logger

log = get_logger("auth")


class RevokedSessions:
    """Keys `revoked:<session id>`, kept for as long as an access token of the session could live."""

    def __init__(self, client: Any, *, keep_seconds: int = 15 * 60) -> None:
        self._client = client
        self.keep_seconds = keep_seconds

    async def add(self, session_ids: Sequence[str]) -> None:
        """An outage is logged and leaves the copy behind; `AuthService.mirror_revocations` catches it up."""
        try:
            async with self._client.pipeline(transaction=False) as pipeline:
                for session_id in session_ids:
                    pipeline.set(f"revoked:{session_id}", 1, ex=self.keep_seconds)
                await pipeline.execute()
        except RedisAway as error:
            log.warning("revocations_not_copied", count=len(session_ids), error=repr(error))

    async def knows(self, session_id: str) -> bool | None:
        """None when Redis cannot be asked."""
        try:
            return bool(await self._client.exists(f"revoked:{session_id}"))
        except RedisAway as error:
            log.warning("revocations_away", error=repr(error))
            return None
