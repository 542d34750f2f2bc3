"""The line breaks at every step of a purchase; the buyer comes back, says the same again, and has bought once."""

import asyncio
import json
import uuid
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from tests.processes import CohortProcess
from tests.shopper import Frame, Shopper, eventually, of_type

pytestmark = pytest.mark.processes


@dataclass
class Unlucky:
    """A buyer whose connection breaks with the first frame of every answer."""

    who: Shopper
    conversation_id: str | None = None

    async def say(self, text: str) -> list[Frame]:
        """Back after the break, the message is sent again under its id: it is answered by the turn it started."""
        message = {"type": "message", "id": str(uuid.uuid4()), "text": text}
        first = await self._broken(**message)
        return await self._turn_from(first, **message)

    async def approve(self, approval_id: str) -> list[Frame]:
        """Back after the break, what was missed is asked for instead of approved again."""
        first = await self._broken(type="approve", approvalId=approval_id, decision="approve")
        return await self._turn_from(first, type="resume", conversationId=self.conversation_id, after=first - 1)

    async def _turn_from(self, first: int, **sent: Any) -> list[Frame]:
        """The frames from that number to the end of the turn; a frame may come live and once more."""
        heard: dict[int, Frame] = {}
        async with self.who.chat(self.conversation_id) as chat:
            await chat.send(**sent)
            while not _whole(heard, first):
                frame = await chat.next()
                heard[frame.get("seq", 0)] = frame
        return [heard[number] for number in sorted(heard) if number >= first]

    async def _broken(self, **sent: Any) -> int:
        """Send, hear the first frame of the conversation, and be gone; its number."""
        async with self.who.chat(self.conversation_id) as chat:
            self.conversation_id = chat.conversation_id
            await chat.send(**sent)
            first = await chat.until(lambda frame: "seq" in frame)
            chat.socket.transport.abort()
        return int(first["seq"])


def _whole(heard: dict[int, Frame], first: int) -> bool:
    """Every number from `first` to the frame that ends the turn."""
    ends = [number for number, frame in heard.items() if frame["type"] in {"done", "approval_request"}]
    return bool(ends) and all(number in heard for number in range(first, min(ends) + 1))


async def test_a_purchase_by_chat_on_a_line_that_always_breaks_is_one_purchase(asha: Shopper) -> None:
    buyer = Unlucky(asha)
    cards = of_type(await buyer.say("red sneakers under 2000"), "products")["items"]
    await buyer.say("add the second one, two of them")
    cart = of_type(await buyer.say("size 8"), "cart")["cart"]
    assert [(line["productId"], line["qty"]) for line in cart["items"]] == [(cards[1]["productId"], 2)]

    await asha.add_address()
    approval = of_type(await buyer.say("checkout"), "approval_request")
    payment = of_type(await buyer.approve(approval["approvalId"]), "payment_request")
    paid = await asha.check_out(payment["razorpayOrderId"])
    assert (await asha.made("/payments/verify", paid))["status"] == "completed"
    [order] = (await asha.get("/orders/me"))["items"]
    assert (order["orderId"], order["status"], order["paymentStatus"]) == (payment["orderId"], "confirmed", "paid")
    assert [line["qty"] for line in order["items"]] == [2]


async def test_http_writes_whose_answer_was_never_read_are_done_once(
    asha: Shopper, seller: Shopper, cohort: CohortProcess
) -> None:
    lamp = await seller.offer(10)
    address = await asha.add_address()
    await _unheard_then_heard(asha, cohort, "/cart/items", {"productId": lamp["productId"], "qty": 2})
    assert [line["qty"] for line in (await asha.get("/cart"))["items"]] == [2]

    wish = {"addressId": address, "paymentMethod": "razorpay"}
    order = (await _unheard_then_heard(asha, cohort, "/orders", wish)).json()
    opened = await _unheard_then_heard(asha, cohort, "/payments/razorpay/order", {"orderId": order["orderId"]})
    paid = await asha.check_out(opened.json()["razorpayOrderId"])
    assert (await _unheard_then_heard(asha, cohort, "/payments/verify", paid)).json()["status"] == "completed"

    [only] = (await asha.get("/orders/me"))["items"]
    assert (only["orderId"], only["paymentStatus"]) == (order["orderId"], "paid")

    async def sold_two() -> None:
        product = await asha.get(f"/products/{lamp['productId']}")
        assert [variant["available"] for variant in product["variants"]] == [8]

    await eventually(sold_two)


async def _unheard_then_heard(asha: Shopper, cohort: CohortProcess, path: str, body: dict[str, Any]) -> httpx.Response:
    """The same request twice with one key: the first connection is cut as soon as it is sent."""
    key = str(uuid.uuid4())
    await _send_and_cut(asha, cohort, path, body, key)
    heard: list[httpx.Response] = []

    async def answered() -> None:
        heard.append(await asha.post(path, body, key=key))
        assert heard[-1].status_code != 409, "still in flight"

    await eventually(answered)
    assert heard[-1].is_success, heard[-1].text
    return heard[-1]


async def _send_and_cut(asha: Shopper, cohort: CohortProcess, path: str, body: dict[str, Any], key: str) -> None:
    raw = json.dumps(body, separators=(",", ":")).encode()
    head = (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {asha.token}\r\nIdempotency-Key: {key}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(raw)}\r\n\r\n"
    )
    _, writer = await asyncio.open_connection("127.0.0.1", cohort.port)
    writer.write(head.encode() + raw)
    await writer.drain()
    writer.close()
    with suppress(ConnectionError):
        await writer.wait_closed()
