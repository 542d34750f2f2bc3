"""Wrong passwords per account, counted in Redis for all processes."""

from datetime import datetime
from typing import Any

from services.contracts.auth import LoginLocked
from services.kit.cache import RedisAway
from services.kit.errors import Unavailable
from services.kit.log import get_logger

log = get_logger("auth")

_FAILED = """
local now, window, locked, limit = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local state = redis.call('HMGET', KEYS[1], 'count', 'since')
local count, since = tonumber(state[1]) or 0, tonumber(state[2]) or now
if now - since >= window then count, since = 0, now end
count = count + 1
redis.call('HSET', KEYS[1], 'count', count, 'since', since)
if count >= limit then redis.call('HSET', KEYS[1], 'count', 0, 'since', now, 'until', now + locked) end
redis.call('PEXPIRE', KEYS[1], math.ceil((window + locked) * 1000))
return count
"""


class LoginLockout:
    """After `failures` wrong passwords within `window_seconds` an account takes no login for `locked_seconds`.

    `account` is any text that names the account, whether it exists or not. Without Redis nobody may guess uncounted:
    `check` and `failed` raise Unavailable.
    """

    def __init__(
        self,
        client: Any,
        *,
        failures: int = 10,
        window_seconds: int = 15 * 60,
        locked_seconds: int = 15 * 60,
        name: str = "lockout",
    ) -> None:
        self._client = client
        self._script = client.register_script(_FAILED)
        self._name = name
        self._failures = failures
        self._window_seconds = window_seconds
        self._locked_seconds = locked_seconds

    async def check(self, account: str, now: datetime) -> None:
        """Raises LoginLocked with the seconds to wait."""
        try:
            until = await self._client.hget(self._key(account), "until")
        except RedisAway as error:
            raise _away(error) from error
        wait = float(until) - now.timestamp() if until else 0.0
        if wait > 0:
            message = "too many wrong passwords; log in later, or set a new password by mail"
            raise LoginLocked(message, retry_after=max(1, round(wait + 0.5)))

    async def failed(self, account: str, now: datetime) -> None:
        """One more wrong password."""
        numbers = [now.timestamp(), self._window_seconds, self._locked_seconds, self._failures]
        try:
            await self._script(keys=[self._key(account)], args=numbers)
        except RedisAway as error:
            raise _away(error) from error

    async def forget(self, account: str) -> None:
        """The right password came, or a new one was set. An outage leaves the count, which ends by itself."""
        try:
            await self._client.delete(self._key(account))
        except RedisAway as error:
            log.warning("lockout_away", error=repr(error))

    def _key(self, account: str) -> str:
        return f"{self._name}:{account}"


def _away(error: Exception) -> Unavailable:
    log.warning("lockout_away", error=repr(error))
    return Unavailable("logins cannot be counted right now; try again shortly", retry_after=5)
