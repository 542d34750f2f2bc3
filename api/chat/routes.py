"""The chat over WebSocket, Server-Sent Events and plain HTTP."""

from collections.abc import AsyncIterator
from typing import Any, Literal

import orjson
from fastapi import APIRouter, Request, Response, WebSocket
from fastapi.responses import JSONResponse, StreamingResponse

from agents.consent import ApprovalClosed
from agents.memory import Conversation
from api.chat.door import ChatDoor
from api.chat.frames import SUBPROTOCOL, As, Busy, ConversationId, Draining, MessageId, MessageText
from api.errors import problem
from api.guests import COOKIE_SECONDS, GUEST_COOKIE
from services.kit.errors import BadRequest, CohortError, Forbidden, NotFound, RateLimited, Unauthenticated
from services.kit.ids import named_id
from services.kit.principal import Principal
from services.kit.web import Caller, Limit, User, Visitor, problems
from services.kit.wire import Page, Wire

_STREAM = {"content": {"text/event-stream": {}}, "description": "frames, one a `data:` line"}


class Ticket(Wire):
    """Single use; `expiresIn` in seconds."""

    ticket: str
    expires_in: int


class Said(Wire):
    """`id` makes a repeat safe; without `conversationId` a new conversation starts (the same one for the same id)."""

    text: MessageText
    id: MessageId | None = None
    conversation_id: ConversationId | None = None
    speak_as: As = None


class Answer(Wire):
    decision: Literal["approve", "reject"]


class Decided(Wire):
    """How the approval ended, and the frames that followed."""

    approval_id: str
    status: str
    frames: list[dict[str, Any]]


def routes(door: ChatDoor) -> APIRouter:
    router = APIRouter(tags=["chat"])
    _tickets(router, door)
    _socket(router, door)
    _messages(router, door)
    _approvals(router, door)
    _conversations(router, door)
    return router


def _tickets(router: APIRouter, door: ChatDoor) -> None:
    @router.post("/chat/tickets", responses=problems(Unauthenticated, RateLimited))
    async def create_ticket(request: Request, response: Response, visitor: Visitor) -> Ticket:
        """A ticket for /chat/ws: the caller's own, or a guest's who is then known by the cart cookie."""
        await door.take_ticket(visitor.user_id if visitor else _address(request))
        who = visitor or _new_guest(door, response)
        return Ticket(ticket=await door.tickets.issue(who), expires_in=door.tickets.seconds)


def _address(request: Request) -> str:
    return request.client.host if request.client else "unknown"


def _new_guest(door: ChatDoor, response: Response) -> Principal:
    guest_id, value = door.guests.issue()
    response.set_cookie(
        GUEST_COOKIE, value, max_age=COOKIE_SECONDS, httponly=True, samesite="lax", secure=door.secure_cookies
    )
    return Principal(user_id=guest_id)


def _socket(router: APIRouter, door: ChatDoor) -> None:
    @router.websocket("/chat/ws")
    async def chat_socket(websocket: WebSocket) -> None:
        try:
            who = await _let_in(websocket, door)
        except CohortError as error:
            await websocket.send_denial_response(problem(error))
            return
        offered = websocket.scope.get("subprotocols", [])
        await websocket.accept(SUBPROTOCOL if SUBPROTOCOL in offered else None)
        await door.serve(websocket, who, websocket.query_params.get("conversationId"))


async def _let_in(websocket: WebSocket, door: ChatDoor) -> Principal:
    if not door.origin_allowed(websocket.headers.get("origin")):
        raise Forbidden("pages of this origin may not open the chat")
    offered = websocket.scope.get("subprotocols", [])
    if offered and SUBPROTOCOL not in offered:
        raise BadRequest(f"the subprotocol is {SUBPROTOCOL}")
    return await door.enter(websocket.query_params.get("ticket"), websocket.headers.get("authorization"))


def _messages(router: APIRouter, door: ChatDoor) -> None:
    @router.post(
        "/chat",
        response_class=StreamingResponse,
        responses={200: _STREAM, **problems(Unauthenticated, NotFound, Busy, RateLimited, Draining)},
    )
    async def send_message(who: Caller, said: Said) -> Response:
        """One message; the frames of its turn as Server-Sent Events, up to done or approval_request."""
        await door.take(who)
        message_id = said.id or door.ids.new("msg")
        announced = named_id("cnv", who.user_id, message_id)
        conversation_id = await door.own(who, said.conversation_id or announced, announced)
        frames = await door.message(who, conversation_id, message_id, said.text)
        return StreamingResponse(_events(frames), media_type="text/event-stream", headers={"Cache-Control": "no-store"})


async def _events(frames: AsyncIterator[dict[str, Any]]) -> AsyncIterator[bytes]:
    async for frame in frames:
        yield b"data: " + orjson.dumps(frame) + b"\n\n"


def _approvals(router: APIRouter, door: ChatDoor) -> None:
    @router.get("/chat/approvals/{approval_id}", responses=problems(Unauthenticated, NotFound))
    async def get_approval(approval_id: str, who: User) -> dict[str, Any]:
        """What was asked, and whether it is open, approved, rejected, withdrawn or expired."""
        consent = await door.session.consents.get(who, approval_id)
        return {**consent.request_frame(), "conversationId": consent.conversation_id, "status": consent.status}

    @router.post(
        "/chat/approvals/{approval_id}",
        responses=problems(Unauthenticated, NotFound, ApprovalClosed, Busy, RateLimited, Draining),
    )
    async def decide_approval(approval_id: str, who: User, answer: Answer) -> Decided:
        """Approve or reject, once; the answer comes when the turn has gone on to its end."""
        await door.take(who)
        frames = await door.decide(who, approval_id, approve=answer.decision == "approve")
        consent = await door.session.consents.get(who, approval_id)
        return Decided(approval_id=approval_id, status=consent.status, frames=frames)


def _conversations(router: APIRouter, door: ChatDoor) -> None:
    @router.get("/chat/conversations", responses=problems(Unauthenticated))
    async def list_conversations(who: Caller, limit: Limit = 20) -> Page[Conversation]:
        """The caller's conversations, newest first."""
        return Page(items=await door.session.conversations.mine(who, limit))

    @router.get("/chat/conversations/{conversation_id}", responses=problems(Unauthenticated, NotFound))
    async def get_conversation(conversation_id: str, who: Caller) -> JSONResponse:
        """What was said, and the approval that is open."""
        return JSONResponse(await door.look_back(who, conversation_id))

    @router.delete(
        "/chat/conversations/{conversation_id}", status_code=204, responses=problems(Unauthenticated, NotFound)
    )
    async def delete_conversation(conversation_id: str, who: Caller) -> Response:
        """Erase it: what was said, personal data, frames and checkpoints."""
        await door.forget(who, conversation_id)
        return Response(status_code=204)
