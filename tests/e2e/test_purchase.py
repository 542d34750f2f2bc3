"""A stranger buys by chat from a freshly started shop, and a kill -9 of everything takes nothing of it away."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.policy import default
from typing import Any

import pytest

from tests.processes import CohortProcess
from tests.shopper import Chat, Shopper, eventually, of_type

pytestmark = pytest.mark.processes


@dataclass(frozen=True)
class Wanted:
    """The second product shown, and how things stood before it was bought."""

    product_id: str
    variant_id: str
    price: int
    stock: int
    seller: Shopper
    figures: dict[str, Any]


@pytest.mark.timeout(300)
async def test_a_stranger_buys_by_chat_and_it_is_still_true_after_kill_9(cohort: CohortProcess) -> None:
    asha = await Shopper.register(cohort.url)
    async with asha.chat() as chat:
        wanted = await _choose(cohort, asha, chat)
        approval = await _check_out(asha, chat, wanted)
        order = await _approve_and_pay(asha, chat, approval, wanted)
        notified = await chat.until(_confirms(order["orderId"]))
        assert notified["notification"]["channel"] == "in_app"
    await eventually(lambda: _all_is_true(cohort, asha, wanted, order))

    cohort.kill_all()
    cohort.start()
    await cohort.ready()
    await _all_is_true(cohort, asha, wanted, order)
    await asha.leave()
    await wanted.seller.leave()


async def _choose(cohort: CohortProcess, asha: Shopper, chat: Chat) -> Wanted:
    """Search, then the second one, two of them, in size 8."""
    cards = of_type(await chat.say("red sneakers under 2000"), "products")["items"]
    assert len(cards) >= 2
    for card in cards:
        assert "Red" in card["colours"], card["title"]
        assert card["price"]["amount"] <= 200_000, card["title"]
        assert card["available"] > 0, card["title"]

    second = cards[1]
    asked = await chat.say("add the second one, two of them")
    assert not [frame for frame in asked if frame["type"] == "cart" and frame["cart"]["items"]]
    assert "size" in of_type(asked, "answer")["text"].lower()

    product = await asha.get(f"/products/{second['productId']}")
    [eight] = [v for v in product["variants"] if v["options"]["size"] == "8" and v["options"]["colour"] == "Red"]
    seller = await _seller_of(cohort, product["sellerId"])
    wanted = Wanted(
        product_id=second["productId"],
        variant_id=eight["variantId"],
        price=eight["price"]["amount"],
        stock=eight["available"],
        seller=seller,
        figures=await _figures(seller),
    )
    for said in ("size 8", "what's in my cart"):
        _holds_two(of_type(await chat.say(said), "cart")["cart"], wanted)
    return wanted


def _holds_two(cart: dict[str, Any], wanted: Wanted) -> None:
    [line] = cart["items"]
    assert (line["productId"], line["variantId"], line["qty"]) == (wanted.product_id, wanted.variant_id, 2)
    assert cart["total"] == {"amount": 2 * wanted.price, "currency": "INR"}


async def _check_out(asha: Shopper, chat: Chat, wanted: Wanted) -> dict[str, Any]:
    await asha.add_address()
    asked = await chat.say("checkout")
    approval = of_type(asked, "approval_request")
    assert approval["action"] == "place_order"
    [line] = approval["quote"]["lines"]
    assert (line["variantId"], line["qty"]) == (wanted.variant_id, 2)
    assert approval["quote"]["total"]["amount"] >= 2 * wanted.price
    assert approval["quote"]["address"]["city"] == "Pune"
    assert await _stock(asha, wanted) == wanted.stock, "nothing is held before the approval"
    return approval


async def _approve_and_pay(asha: Shopper, chat: Chat, approval: dict[str, Any], wanted: Wanted) -> dict[str, Any]:
    frames = await chat.decide(approval["approvalId"])
    payment = of_type(frames, "payment_request")
    assert of_type(frames, "approval_closed")["reason"] == "approved"
    assert payment["amount"] == approval["quote"]["total"]["amount"]
    assert await _stock(asha, wanted) == wanted.stock - 2

    handed_over = await asha.check_out(payment["razorpayOrderId"])
    verified = await asha.made("/payments/verify", handed_over)
    assert (verified["status"], verified["amount"]["amount"]) == ("completed", payment["amount"])
    order: dict[str, Any] = await asha.get(f"/orders/{payment['orderId']}")
    assert (order["status"], order["paymentStatus"]) == ("confirmed", "paid")
    return order


async def _all_is_true(cohort: CohortProcess, asha: Shopper, wanted: Wanted, order: dict[str, Any]) -> None:
    """Everything that has to hold after the purchase, read anew."""
    now = await asha.get(f"/orders/{order['orderId']}")
    assert (now["status"], now["paymentStatus"], now["total"]) == ("confirmed", "paid", order["total"])
    assert [(line["variantId"], line["qty"]) for line in now["items"]] == [(wanted.variant_id, 2)]
    assert (await asha.get(f"/payments/{now['paymentId']}"))["status"] == "completed"
    assert await _stock(asha, wanted) == wanted.stock - 2
    assert not (await asha.get("/cart"))["items"], "ordered lines leave the cart"
    assert any(_confirms(order["orderId"])({"type": "notification", "notification": n}) for n in await _notices(asha))
    assert len(_mails(cohort, asha, order["orderId"])) >= 1

    figures, before = await _figures(wanted.seller), wanted.figures
    assert figures["revenue"]["amount"] - before["revenue"]["amount"] == 2 * wanted.price
    assert (figures["orders"] - before["orders"], figures["units"] - before["units"]) == (1, 2)


def _confirms(order_id: str) -> Any:
    def fits(frame: dict[str, Any]) -> bool:
        notice = frame.get("notification", {})
        return notice.get("template") == "order_confirmed" and notice["data"]["orderId"] == order_id

    return fits


async def _notices(asha: Shopper) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = (await asha.get("/notifications"))["items"]
    return items


def _mails(cohort: CohortProcess, asha: Shopper, order_id: str) -> list[str]:
    """Subjects of the mails to the buyer that confirm this order."""
    mails = [message_from_bytes(path.read_bytes(), policy=default) for path in (cohort.home / "mail").glob("*.eml")]
    mine = [mail for mail in mails if asha.user["email"] in str(mail["To"])]
    return [str(m["Subject"]) for m in mine if order_id in str(m["Subject"]) and "confirmed" in str(m["Subject"])]


async def _seller_of(cohort: CohortProcess, seller_id: str) -> Shopper:
    """Seller ids carry the random part of their user's id."""
    for number in range(1, 13):
        seller = await Shopper.login(cohort.url, f"seller{number}@demo.cohort.example")
        if seller.user["userId"].removeprefix("usr_") == seller_id.removeprefix("sel_"):
            return seller
        await seller.leave()
    raise AssertionError(f"no demo seller has the id {seller_id}")


async def _figures(seller: Shopper) -> dict[str, Any]:
    today = datetime.now(UTC).date()
    period = f"{today - timedelta(days=2)}..{today + timedelta(days=2)}"
    figures: dict[str, Any] = (await seller.get("/seller/dashboard/metrics", period=period))["figures"]
    return figures


async def _stock(asha: Shopper, wanted: Wanted) -> int:
    product = await asha.get(f"/products/{wanted.product_id}")
    [variant] = [v for v in product["variants"] if v["variantId"] == wanted.variant_id]
    available: int = variant["available"]
    return available
