"""Running turns: each message once, one turn at a time per conversation, whoever is connected."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

from agents.consent import ApprovalClosed, Consent
from agents.memory import TurnStatus
from agents.session import Outcome, ShopperSession
from agents.turn import Turn
from api.chat.emitting import TurnFrames
from api.chat.fanout import Hub
from api.chat.frames import Busy, Draining, error_frame
from api.chat.lanes import Job, Lane
from api.chat.lease import Lease, Leases
from api.chat.log import FrameLog, LeaseLost
from services.kit.cache import RedisAway
from services.kit.errors import CohortError, NotFound, Unavailable
from services.kit.ids import Ids
from services.kit.log import get_logger
from services.kit.principal import Principal

log = get_logger("chat.turns")
MAX_WAITING = 3
_INTERNAL = {
    "type": "error",
    "code": "internal",
    "message": "Something broke on our side while answering. Please try again.",
    "retryable": True,
}


@dataclass(frozen=True)
class Submitted:
    """The turn of a message. `job` is None when it ran before: then its frames are in the log."""

    turn_id: str
    job: Job | None
    fresh: bool


class Turns:
    """Takes messages and decisions, and drives the session with them in tasks of its own."""

    def __init__(
        self,
        session: ShopperSession,
        frames: FrameLog,
        leases: Leases,
        hub: Hub,
        ids: Ids,
        *,
        max_waiting: int = MAX_WAITING,
    ) -> None:
        self._session = session
        self._frames = frames
        self._leases = leases
        self._hub = hub
        self._ids = ids
        self._max_waiting = max_waiting
        self._lanes: dict[str, Lane] = {}
        self._draining = False

    async def submit(self, who: Principal, conversation_id: str, message_id: str, text: str) -> Submitted:
        """Run a message once, however often it comes. Raises Busy, Draining.

        A message whose turn a dead process left unfinished is run again.
        """
        known = self._find(conversation_id, message_id)
        if known is not None:
            return Submitted(known.turn_id, known, fresh=False)
        with self._place(conversation_id) as lane:
            seen, fresh = await self._session.conversations.see(conversation_id, message_id, self._ids.new("trn"))
            if seen.status != "running":
                return Submitted(seen.turn_id, None, fresh=False)
            again = self._find(conversation_id, message_id)
            if again is not None:
                return Submitted(again.turn_id, again, fresh=False)

            async def work(turn: Turn) -> Outcome | None:
                return await (self._session.send(turn, text) if fresh else self._again(turn, text))

            job = Job(who, conversation_id, seen.turn_id, message_id, work)
            self._enqueue(lane, job)
        return Submitted(seen.turn_id, job, fresh=fresh)

    async def decide(self, who: Principal, approval_id: str, *, approve: bool) -> Job:
        """Answer an approval in its conversation's lane. Raises NotFound, Busy, Draining.

        `finished` of the job raises ApprovalClosed for a second answer.
        """
        consent = await self._session.consents.get(who, approval_id)
        message_id = await self._session.conversations.message_of_turn(consent.conversation_id, consent.turn_id)

        async def work(turn: Turn) -> Outcome | None:
            return await self._decided(turn, approval_id, approve=approve)

        with self._place(consent.conversation_id) as lane:
            job = Job(who, consent.conversation_id, consent.turn_id, message_id, work)
            self._enqueue(lane, job)
        return job

    async def _decided(self, turn: Turn, approval_id: str, *, approve: bool) -> Outcome:
        consent = await self._session.consents.get(turn.who, approval_id)
        if consent.interrupt_id is None:
            raise NotFound.of("approval")
        answered_alike = consent.status == ("approved" if approve else "rejected")
        if answered_alike and await self._session.awaits(consent):
            return await self._session.finish(turn, consent)
        return await self._session.decide(turn, consent, "approved" if approve else "rejected")

    async def _again(self, turn: Turn, text: str) -> Outcome | None:
        """Take up a turn that broke off, where it broke off."""
        if await self._session.conversations.status_of(turn.conversation_id, turn.message_id) != "running":
            return None
        consent = await self._session.consents.of_turn(turn.conversation_id, turn.turn_id)
        if consent is not None and await self._session.awaits(consent):
            is_open = consent.status == "open"
            return await (self._session.ask_again if is_open else self._session.finish)(turn, consent)
        return await self._session.send(turn, text)

    async def cancel(self, who: Principal, turn_or_message_id: str) -> bool:
        """Stop a turn between its steps; False when the caller has no such turn running or waiting here."""
        for lane in self._lanes.values():
            for job in lane.jobs():
                if job.named(turn_or_message_id) and job.who.user_id == who.user_id:
                    job.cancelled.set()
                    return True
        return False

    async def quiet(self, conversation_id: str) -> None:
        """Stop what runs and waits in a conversation, and wait until it has ended."""
        lane = self._lanes.get(conversation_id)
        jobs = lane.jobs() if lane else []
        for job in jobs:
            job.cancelled.set()
        await asyncio.gather(*(job.finished for job in jobs), return_exceptions=True)

    async def drain(self, seconds: float) -> None:
        """Take nothing new; let running turns end within the time, then give them up (they run again on request)."""
        self._draining = True
        tasks = [lane.task for lane in self._lanes.values() if lane.task]
        if not tasks:
            return
        _, slow = await asyncio.wait(tasks, timeout=seconds)
        for task in slow:
            task.cancel()
        await asyncio.gather(*slow, return_exceptions=True)

    def _find(self, conversation_id: str, message_id: str) -> Job | None:
        lane = self._lanes.get(conversation_id)
        return next((job for job in lane.jobs() if job.message_id == message_id), None) if lane else None

    def _place(self, conversation_id: str) -> "_Place":
        if self._draining:
            raise Draining("the server is going away; connect again in a moment", retry_after=2)
        lane = self._lanes.setdefault(conversation_id, Lane())
        if lane.ahead > self._max_waiting:
            raise Busy("still busy with your earlier messages; send this again in a moment", retry_after=2)
        return _Place(self._lanes, conversation_id)

    def _enqueue(self, lane: Lane, job: Job) -> None:
        lane.waiting.append(job)
        if lane.task is None:
            lane.task = asyncio.create_task(self._work(job.conversation_id, lane))

    async def _work(self, conversation_id: str, lane: Lane) -> None:
        try:
            while lane.waiting:
                lane.running = lane.waiting.popleft()
                await self._run(lane.running)
                lane.running = None
        finally:
            for job in lane.jobs():
                job.fail(Draining("the server is going away; connect again in a moment", retry_after=2))
            lane.running, lane.task = None, None
            lane.waiting.clear()
            if not lane.held and self._lanes.get(conversation_id) is lane:
                del self._lanes[conversation_id]

    async def _run(self, job: Job) -> None:
        try:
            async with self._leased(job) as lease:
                job.frames = TurnFrames(self._frames, self._hub, lease, job.turn_id)
                job.finish(await self._drive(job, job.frames))
        except LeaseLost:
            log.warning("lease_lost", conversation=job.conversation_id, turn=job.turn_id)
            job.fail(Unavailable("this conversation went on in another process", retry_after=2))
        except CohortError as error:
            job.fail(error)
        except RedisAway as error:
            log.warning("redis_away", error=repr(error))
            job.fail(Unavailable("chat is not available right now; try again in a moment", retry_after=2))
        except Exception as error:
            log.exception("job_crashed", conversation=job.conversation_id, turn=job.turn_id)
            job.fail(error)

    @asynccontextmanager
    async def _leased(self, job: Job) -> AsyncIterator[Lease]:
        lease = await self._leases.wait(job.conversation_id)
        if lease is None:
            raise Busy("this conversation is being answered elsewhere; try again in a moment", retry_after=2)
        keeper = asyncio.create_task(self._keep(lease, job))
        try:
            yield lease
        finally:
            keeper.cancel()
            with suppress(RedisAway):
                await self._leases.release(lease)

    async def _keep(self, lease: Lease, job: Job) -> None:
        """A lost lease stops the turn before its next step."""
        while True:
            try:
                await self._leases.keep(lease)
            except RedisAway:
                await asyncio.sleep(self._leases.seconds / 10)
                continue
            job.cancelled.set()
            return

    async def _drive(self, job: Job, frames: TurnFrames) -> Outcome | None:
        turn = self._session.turn(job.who, job.conversation_id, job.turn_id, job.message_id, frames.emit)
        turn.cancelled = job.cancelled
        try:
            outcome = await job.work(turn)
        except (ApprovalClosed, LeaseLost, NotFound):
            raise
        except Exception as error:  # noqa: BLE001 - the client must hear of whatever broke, and the turn must end
            outcome = await self._broken(turn, error)
        if outcome is not None:
            status: TurnStatus = "waiting" if outcome == "waiting" else "done"
            await self._session.conversations.settle(job.conversation_id, job.message_id, status)
        return outcome

    async def _broken(self, turn: Turn, error: Exception) -> Outcome:
        if isinstance(error, CohortError):
            await turn.emit(error_frame(error))
        else:
            log.error("turn_crashed", conversation=turn.conversation_id, turn=turn.turn_id, exc_info=error)
            await turn.emit(_INTERNAL)
        await turn.emit({"type": "done", "usage": turn.usage.to_wire()})
        return "done"

    async def open_approval(self, conversation_id: str) -> Consent | None:
        """The question a conversation waits on, if it was shown."""
        consent = await self._session.consents.open_in(conversation_id)
        return consent if consent and consent.interrupt_id else None


class _Place:
    """A place in a lane while the message is being recorded."""

    def __init__(self, lanes: dict[str, Lane], conversation_id: str) -> None:
        self._lanes = lanes
        self._conversation_id = conversation_id
        self._lane = lanes[conversation_id]

    def __enter__(self) -> Lane:
        self._lane.held += 1
        return self._lane

    def __exit__(self, *_exc: object) -> None:
        self._lane.held -= 1
        if not self._lane.ahead and self._lane.task is None:
            self._lanes.pop(self._conversation_id, None)
