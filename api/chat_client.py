"""The terminal client: talks to a server over the WebSocket, asks for approvals, pays in the sandbox."""

import asyncio
import contextlib
import sys
import uuid
from typing import Any, Protocol

import httpx
import orjson
from prompt_toolkit import PromptSession
from prompt_toolkit.patch_stdout import patch_stdout
from rich.console import Console
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidHandshake, WebSocketException
from websockets.typing import Subprotocol

from api.chat_display import Display, money

DEMO_EMAIL = "buyer1@demo.cohort.example"
DEMO_PASSWORD = "demo-password"  # noqa: S105 - the demo's shared one, printed for everybody
VPA = "success@razorpay"
_SUBPROTOCOL = Subprotocol("cohort.chat.v1")
_RECONNECTS = 8
_TURN_SECONDS = 120.0
_MONEY_SECONDS = 10.0

Frame = dict[str, Any]


class CannotChat(Exception):
    """A sentence for the person at the terminal."""


class Lines(Protocol):
    async def ask(self, prompt: str) -> str | None:
        """The next line; None at the end of the input."""


class PromptLines:
    """Lines typed at a terminal, with history."""

    def __init__(self) -> None:
        self._session: PromptSession[str] = PromptSession()

    async def ask(self, prompt: str) -> str | None:
        try:
            with patch_stdout(raw=True):
                return await self._session.prompt_async(prompt)
        except (EOFError, KeyboardInterrupt):
            return None


class PipedLines:
    """Lines of a script; each is shown as if it had been typed."""

    def __init__(self, console: Console) -> None:
        self._console = console

    async def ask(self, prompt: str) -> str | None:
        line: str = await asyncio.to_thread(sys.stdin.readline)
        if not line:
            return None
        self._console.print(f"{prompt}{line.rstrip()}", markup=False, highlight=False)
        return line.rstrip("\n")


class Account:
    """Who chats: an account with its password, or a guest with the cart cookie."""

    def __init__(self, http: httpx.AsyncClient, email: str | None, password: str | None) -> None:
        self._http = http
        self._email = email
        self._password = password

    async def ticket(self) -> str:
        """A fresh ticket; logs in again when the access token has run out. Raises CannotChat."""
        if self._email and "Authorization" not in self._http.headers:
            await self._login()
        await self._mean_it()
        answer = await self._http.post("/chat/tickets")
        if answer.status_code == 401 and self._email:
            await self._login()
            answer = await self._http.post("/chat/tickets")
        return str(_body(answer)["ticket"])

    async def post(self, path: str, body: Frame, headers: dict[str, str] | None = None) -> httpx.Response:
        """POST as this account; once more after a new login when the token has run out."""
        answer = await self._http.post(path, json=body, headers=headers)
        if answer.status_code == 401 and self._email:
            await self._login()
            answer = await self._http.post(path, json=body, headers=headers)
        return answer

    async def _mean_it(self) -> None:
        """A guest known by cookie writes with a token that shows it can read the shop's answers."""
        if "Authorization" not in self._http.headers and self._http.cookies:
            token = _body(await self._http.get("/auth/csrf"))["csrfToken"]
            self._http.headers["X-CSRF-Token"] = str(token)

    async def _login(self) -> None:
        self._http.headers.pop("Authorization", None)
        answer = await self._http.post("/auth/login", json={"email": self._email, "password": self._password})
        self._http.headers["Authorization"] = f"Bearer {_body(answer)['accessToken']}"


def _body(answer: httpx.Response) -> Frame:
    if answer.is_error:
        try:
            raise CannotChat(str(answer.json()["detail"]))
        except (ValueError, KeyError):
            raise CannotChat(f"the server answered {answer.status_code}") from None
    body: Frame = answer.json()
    return body


class Connection:
    """A socket that comes back: after a break it resumes where it was and repeats what was not answered."""

    def __init__(self, base_url: str, account: Account, display: Display) -> None:
        self._url = base_url.replace("http", "ws", 1).rstrip("/") + "/chat/ws"
        self._account = account
        self._display = display
        self._socket: ClientConnection | None = None
        self._conversation_id: str | None = None
        self._seen = 0
        self._unanswered: Frame | None = None
        self.session: Frame = {}

    async def open(self) -> Frame:
        """Connect; the session frame. Raises CannotChat when the server cannot be reached."""
        delay = 0.25
        for attempt in range(_RECONNECTS):
            try:
                return await self._connect()
            except (OSError, httpx.TransportError, WebSocketException) as error:
                if attempt == _RECONNECTS - 1 or (attempt == 0 and not self.session):
                    raise CannotChat(f"cannot reach {self._url}: {error}") from error
                self._display.say("connection lost; trying again …")
                await asyncio.sleep(delay)
                delay = min(delay * 2, 5.0)
        raise CannotChat(f"cannot reach {self._url}")

    async def _connect(self) -> Frame:
        wanted = f"&conversationId={self._conversation_id}" if self._conversation_id else ""
        address = f"{self._url}?ticket={await self._account.ticket()}{wanted}"
        try:
            self._socket = await connect(address, subprotocols=[_SUBPROTOCOL], proxy=None)
        except InvalidHandshake as error:
            raise CannotChat(f"the server refused the connection: {error}") from error
        self.session = orjson.loads(await self._socket.recv())
        if self._conversation_id == self.session["conversationId"] and self._seen:
            await self._put({"type": "resume", "conversationId": self._conversation_id, "after": self._seen})
        elif self._conversation_id != self.session["conversationId"]:
            self._conversation_id, self._seen = self.session["conversationId"], 0
        if self._unanswered is not None:
            await self._put(self._unanswered)
        return self.session

    async def _put(self, frame: Frame) -> None:
        assert self._socket is not None  # noqa: S101 - only called while connected
        await self._socket.send(orjson.dumps(frame).decode())

    async def send(self, frame: Frame) -> None:
        """Send a frame that is answered by a turn; it is repeated after a break until `answered`."""
        self._unanswered = frame
        try:
            if self._socket is None:
                await self.open()
            else:
                await self._put(frame)
        except WebSocketException:
            await self.open()

    def answered(self) -> None:
        self._unanswered = None

    async def next(self) -> Frame:
        """The next frame not seen yet."""
        while True:
            frame = await self._receive()
            seq = frame.get("seq")
            if seq is None:
                if frame.get("code") == "resume_gone":
                    self._seen = frame["snapshot"]["seq"]
                return frame
            if seq > self._seen:
                self._seen = seq
                return frame

    async def _receive(self) -> Frame:
        while True:
            if self._socket is None:
                await self.open()
            assert self._socket is not None  # noqa: S101 - open() set it
            try:
                frame: Frame = orjson.loads(await self._socket.recv())
            except WebSocketException:
                self._socket = None
                continue
            return frame

    async def close(self) -> None:
        if self._socket is not None:
            await self._socket.close()


class Chat:
    """Line in, turn out; questions in between."""

    def __init__(self, connection: Connection, account: Account, lines: Lines, display: Display) -> None:
        self._connection = connection
        self._account = account
        self._lines = lines
        self._display = display

    async def run(self) -> None:
        """Until the input ends or says /quit."""
        session = await self._connection.open()
        name = (session["user"] or {}).get("name") or "guest"
        self._display.say(f"Hello {name}. The model is {session['model']}. Say what you look for; /quit ends.")
        while (line := await self._idle("› ")) is not None and line.strip() != "/quit":
            if line.strip():
                await self._turn({"type": "message", "id": str(uuid.uuid4()), "text": line.strip()})

    async def _idle(self, prompt: str) -> str | None:
        """Wait for a line, and show what the server pushes meanwhile."""
        pushed = asyncio.create_task(self._show_pushed())
        try:
            return await self._lines.ask(prompt)
        finally:
            pushed.cancel()
            with contextlib.suppress(asyncio.CancelledError, CannotChat):
                await pushed

    async def _show_pushed(self) -> None:
        while True:
            self._display.show(await self._connection.next())

    async def _turn(self, frame: Frame) -> None:
        """Send, show the frames up to the end, and answer an approval on the way."""
        await self._connection.send(frame)
        payment: Frame | None = None
        while (came := await asyncio.wait_for(self._connection.next(), _TURN_SECONDS))["type"] != "done":
            self._display.show(came)
            if came["type"] == "payment_request":
                payment = came
            if came["type"] == "approval_request":
                await self._connection.send(await self._decision(came))
            if came["type"] == "error" and "seq" not in came and came["code"] != "approval_closed":
                break
        self._connection.answered()
        if payment is not None:
            await self._pay(payment)

    async def _decision(self, question: Frame) -> Frame:
        answer = await self._lines.ask("Approve? [y/N] ")
        approved = (answer or "").strip().lower() in {"y", "yes"}
        decision = "approve" if approved else "reject"
        return {"type": "approve", "approvalId": question["approvalId"], "decision": decision}

    async def _pay(self, request: Frame) -> None:
        """Pay in the sandbox's checkout, then hand its signature to the server, as a shop's page would."""
        answer = await self._lines.ask(f"Pay {money(request['amount'])} with {VPA}? [Y/n] ")
        if answer is None or answer.strip().lower() in {"n", "no"}:
            self._display.say("Not paid. Say “pay my order” when you want to.")
            return
        try:
            await self._check_out(request)
        except CannotChat as error:
            self._display.say(f"The payment did not go through: {error}", style="red")
            return
        self._display.say("Paid.", style="green")
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._until_confirmed(request["orderId"]), _MONEY_SECONDS)

    async def _check_out(self, request: Frame) -> None:
        body = {"order_id": request["razorpayOrderId"], "vpa": VPA}
        paid = _body(await self._account.post("/sandbox/razorpay/checkout", body))
        names = {"orderId": "razorpay_order_id", "paymentId": "razorpay_payment_id", "signature": "razorpay_signature"}
        proof = {name: paid[theirs] for name, theirs in names.items()}
        _body(await self._account.post("/payments/verify", proof, {"Idempotency-Key": str(uuid.uuid4())}))

    async def _until_confirmed(self, order_id: str) -> None:
        while True:
            frame = await self._connection.next()
            self._display.show(frame)
            if frame["type"] == "order" and frame["order"]["orderId"] == order_id:
                return


async def run_chat(
    base_url: str,
    email: str | None = None,
    password: str | None = None,
    *,
    guest: bool = False,
    lines: Lines | None = None,
    console: Console | None = None,
) -> None:
    """Chat until the input ends. Without an e-mail the demo's first buyer is used, with `guest` nobody."""
    if not guest and email is None:
        email, password = DEMO_EMAIL, password or DEMO_PASSWORD
    console = console or Console()
    display = Display(console)
    typed = lines or (PromptLines() if sys.stdin.isatty() else PipedLines(console))
    async with httpx.AsyncClient(base_url=base_url, timeout=30.0) as http:
        account = Account(http, None if guest else email, password)
        connection = Connection(base_url, account, display)
        try:
            await Chat(connection, account, typed, display).run()
        except (CannotChat, httpx.TransportError) as error:
            display.say(str(error) or f"cannot reach {base_url}", style="red")
            raise SystemExit(1) from error
        except TimeoutError as error:
            display.say("the server did not answer in time", style="red")
            raise SystemExit(1) from error
        finally:
            await connection.close()
