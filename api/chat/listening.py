"""Following one turn as a stream of frames, for callers over HTTP."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from api.chat.fanout import Hub
from api.chat.frames import error_frame
from api.chat.lanes import Job
from api.chat.log import FrameLog, Kept
from services.kit.errors import CohortError

_LAST = {"done", "approval_request"}


class TurnListener:
    """Listens from its creation on, so that nothing between the log and the live frames is missed."""

    def __init__(self, hub: Hub, frames: FrameLog, conversation_id: str) -> None:
        self._hub = hub
        self._frames = frames
        self._conversation_id = conversation_id
        self._live: asyncio.Queue[Kept | None] = asyncio.Queue()
        hub.attach(conversation_id, self)

    def offer(self, conversation_id: str, kept: Kept) -> None:
        del conversation_id
        self._live.put_nowait(kept)

    def close(self) -> None:
        self._hub.detach(self._conversation_id, self)

    async def follow(self, turn_id: str, job: Job | None) -> AsyncIterator[dict[str, Any]]:
        """What is kept of the turn, then what comes, until it ends or waits for an approval."""
        try:
            if job is not None:
                job.finished.add_done_callback(lambda _: self._live.put_nowait(None))
            sent = 0
            for kept in await self._frames.of_turn(self._conversation_id, turn_id):
                sent = kept.seq
                yield kept.frame()
            if job is None:
                return
            async for frame in self._coming(turn_id, sent):
                yield frame
            error = job.finished.exception() if job.finished.done() else None
            if isinstance(error, CohortError):
                yield error_frame(error)
        finally:
            self.close()

    async def _coming(self, turn_id: str, sent: int) -> AsyncIterator[dict[str, Any]]:
        while (kept := await self._live.get()) is not None:
            frame = kept.frame()
            if kept.seq > sent and frame["turnId"] == turn_id:
                yield frame
                if frame["type"] in _LAST:
                    return
