"""Tickets: a browser cannot send a header with a WebSocket, so it brings a single-use ticket instead."""

import secrets
from typing import Any

import orjson

from services.kit.principal import Principal

TICKET_SECONDS = 60


class Tickets:
    """Kept in Redis until used, at most a minute. The access token itself is not kept."""

    def __init__(self, redis: Any, *, seconds: int = TICKET_SECONDS) -> None:
        self._redis = redis
        self.seconds = seconds

    async def issue(self, who: Principal) -> str:
        ticket = secrets.token_urlsafe(32)
        caller = who.model_dump(mode="json", include={"user_id", "roles", "session_id", "name"})
        await self._redis.set(_key(ticket), orjson.dumps(caller), ex=self.seconds)
        return ticket

    async def redeem(self, ticket: str) -> Principal | None:
        """Whose it was; None for a ticket that is unknown, expired or used."""
        raw = await self._redis.getdel(_key(ticket[:100]))
        return None if raw is None else Principal.model_validate(orjson.loads(raw))


def _key(ticket: str) -> str:
    return f"chat:ticket:{ticket}"
