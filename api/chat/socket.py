"""One open socket: what it may say, what it hears, and when it must close."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from fastapi import WebSocket, WebSocketDisconnect

from agents.consent import ApprovalClosed
from api.chat.fanout import Hub
from api.chat.frames import (
    MAX_FRAME,
    ApproveFrame,
    CancelFrame,
    ClientFrame,
    MessageFrame,
    ResumeFrame,
    error_frame,
    parse,
)
from api.chat.lanes import Job
from api.chat.log import FrameLog, Kept
from api.chat.turns import Turns
from api.chat.writer import Writer
from services.kit.cache import RedisAway
from services.kit.errors import CohortError, Invalid, NotFound, RateLimited, Unavailable
from services.kit.log import get_logger
from services.kit.mongo import AWAY, database_away
from services.kit.principal import Principal

log = get_logger("chat.socket")
TOO_LARGE, POLICY, SLOW, RESTART, BROKEN = 1009, 1008, 1013, 1012, 1011
_CLOSE_SECONDS = 5.0


@dataclass(frozen=True)
class Manners:
    """What a socket allows. Seconds and counts."""

    queue_size: int = 512
    bad_frames: int = 10
    refused_frames: int = 100
    liveness_seconds: float = 3.0


@dataclass(frozen=True)
class Surroundings:
    """What every socket of a door shares."""

    turns: Turns
    frames: FrameLog
    hub: Hub
    snapshot: Callable[[Principal, str], Awaitable[dict[str, Any]]]
    own: Callable[[Principal, str, str], Awaitable[str]]
    """(caller, conversation id, the id announced to this socket) → the caller's own conversation, or NotFound."""
    take: Callable[[Principal], Awaitable[None]]
    """Raises RateLimited."""
    is_live: Callable[[str], Awaitable[bool]]
    manners: Manners


class ChatSocket:
    """Reads and writes side by side; the first reason to close wins."""

    def __init__(self, websocket: WebSocket, who: Principal, around: Surroundings, conversation_id: str) -> None:
        self.who = who
        self._websocket = websocket
        self._around = around
        self._conversation_id = conversation_id
        self._attached: set[str] = set()
        self._bad = 0
        self._refused = 0
        self._closing: asyncio.Future[tuple[int, str] | None] = asyncio.get_running_loop().create_future()
        self._writer = Writer(
            websocket.send_text, around.frames, self._snapshot, self._too_slow, size=around.manners.queue_size
        )

    async def run(self, greeting: dict[str, Any]) -> None:
        """Serve until the client leaves or there is a reason to close.

        A conversation is heard from the client's first resume, message or decision in it: frames that came live
        before a resume was read would be out of order.
        """
        self._writer.tell(greeting)
        tasks = [asyncio.create_task(self._guarded(part())) for part in (self._read, self._writer.run, self._watch)]
        try:
            reason = await self._closing
        finally:
            for conversation_id in self._attached:
                self._around.hub.detach(conversation_id, self)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        if reason is not None:
            with contextlib.suppress(Exception):
                await asyncio.wait_for(self._websocket.close(*reason), _CLOSE_SECONDS)

    @property
    def closing(self) -> bool:
        return self._closing.done()

    def close(self, code: int, reason: str) -> None:
        """Ask for the end; repeatable."""
        if not self._closing.done():
            self._closing.set_result((code, reason))

    def tell(self, frame: dict[str, Any]) -> None:
        """A frame without a number: notifications, pushed orders, errors of the connection."""
        self._writer.tell(frame)

    def offer(self, conversation_id: str, kept: Kept) -> None:
        self._writer.offer(conversation_id, kept)

    def _too_slow(self) -> None:
        self.close(SLOW, "too slow: frames were piling up; connect again and resume")

    async def _guarded(self, part: Any) -> None:
        try:
            await part
        except (WebSocketDisconnect, RuntimeError, ConnectionError):
            if not self._closing.done():
                self._closing.set_result(None)
        except Exception:
            log.exception("socket_crashed", user=self.who.user_id)
            self.close(BROKEN, "something broke on our side; connect again")

    async def _watch(self) -> None:
        """A session that was revoked ends its sockets."""
        session_id = self.who.session_id
        while session_id is not None:
            await asyncio.sleep(self._around.manners.liveness_seconds)
            try:
                live = await self._around.is_live(session_id)
            except (CohortError, RedisAway, *AWAY) as error:
                log.warning("liveness_unknown", error=repr(error))
                continue
            if not live:
                self.close(POLICY, "this session has ended; log in again")
                return

    async def _read(self) -> None:
        while not self._closing.done():
            message = await self._websocket.receive()
            if message["type"] == "websocket.disconnect":
                raise WebSocketDisconnect(message.get("code", 1000))
            raw = message.get("text")
            raw = raw if raw is not None else message["bytes"].decode("utf-8", "replace")
            if len(raw.encode()) > MAX_FRAME:
                self.close(TOO_LARGE, f"a frame is at most {MAX_FRAME} bytes")
                return
            await self._take(raw)

    async def _take(self, raw: str) -> None:
        frame: ClientFrame | None = None
        try:
            await self._around.take(self.who)
            frame = parse(raw)
            await self._answer(frame)
        except CohortError as error:
            self._tell_error(error, frame)
        except RedisAway:
            self._tell_error(Unavailable("chat is not available right now; try again", retry_after=2), frame)
        except AWAY:
            self._tell_error(database_away(), frame)

    def _tell_error(self, error: CohortError, frame: ClientFrame | None) -> None:
        more: dict[str, Any] = {}
        if isinstance(frame, MessageFrame):
            more["messageId"] = frame.id
        if isinstance(frame, ApproveFrame):
            more["approvalId"] = frame.approval_id
        self.tell(error_frame(error, **more))
        self._count(error)

    def _count(self, error: CohortError) -> None:
        manners = self._around.manners
        self._bad += isinstance(error, Invalid)
        self._refused += isinstance(error, RateLimited)
        if self._bad >= manners.bad_frames:
            self.close(POLICY, "too many frames that could not be read")
        if self._refused >= manners.refused_frames:
            self.close(POLICY, "too many frames; slow down")

    async def _answer(self, frame: ClientFrame) -> None:
        match frame:
            case MessageFrame():
                await self._message(frame)
            case ApproveFrame():
                job = await self._around.turns.decide(self.who, frame.approval_id, approve=frame.decision == "approve")
                await self._attach(job.conversation_id)
                self._hear_errors(job, frame)
            case CancelFrame():
                await self._cancel(frame)
            case ResumeFrame():
                await self._resume(frame)
            case _:
                self.tell({"type": "pong"})

    async def _message(self, frame: MessageFrame) -> None:
        wanted = frame.conversation_id or self._conversation_id
        conversation_id = await self._around.own(self.who, wanted, self._conversation_id)
        await self._attach(conversation_id)
        submitted = await self._around.turns.submit(self.who, conversation_id, frame.id, frame.text)
        if not submitted.fresh:
            self._writer.replay(conversation_id, submitted.turn_id)
        if submitted.job is not None:
            self._hear_errors(submitted.job, frame)

    async def _cancel(self, frame: CancelFrame) -> None:
        """Stop a turn between its steps; one that waits for an approval goes on as if it had been rejected."""
        for conversation_id in tuple(self._attached):
            consent = await self._around.turns.open_approval(conversation_id)
            if consent is not None and consent.turn_id == frame.turn_id:
                self._hear_errors(await self._around.turns.decide(self.who, consent.approval_id, approve=False), frame)
                return
        if not await self._around.turns.cancel(self.who, frame.turn_id):
            raise NotFound.of("turn in progress")

    async def _resume(self, frame: ResumeFrame) -> None:
        conversation_id = await self._around.own(self.who, frame.conversation_id, self._conversation_id)
        self._listen(conversation_id)
        self._writer.resume(conversation_id, frame.after)

    def _hear_errors(self, job: Job, frame: ClientFrame) -> None:
        """Errors that belong to this client's request, not to the conversation."""

        def ended(finished: "asyncio.Future[Any]") -> None:
            error = None if finished.cancelled() else finished.exception()
            if isinstance(error, ApprovalClosed | CohortError):
                self._tell_error(error, frame)

        job.finished.add_done_callback(ended)

    async def _attach(self, conversation_id: str) -> None:
        """Hear the conversation from now on."""
        if conversation_id not in self._attached:
            self._listen(conversation_id)
            self._writer.start_at(conversation_id, await self._around.frames.last_seq(conversation_id))

    def _listen(self, conversation_id: str) -> None:
        self._attached.add(conversation_id)
        self._around.hub.attach(conversation_id, self)

    async def _snapshot(self, conversation_id: str) -> dict[str, Any]:
        return await self._around.snapshot(self.who, conversation_id)
