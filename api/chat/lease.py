"""One turn at a time per conversation, over all processes: a lease in Redis with a fencing token."""

import asyncio
from dataclasses import dataclass
from typing import Any

from api.chat.log import lease_key

_TAKE = """
if redis.call('EXISTS', KEYS[1]) == 1 then return false end
local fence = redis.call('INCR', KEYS[2])
redis.call('EXPIRE', KEYS[2], 2592000)
redis.call('SET', KEYS[1], fence, 'PX', ARGV[1])
return fence
"""
_RENEW = """
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return 1
"""
_RELEASE = """
if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end
return 1
"""


@dataclass(frozen=True)
class Lease:
    """The right to run a turn; `fence` grows with every lease and is checked at each frame that is written."""

    conversation_id: str
    fence: str


class Leases:
    """A holder that dies lets go after `seconds`."""

    def __init__(self, redis: Any, *, seconds: float = 10.0) -> None:
        self._take = redis.register_script(_TAKE)
        self._renew = redis.register_script(_RENEW)
        self._release = redis.register_script(_RELEASE)
        self.seconds = seconds

    async def take(self, conversation_id: str) -> Lease | None:
        keys = [lease_key(conversation_id), f"chat:{{{conversation_id}}}:fence"]
        fence = await self._take(keys=keys, args=[self._milliseconds])
        return None if fence is None else Lease(conversation_id, str(fence))

    async def wait(self, conversation_id: str) -> Lease | None:
        """Take it, waiting out a holder that is gone; None when a live one keeps it."""
        deadline = asyncio.get_running_loop().time() + self.seconds * 1.5
        while True:
            lease = await self.take(conversation_id)
            if lease is not None or asyncio.get_running_loop().time() >= deadline:
                return lease
            await asyncio.sleep(min(0.5, self.seconds / 10))

    async def keep(self, lease: Lease) -> None:
        """Renew until cancelled; returns when the lease is lost."""
        key = [lease_key(lease.conversation_id)]
        while await self._renew(keys=key, args=[lease.fence, self._milliseconds]):  # noqa: ASYNC110 - time is waited for
            await asyncio.sleep(self.seconds / 4)

    async def release(self, lease: Lease) -> None:
        await self._release(keys=[lease_key(lease.conversation_id)], args=[lease.fence])

    @property
    def _milliseconds(self) -> int:
        return round(self.seconds * 1000)
