"""The door of the chat: who may come in, and what a socket and an HTTP caller share."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from typing import Any

from fastapi import WebSocket

from agents.consent import Consent
from agents.memory import Conversation
from agents.session import ShopperSession
from api.chat.fanout import Hub
from api.chat.frames import error_frame
from api.chat.lanes import Job
from api.chat.lease import Leases
from api.chat.listening import TurnListener
from api.chat.log import FrameLog, Kept
from api.chat.socket import RESTART, ChatSocket, Manners, Surroundings
from api.chat.tickets import Tickets
from api.chat.turns import Turns
from api.guests import GuestSigner
from services.contracts.notifications import NotificationView
from services.kit.cache import TokenBucket
from services.kit.clock import Clock
from services.kit.errors import Gone, Unauthenticated
from services.kit.ids import Ids
from services.kit.principal import Principal
from services.kit.tokens import TokenVerifier

IsLive = Callable[[str], Awaitable[bool]]


class ResumeGone(Gone):
    """Frames between what the client saw and now are no longer kept; `snapshot` says how things stand."""

    code = "resume_gone"


class ChatDoor:
    """Sockets, tickets and the same turns over HTTP."""

    def __init__(
        self,
        *,
        session: ShopperSession,
        ids: Ids,
        clock: Clock,
        redis: Any,
        verifier: TokenVerifier,
        is_live: IsLive,
        guests: GuestSigner,
        allowed_origins: Collection[str],
        model_name: str,
        secure_cookies: bool = False,
        frames_per_second: float = 10.0,
        frames_burst: int = 40,
        tickets_per_second: float = 5.0,
        tickets_burst: int = 400,
        max_waiting: int = 3,
        lease_seconds: float = 10.0,
        manners: Manners | None = None,
    ) -> None:
        self.session = session
        self.ids = ids
        self.guests = guests
        self.secure_cookies = secure_cookies
        self.tickets = Tickets(redis)
        self.frames = FrameLog(redis)
        self.hub = Hub()
        self.turns = Turns(
            session, self.frames, Leases(redis, seconds=lease_seconds), self.hub, ids, max_waiting=max_waiting
        )
        self._clock = clock
        self._verifier = verifier
        self._is_live = is_live
        self._origins = frozenset(allowed_origins)
        self._model_name = model_name
        self._frame_limit = TokenBucket(redis, per_second=frames_per_second, burst=frames_burst, name="chat-frames")
        self._ticket_limit = TokenBucket(redis, per_second=tickets_per_second, burst=tickets_burst, name="chat-tickets")
        self._sockets: defaultdict[str, set[ChatSocket]] = defaultdict(set)
        self._around = Surroundings(
            turns=self.turns, frames=self.frames, hub=self.hub, snapshot=self.snapshot, own=self.own, take=self.take,
            is_live=is_live, manners=manners or Manners(),
        )  # fmt: skip

    async def take(self, who: Principal) -> None:
        """One frame or message of this caller. Raises RateLimited."""
        await self._frame_limit.take(who.user_id, self._clock.now().timestamp())

    async def take_ticket(self, who: str) -> None:
        """Raises RateLimited."""
        await self._ticket_limit.take(who, self._clock.now().timestamp())

    def origin_allowed(self, origin: str | None) -> bool:
        """A browser says where the page came from; programs say nothing and bring a ticket or a token."""
        return origin is None or origin in self._origins

    async def enter(self, ticket: str | None, authorization: str | None) -> Principal:
        """Who knocks. Raises Unauthenticated."""
        who = await self._holder(ticket, authorization)
        if who is None or (who.session_id is not None and not await self._is_live(who.session_id)):
            raise Unauthenticated("bring a fresh ticket of POST /chat/tickets, or Authorization: Bearer")
        return who

    async def _holder(self, ticket: str | None, authorization: str | None) -> Principal | None:
        if ticket is not None:
            return await self.tickets.redeem(ticket)
        scheme, _, token = (authorization or "").partition(" ")
        return self._verifier.verify(token.strip()) if scheme.lower() == "bearer" else None

    async def serve(self, websocket: WebSocket, who: Principal, conversation_id: str | None) -> None:
        """Talk over an accepted socket until it closes."""
        chosen = await self._chosen(who, conversation_id)
        socket = ChatSocket(websocket, who, self._around, chosen)
        self._sockets[who.user_id].add(socket)
        try:
            await socket.run(self._greeting(who, chosen))
        finally:
            self._sockets[who.user_id].discard(socket)
            if not self._sockets[who.user_id]:
                del self._sockets[who.user_id]

    async def _chosen(self, who: Principal, conversation_id: str | None) -> str:
        """The caller's conversation, or the id of a new one: it is stored with its first message."""
        mine = await self.session.conversations.find(who, conversation_id) if conversation_id else None
        return mine.conversation_id if mine else self.session.conversations.new_id()

    def _greeting(self, who: Principal, conversation_id: str) -> dict[str, Any]:
        user = None if who.is_guest else {"userId": who.user_id, "name": who.name, "roles": sorted(who.roles)}
        return {"type": "session", "user": user, "conversationId": conversation_id, "model": self._model_name}

    async def own(self, who: Principal, conversation_id: str, announced: str | None = None) -> str:
        """The caller's own conversation; one that was only announced comes into being. Raises NotFound."""
        if conversation_id == announced:
            return (await self.session.conversations.start(who, conversation_id)).conversation_id
        return (await self.session.conversations.get(who, conversation_id)).conversation_id

    async def snapshot(self, who: Principal, conversation_id: str) -> dict[str, Any]:
        """The resume_gone error: what was said, what is open, and the number to go on from."""
        state = {"seq": await self.frames.last_seq(conversation_id), **await self.look_back(who, conversation_id)}
        error = ResumeGone("the frames in between are no longer kept; here is how things stand")
        return error_frame(error, conversationId=conversation_id, snapshot=state)

    async def look_back(self, who: Principal, conversation_id: str) -> dict[str, Any]:
        """A conversation with what was said in it and the approval it waits for. Raises NotFound."""
        conversation: Conversation = await self.session.conversations.get(who, conversation_id)
        waiting: Consent | None = await self.turns.open_approval(conversation_id)
        return {
            **conversation.to_wire(),
            "messages": await self.session.history(conversation_id),
            "approval": waiting.request_frame() if waiting else None,
        }

    async def forget(self, who: Principal, conversation_id: str) -> None:
        """Stop and erase a conversation with its frames, vault and checkpoints. Raises NotFound."""
        await self.own(who, conversation_id)
        await self.turns.quiet(conversation_id)
        await self.session.erase(who, conversation_id)
        await self.frames.erase(conversation_id)

    async def message(
        self, who: Principal, conversation_id: str, message_id: str, text: str
    ) -> AsyncIterator[dict[str, Any]]:
        """The frames of a message's turn, up to done or approval_request. Raises Busy, Draining before the first."""
        listener = TurnListener(self.hub, self.frames, conversation_id)
        try:
            submitted = await self.turns.submit(who, conversation_id, message_id, text)
        except BaseException:
            listener.close()
            raise
        return listener.follow(submitted.turn_id, submitted.job)

    async def decide(self, who: Principal, approval_id: str, *, approve: bool) -> list[dict[str, Any]]:
        """The frames that followed a decision. Raises NotFound, ApprovalClosed, Busy, Draining."""
        consent = await self.session.consents.get(who, approval_id)
        before = await self.frames.last_seq(consent.conversation_id)
        job: Job = await self.turns.decide(who, approval_id, approve=approve)
        await asyncio.shield(job.finished)
        kept: list[Kept] = await self.frames.of_turn(consent.conversation_id, consent.turn_id)
        return [one.frame() for one in kept if one.seq > before]

    async def push(self, user_id: str, notification: NotificationView) -> None:
        """Show an in-app notification on the user's open sockets."""
        self._tell(user_id, {"type": "notification", "notification": notification.to_wire()})

    async def push_order(self, user_id: str, order: dict[str, Any]) -> None:
        """Show how an order stands now, e.g. when its money arrived."""
        self._tell(user_id, {"type": "order", "order": order})

    def _tell(self, user_id: str, frame: dict[str, Any]) -> None:
        for socket in tuple(self._sockets.get(user_id, ())):
            socket.tell(frame)

    def open_sockets(self, user_id: str) -> int:
        """Sockets of a user that are not about to close."""
        return sum(not socket.closing for socket in self._sockets.get(user_id, ()))

    async def drain(self, seconds: float) -> None:
        """Close every socket with 1012 and let running turns end; what is not done by then is given up."""
        for sockets in tuple(self._sockets.values()):
            for socket in tuple(sockets):
                socket.close(RESTART, "the server restarts; connect again and resume")
        await self.turns.drain(seconds)
