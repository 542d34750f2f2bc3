"""The frames of a conversation in a Redis stream: numbered by one, kept for a day, replayed as they were sent.

Neighbouring tokens of a turn share one entry, so a long answer does not push older frames out; on replay they come
out again one by one, each with its number.
"""

from dataclasses import dataclass
from typing import Any

import orjson

KEEP_SECONDS = 24 * 3600
KEEP_ENTRIES = 2_000
_NUMBER_SECONDS = 30 * KEEP_SECONDS
_TOKENS_TOGETHER = 8_192

_APPEND = """
if ARGV[1] ~= '' and redis.call('GET', KEYS[3]) ~= ARGV[1] then return -1 end
local seq = redis.call('INCR', KEYS[2])
local frames = '{"seq":' .. seq .. ',' .. string.sub(ARGV[2], 2)
local from = seq
if ARGV[3] ~= '' then
  local last = redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1)[1]
  if last and last[2][4] == ARGV[3] and #last[2][6] < tonumber(ARGV[7]) then
    from = last[2][2]
    frames = last[2][6] .. '\\n' .. frames
    redis.call('XDEL', KEYS[1], last[1])
  end
end
redis.call('XADD', KEYS[1], 'MAXLEN', '=', ARGV[5], seq .. '-0', 'from', from, 'tokens_of', ARGV[3], 'frames', frames)
redis.call('EXPIRE', KEYS[1], ARGV[4])
redis.call('EXPIRE', KEYS[2], ARGV[6])
return seq
"""


class LeaseLost(Exception):
    """The turn that wants to write no longer holds its conversation."""


@dataclass(frozen=True)
class Kept:
    """A frame as it went out; `text` is its JSON."""

    seq: int
    text: str

    def frame(self) -> dict[str, Any]:
        parsed: dict[str, Any] = orjson.loads(self.text)
        return parsed


class FrameLog:
    """The stream, its counter, and the lease that may write to it, all under one hash slot."""

    def __init__(self, redis: Any, *, keep_entries: int = KEEP_ENTRIES, keep_seconds: int = KEEP_SECONDS) -> None:
        self._redis = redis
        self._append = redis.register_script(_APPEND)
        self._keep_entries = keep_entries
        self._keep_seconds = keep_seconds

    async def append(self, conversation_id: str, turn_id: str, frame: dict[str, Any], fence: str) -> Kept:
        """Number and keep a frame. Raises LeaseLost when another turn holds the conversation by now."""
        body = orjson.dumps({"conversationId": conversation_id, "turnId": turn_id, **frame})
        tokens_of = turn_id if frame["type"] == "token" else ""
        keep: list[Any] = [self._keep_seconds, self._keep_entries, _NUMBER_SECONDS, _TOKENS_TOGETHER]
        keys = [log_key(conversation_id), _number_key(conversation_id), lease_key(conversation_id)]
        seq = int(await self._append(keys=keys, args=[fence, body, tokens_of, *keep]))
        if seq < 0:
            raise LeaseLost(conversation_id)
        return Kept(seq, f'{{"seq":{seq},{body.decode()[1:]}')

    async def last_seq(self, conversation_id: str) -> int:
        """0 where nothing was ever sent."""
        return int(await self._redis.get(_number_key(conversation_id)) or 0)

    async def since(self, conversation_id: str, after: int) -> list[Kept] | None:
        """What came after `after`, complete; None when part of it is gone."""
        last = await self.last_seq(conversation_id)
        if after == last:
            return []
        entries = await self._redis.xrange(log_key(conversation_id), min=f"({max(after, 0)}-0", max="+")
        if after > last or not entries or int(entries[0][1][b"from"]) > after + 1:
            return None
        return [kept for entry in entries for kept in _frames(entry) if kept.seq > after]

    async def of_turn(self, conversation_id: str, turn_id: str) -> list[Kept]:
        """All that is kept of one turn."""
        entries = await self._redis.xrange(log_key(conversation_id))
        frames = [kept for entry in entries for kept in _frames(entry)]
        return [kept for kept in frames if kept.frame()["turnId"] == turn_id]

    async def erase(self, conversation_id: str) -> None:
        await self._redis.delete(log_key(conversation_id), _number_key(conversation_id))


def _frames(entry: Any) -> list[Kept]:
    lines = entry[1][b"frames"].decode().split("\n")
    first = int(entry[1][b"from"])
    return [Kept(first + n, line) for n, line in enumerate(lines)]


def log_key(conversation_id: str) -> str:
    return f"chat:{{{conversation_id}}}:log"


def _number_key(conversation_id: str) -> str:
    return f"chat:{{{conversation_id}}}:seq"


def lease_key(conversation_id: str) -> str:
    return f"chat:{{{conversation_id}}}:lease"
