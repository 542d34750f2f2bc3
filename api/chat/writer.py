"""The one task that writes to a socket: in order, without gaps, and bounded."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import orjson

from api.chat.log import FrameLog, Kept
from services.kit.cache import RedisAway
from services.kit.log import get_logger

log = get_logger("chat.writer")
Send = Callable[[str], Awaitable[None]]
Snapshot = Callable[[str], Awaitable[dict[str, Any]]]
"""The frame that answers a resume whose frames are gone."""


@dataclass(frozen=True)
class _Live:
    conversation_id: str
    kept: Kept


@dataclass(frozen=True)
class _Resume:
    conversation_id: str
    after: int


@dataclass(frozen=True)
class _Replay:
    conversation_id: str
    turn_id: str


class Writer:
    """Everything a socket gets passes this queue; a reader too slow for it is reported through `on_full`."""

    def __init__(
        self, send: Send, frames: FrameLog, snapshot: Snapshot, on_full: Callable[[], None], *, size: int
    ) -> None:
        self._send = send
        self._frames = frames
        self._snapshot = snapshot
        self._on_full = on_full
        self._queue: asyncio.Queue[dict[str, Any] | _Live | _Resume | _Replay] = asyncio.Queue(size)
        self._sent: dict[str, int] = {}

    def tell(self, frame: dict[str, Any]) -> None:
        """A frame of the connection itself, without a number."""
        self._put(frame)

    def offer(self, conversation_id: str, kept: Kept) -> None:
        self._put(_Live(conversation_id, kept))

    def resume(self, conversation_id: str, after: int) -> None:
        self._put(_Resume(conversation_id, after))

    def replay(self, conversation_id: str, turn_id: str) -> None:
        self._put(_Replay(conversation_id, turn_id))

    def start_at(self, conversation_id: str, seq: int) -> None:
        """What came up to `seq` is not sent live."""
        self._sent.setdefault(conversation_id, seq)

    def _put(self, item: "dict[str, Any] | _Live | _Resume | _Replay") -> None:
        try:
            self._queue.put_nowait(item)
        except asyncio.QueueFull:
            self._on_full()

    async def run(self) -> None:
        """Until cancelled, or until the socket is gone."""
        while True:
            item = await self._queue.get()
            try:
                await self._write(item)
            except RedisAway as error:
                log.warning("log_away", error=repr(error))

    async def _write(self, item: "dict[str, Any] | _Live | _Resume | _Replay") -> None:
        match item:
            case _Live(conversation_id, kept):
                await self._live(conversation_id, kept)
            case _Resume(conversation_id, after):
                await self._from(conversation_id, after)
            case _Replay(conversation_id, turn_id):
                for kept in await self._frames.of_turn(conversation_id, turn_id):
                    await self._out(conversation_id, kept)
            case _:
                await self._send(orjson.dumps(item).decode())

    async def _live(self, conversation_id: str, kept: Kept) -> None:
        sent = self._sent.get(conversation_id)
        if sent is not None and kept.seq <= sent:
            return
        if sent is not None and kept.seq > sent + 1:
            await self._from(conversation_id, sent)
            return
        await self._out(conversation_id, kept)

    async def _from(self, conversation_id: str, after: int) -> None:
        missing = await self._frames.since(conversation_id, after)
        if missing is None:
            frame = await self._snapshot(conversation_id)
            self._sent[conversation_id] = frame["snapshot"]["seq"]
            await self._send(orjson.dumps(frame).decode())
            return
        self._sent[conversation_id] = max(after, self._sent.get(conversation_id, 0)) if not missing else after
        for kept in missing:
            await self._out(conversation_id, kept)

    async def _out(self, conversation_id: str, kept: Kept) -> None:
        self._sent[conversation_id] = max(kept.seq, self._sent.get(conversation_id, 0))
        await self._send(kept.text)
