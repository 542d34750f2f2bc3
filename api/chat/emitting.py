"""Where the frames of one turn go: into the log, and from there to whoever listens."""

import asyncio
from typing import Any

from api.chat.fanout import Hub
from api.chat.lease import Lease
from api.chat.log import FrameLog
from services.kit.cache import RedisAway
from services.kit.log import get_logger

log = get_logger("chat.frames")


class TurnFrames:
    """Numbers frames in the order they were emitted, also when several tools run side by side.

    While Redis is away frames wait here, so that an outage does not stop a turn that is acting.
    """

    def __init__(self, frames: FrameLog, hub: Hub, lease: Lease, turn_id: str) -> None:
        self._frames = frames
        self._hub = hub
        self._lease = lease
        self._turn_id = turn_id
        self._waiting: list[dict[str, Any]] = []
        self._one_at_a_time = asyncio.Lock()

    async def emit(self, frame: dict[str, Any]) -> None:
        """Raises LeaseLost when another process has taken the conversation over."""
        async with self._one_at_a_time:
            self._waiting.append(frame)
            try:
                await self._write()
            except RedisAway as error:
                log.warning("frames_wait", waiting=len(self._waiting), error=repr(error))

    async def _write(self) -> None:
        conversation_id = self._lease.conversation_id
        while self._waiting:
            kept = await self._frames.append(conversation_id, self._turn_id, self._waiting[0], self._lease.fence)
            del self._waiting[0]
            self._hub.tell(conversation_id, kept)
