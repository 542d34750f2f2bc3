"""M2: a money command repeated with its key has one effect and one answer, at once and later."""

import asyncio
import uuid
from typing import Any

import httpx
import pytest

from tests.bars.bar import measured
from tests.processes import CohortProcess
from tests.shopper import Shopper

SEED = 0
"""Nothing here is drawn."""
MISSING, CONFLICT, IN_FLIGHT = "idempotency_key_required", "idempotency_conflict", "idempotency_in_flight"


class Repeats:
    """One buyer's purchases, each command sent many times; what was not as promised is kept."""

    def __init__(self, buyer: Shopper, other: Shopper, at_once: int, later: int) -> None:
        self.buyer = buyer
        self.violations: list[str] = []
        self.commands = 0
        self._other = other
        self._at_once = at_once
        self._later = later

    async def command(self, path: str, body: Any, changed: Any, *, key_needed: bool = True) -> Any:
        """The one answer of a command that was sent at once and later with its key, and wrongly besides."""
        self.commands += 1
        key = str(uuid.uuid4())
        burst = await asyncio.gather(*(self.buyer.post(path, body, key=key) for _ in range(self._at_once)))
        after = [await self.buyer.post(path, body, key=key) for _ in range(self._later)]
        answer = self._one_answer(path, burst, after)
        self._expect(path, "another body", await self.buyer.post(path, changed, key=key), 422, CONFLICT)
        if key_needed:
            self._expect(path, "no key", await self.buyer.http.post(path, json=body), 400, MISSING)
        foreign = await self._other.post(path, body, key=key)
        if "Idempotent-Replayed" in foreign.headers or foreign.is_success:
            self.violations.append(f"{path}: another user's key was answered {foreign.status_code}")
        return answer

    def _one_answer(self, path: str, burst: list[httpx.Response], after: list[httpx.Response]) -> Any:
        done = [each for each in [*burst, *after] if each.is_success]
        fresh = [each for each in done if "Idempotent-Replayed" not in each.headers]
        if len(fresh) != 1 or len({each.content for each in done}) != 1:
            self.violations.append(f"{path}: {len(fresh)} first answers, {len({e.content for e in done})} bodies")
        for each in burst:
            if not each.is_success:
                self._expect(path, "in flight", each, 409, IN_FLIGHT)
                if "Retry-After" not in each.headers:
                    self.violations.append(f"{path}: in flight without Retry-After")
        self.violations += [f"{path}: later answered {each.status_code}" for each in after if not each.is_success]
        return done[0].json()

    def _expect(self, path: str, what: str, answer: httpx.Response, status: int, code: str) -> None:
        if (answer.status_code, answer.json().get("code")) != (status, code):
            self.violations.append(f"{path}: {what} was answered {answer.status_code} {answer.text[:200]}")


@pytest.mark.processes
@pytest.mark.parametrize(("keys", "at_once", "later"), [(2, 8, 4), pytest.param(200, 20, 20, marks=pytest.mark.full)])
@pytest.mark.timeout(1800)
async def test_m2_a_repeat_does_nothing_twice(cohort: CohortProcess, keys: int, at_once: int, later: int) -> None:
    seller = await Shopper.register(cohort.url, "Repeat Seller", "SELLER")
    buyer, other = await Shopper.register(cohort.url), await Shopper.register(cohort.url)
    address = await buyer.add_address()
    product = await seller.offer(keys)
    repeats = Repeats(buyer, other, at_once, later)

    placed = [await _purchase(repeats, product["productId"], address) for _ in range(keys)]

    mine = []
    cursor: str | None = None
    while not mine or cursor:
        page = await buyer.get("/orders/me", limit=100, **({"cursor": cursor} if cursor else {}))
        mine += [order["orderId"] for order in page["items"]]
        cursor = page["nextCursor"]
    if sorted(mine) != sorted(placed):
        repeats.violations.append(f"{len(mine)} orders of {keys} keys")
    now = await buyer.get(f"/products/{product['productId']}")
    if now["available"] != keys:
        repeats.violations.append(f"{now['available']} of {keys} units are back")
    for who in (seller, buyer, other):
        await who.leave()
    measured("M2", repeats.commands, repeats.violations, SEED, sent_each=at_once + later + 3)


async def _purchase(repeats: Repeats, product_id: str, address_id: str) -> str:
    """Order, open, pay, confirm and cancel, each command many times; the order's id."""
    buyer = repeats.buyer
    await buyer.made("/cart/items", {"productId": product_id, "qty": 1})
    wish = {"addressId": address_id, "paymentMethod": "razorpay"}
    order = await repeats.command("/orders", wish, {**wish, "paymentMethod": "cod"})
    opening = {"orderId": order["orderId"]}
    opened = await repeats.command("/payments/razorpay/order", opening, {"orderId": "ord_other"})
    handed = await buyer.check_out(opened["razorpayOrderId"])
    paid = await repeats.command("/payments/verify", handed, {**handed, "razorpay_signature": "0"})
    if paid["status"] != "completed":
        repeats.violations.append(f"{order['orderId']} was paid and is {paid['status']}")
    path = f"/orders/{order['orderId']}/cancel"
    await repeats.command(path, {"reason": "too many"}, {"reason": "none"}, key_needed=False)
    refunds = (await buyer.get(f"/payments/{paid['paymentId']}/refunds"))["items"]
    if len(refunds) > 1:
        repeats.violations.append(f"{order['orderId']}: {len(refunds)} refunds")
    return str(order["orderId"])
