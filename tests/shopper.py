"""A person at the shop from outside: an account over HTTP and a chat over a WebSocket."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, Self

import httpx
import orjson
from websockets.asyncio.client import ClientConnection, connect

PASSWORD = "demo-password"
ADDRESS = {
    "name": "Asha Rao", "phone": "+919876543210", "street": "12 MG Road", "city": "Pune", "state": "Maharashtra",
    "country": "IN", "zipCode": "411001", "isDefault": True,
}  # fmt: skip
Frame = dict[str, Any]


class Chat:
    """An open chat; `frames` are all that came."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self.frames: list[Frame] = []

    @property
    def conversation_id(self) -> str:
        """Of the session frame, which has to have come."""
        return str(self.frames[0]["conversationId"])

    async def next(self) -> Frame:
        frame: Frame = orjson.loads(await asyncio.wait_for(self.socket.recv(), 30))
        self.frames.append(frame)
        return frame

    async def reply(self) -> Frame:
        """The next frame that is not one of the shop's own accord."""
        while (frame := await self.next())["type"] in {"notification", "order"}:
            pass
        return frame

    async def until(self, wanted: Callable[[Frame], bool]) -> Frame:
        """The first frame that fits, of those that came and those to come."""
        for frame in self.frames:
            if wanted(frame):
                return frame
        while not wanted(frame := await self.next()):
            pass
        return frame

    async def send(self, **frame: Any) -> None:
        await self.socket.send(orjson.dumps(frame).decode())

    async def say(self, text: str, message_id: str | None = None) -> list[Frame]:
        """The frames of the turn, to its end, its approval, or an error."""
        return await self._turn(type="message", id=message_id or str(uuid.uuid4()), text=text)

    async def decide(self, approval_id: str, decision: str = "approve") -> list[Frame]:
        return await self._turn(type="approve", approvalId=approval_id, decision=decision)

    async def _turn(self, **frame: Any) -> list[Frame]:
        start = len(self.frames)
        await self.send(**frame)
        while (await self.next())["type"] not in {"done", "approval_request", "error"}:
            pass
        return self.frames[start:]


class Shopper:
    """An account of a running server; everything else goes through `http` and `chat()`."""

    def __init__(self, url: str, http: httpx.AsyncClient, signed_in: dict[str, Any]) -> None:
        self.url = url
        self.http = http
        self.user = signed_in["user"]
        self.token = signed_in["accessToken"]
        http.headers["authorization"] = f"Bearer {self.token}"

    @classmethod
    async def register(cls, url: str, name: str = "Asha Rao", role: str = "USER") -> Self:
        account = {"name": name, "email": f"{uuid.uuid4().hex}@example.com", "password": PASSWORD, "role": role}
        return await cls._enter(url, "/auth/register", account, 201)

    @classmethod
    async def login(cls, url: str, email: str) -> Self:
        return await cls._enter(url, "/auth/login", {"email": email, "password": PASSWORD}, 200)

    @classmethod
    async def _enter(cls, url: str, path: str, body: dict[str, Any], status: int) -> Self:
        http = httpx.AsyncClient(base_url=url, timeout=60)
        answer = await http.post(path, json=body)
        assert answer.status_code == status, answer.text
        return cls(url, http, answer.json())

    async def get(self, path: str, **query: Any) -> Any:
        answer = await self.http.get(path, params=query)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def post(self, path: str, body: Any, *, key: str | None = None) -> httpx.Response:
        """`key` is the Idempotency-Key; a fresh one when not given."""
        return await self.http.post(path, json=body, headers={"Idempotency-Key": key or str(uuid.uuid4())})

    async def made(self, path: str, body: Any, *, key: str | None = None) -> Any:
        """The body of an answer that has to be a success."""
        answer = await self.post(path, body, key=key)
        assert answer.is_success, f"{path}: {answer.status_code} {answer.text}"
        return answer.json()

    async def add_address(self) -> str:
        address: str = (await self.made("/auth/users/me/addresses", ADDRESS))["addressId"]
        return address

    async def offer(self, stock: int, title: str = "Brass table lamp", price: int = 1499, **more: Any) -> Any:
        """A product of this seller with one variant."""
        return await self.made(
            "/products",
            {
                "title": title,
                "description": "Made by hand.",
                "price": price,
                "category": "Home",
                "stock": stock,
                **more,
            },
        )

    async def place(self, address_id: str, method: str = "razorpay") -> Any:
        """Quote and order what is in the cart."""
        wish = {"addressId": address_id, "paymentMethod": method}
        quote = await self.made("/orders/quote", wish)
        return await self.made("/orders", {**wish, "quoteHash": quote["quoteHash"]})

    async def pay(self, order_id: str) -> Any:
        """Open the payment, pay in the sandbox, confirm."""
        opened = await self.made("/payments/razorpay/order", {"orderId": order_id})
        return await self.made("/payments/verify", await self.check_out(opened["razorpayOrderId"]))

    async def check_out(self, razorpay_order_id: str, vpa: str = "success@razorpay") -> Any:
        """What the gateway's checkout hands to the page after the buyer has paid."""
        paid = await self.http.post("/sandbox/razorpay/checkout", json={"order_id": razorpay_order_id, "vpa": vpa})
        assert paid.status_code == 200, paid.text
        return paid.json()

    @asynccontextmanager
    async def chat(self, conversation_id: str | None = None) -> AsyncIterator[Chat]:
        """A connection that has heard who it is, on a new conversation or back on an old one."""
        ticket = (await self.http.post("/chat/tickets")).json()["ticket"]
        back = f"&conversationId={conversation_id}" if conversation_id else ""
        url = f"{self.url.replace('http', 'ws')}/chat/ws?ticket={ticket}{back}"
        async with connect(url, subprotocols=["cohort.chat.v1"], max_size=None) as opened:
            chat = Chat(opened)
            assert (await chat.next())["type"] == "session"
            yield chat

    async def leave(self) -> None:
        await self.http.aclose()


async def eventually(check: Callable[[], Awaitable[None]], within: float = 20.0) -> None:
    """Return when `check` no longer fails; what follows from events has no other sign over HTTP."""
    ending = asyncio.get_running_loop().time() + within
    while True:
        try:
            return await check()
        except AssertionError:
            if asyncio.get_running_loop().time() > ending:
                raise
        await asyncio.sleep(0.1)


def of_type(frames: list[Frame], kind: str) -> Frame:
    """The one frame of a kind."""
    found = [frame for frame in frames if frame["type"] == kind]
    assert len(found) == 1, f"{len(found)} × {kind} in {[frame['type'] for frame in frames]}"
    return found[0]
