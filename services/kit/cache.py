"""Redis: opened here, and a small cache that is allowed to be away."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
import redis.asyncio
from redis.exceptions import RedisError

from services.kit.errors import RateLimited, Unavailable
from services.kit.log import get_logger

log = get_logger("cache")

Redis = redis.asyncio.Redis
RedisAway = RedisError

_TAKE = """
local rate, burst, now = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local state = redis.call('HMGET', KEYS[1], 'tokens', 'at')
local at = tonumber(state[2]) or now
local tokens = math.min(burst, (tonumber(state[1]) or burst) + math.max(0, now - at) * rate)
local allowed = tokens >= 1
if allowed then tokens = tokens - 1 end
redis.call('HSET', KEYS[1], 'tokens', tokens, 'at', math.max(now, at))
redis.call('PEXPIRE', KEYS[1], math.ceil(burst / rate * 1000) + 1000)
return {allowed and 1 or 0, tostring(allowed and 0 or (1 - tokens) / rate), tostring(tokens)}
"""


def open_redis(url: str) -> Any:
    return redis.asyncio.from_url(url, socket_timeout=2.0, socket_connect_timeout=2.0)


class Cache:
    """JSON values with an expiry under a prefix. An outage reads as a miss and is logged."""

    def __init__(self, client: Any, prefix: str) -> None:
        self._client = client
        self._prefix = prefix

    async def get(self, key: str) -> bytes | None:
        try:
            value: bytes | None = await self._client.get(self._prefix + key)
        except RedisError as error:
            log.warning("cache_away", error=repr(error))
            return None
        return value

    async def put(self, key: str, value: bytes, seconds: int) -> None:
        try:
            await self._client.set(self._prefix + key, value, ex=seconds)
        except RedisError as error:
            log.warning("cache_away", error=repr(error))

    async def drop(self, *keys: str) -> None:
        """Forget; raises when the server is away, since a stale entry would be a lie."""
        if keys:
            await self._client.delete(*(self._prefix + key for key in keys))

    async def get_many(self, keys: Sequence[str]) -> list[bytes | None]:
        """One answer a key, in order."""
        if not keys:
            return []
        try:
            values: list[bytes | None] = await self._client.mget([self._prefix + key for key in keys])
        except RedisError as error:
            log.warning("cache_away", error=repr(error))
            return [None] * len(keys)
        return values

    async def put_new(self, values: Mapping[str, bytes], seconds: int) -> None:
        """Keep each value unless there is one, or its key was retired a moment ago."""
        try:
            async with self._client.pipeline(transaction=False) as pipe:
                for key, value in values.items():
                    pipe.set(self._prefix + key, value, ex=seconds, nx=True)
                await pipe.execute()
        except RedisError as error:
            log.warning("cache_away", error=repr(error))

    async def retire(self, *keys: str, seconds: int = 5) -> None:
        """Forget, and for some seconds refuse `put_new`: a reader that is slower than the change must not bring
        the old value back. A retired key reads as b"". Raises RedisAway.
        """
        async with self._client.pipeline(transaction=False) as pipe:
            for key in keys:
                pipe.set(self._prefix + key, b"", ex=seconds)
            await pipe.execute()

    async def get_json(self, key: str) -> Any:
        raw = await self.get(key)
        return None if raw is None else orjson.loads(raw)

    async def put_json(self, key: str, value: object, seconds: int) -> None:
        await self.put(key, orjson.dumps(value), seconds)


@dataclass(frozen=True)
class Allowance:
    """What a bucket said: how many requests are left at once, and the seconds until it is full again, or until the
    next request when this one was refused.
    """

    allowed: bool
    limit: int
    remaining: int
    full_seconds: int
    wait_seconds: int


class TokenBucket:
    """Rate limits shared by all processes: `burst` at once, `per_second` in the long run."""

    def __init__(self, client: Any, *, per_second: float, burst: int, name: str, fail_open: bool = True) -> None:
        self._client = client
        self._script = client.register_script(_TAKE)
        self._per_second = per_second
        self._burst = burst
        self._name = name
        self._fail_open = fail_open

    async def take(self, who: str, now: float) -> None:
        """Raise RateLimited with the seconds to wait, or Unavailable when nobody can tell."""
        try:
            allowance = await self.draw(who, now)
        except RedisError as error:
            log.warning("limits_away", error=repr(error))
            if self._fail_open:
                return
            raise Unavailable("limits cannot be checked right now; try again shortly", retry_after=5) from error
        if not allowance.allowed:
            raise RateLimited("too many requests; slow down", retry_after=allowance.wait_seconds)

    async def draw(self, who: str, now: float) -> Allowance:
        """Take one if there is one, and say how things stand. Raises RedisAway."""
        keys = [f"limit:{self._name}:{who}"]
        allowed, wait, left = await self._script(keys=keys, args=[self._per_second, self._burst, now])
        return Allowance(
            allowed=bool(allowed),
            limit=self._burst,
            remaining=int(float(left)),
            full_seconds=math.ceil((self._burst - float(left)) / self._per_second),
            wait_seconds=max(1, math.ceil(float(wait))),
        )
