"""A crowd wants the last ten: ten get one, everybody else is told so, and nothing is counted twice."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from tests.processes import CohortProcess
from tests.shopper import ADDRESS, Shopper, eventually

pytestmark = pytest.mark.processes
UNITS = 10
AT_ONCE = 20


@dataclass(frozen=True)
class Crowd:
    """Buyers with an address each, and the seller they run to."""

    buyers: list[Shopper]
    addresses: list[str]
    seller: Shopper
    http: httpx.AsyncClient


@pytest.fixture(scope="module")
async def crowd(cohort: CohortProcess, request: pytest.FixtureRequest) -> AsyncIterator[Crowd]:
    """As many buyers as the parameter says."""
    seller = await Shopper.register(cohort.url, "Hot Seller", "SELLER")
    gate = asyncio.Semaphore(AT_ONCE)

    async def enter() -> tuple[Shopper, str]:
        async with gate:
            buyer = await Shopper.register(cohort.url)
            return buyer, (await buyer.made("/auth/users/me/addresses", ADDRESS))["addressId"]

    entered = await asyncio.gather(*(enter() for _ in range(request.param)))
    limits = httpx.Limits(max_connections=request.param, max_keepalive_connections=request.param)
    async with httpx.AsyncClient(base_url=cohort.url, timeout=120, limits=limits) as http:
        yield Crowd([buyer for buyer, _ in entered], [address for _, address in entered], seller, http)
    await asyncio.gather(*(buyer.leave() for buyer, _ in entered), seller.leave())


@pytest.mark.parametrize(
    ("crowd", "rounds"), [(60, 2), pytest.param(200, 10, marks=pytest.mark.full)], indirect=["crowd"]
)
@pytest.mark.timeout(1800)
async def test_a_crowd_of_buyers_of_ten_units_gets_exactly_ten(crowd: Crowd, rounds: int) -> None:
    for number in range(rounds):
        product = await crowd.seller.offer(UNITS, f"Hot lamp {number}")
        await _fill_carts(crowd, product["productId"])
        answers = await asyncio.gather(*(_order(crowd, place) for place in range(len(crowd.buyers))))
        _exactly_ten_won(answers)
        await _nothing_is_left(crowd, product["productId"])
        if number == 0:
            await _cancelled_units_come_back(crowd, product["productId"], answers)


async def _fill_carts(crowd: Crowd, product_id: str) -> None:
    gate = asyncio.Semaphore(AT_ONCE)

    async def fill(place: int) -> None:
        async with gate:
            await _send(crowd, place, "DELETE", "/cart")
            added = await _send(crowd, place, "POST", "/cart/items", {"productId": product_id, "qty": 1})
            assert added.status_code == 200, added.text

    await asyncio.gather(*(fill(place) for place in range(len(crowd.buyers))))


async def _order(crowd: Crowd, place: int) -> httpx.Response:
    wish = {"addressId": crowd.addresses[place], "paymentMethod": "razorpay"}
    return await _send(crowd, place, "POST", "/orders", wish)


async def _send(crowd: Crowd, place: int, method: str, path: str, body: Any = None) -> httpx.Response:
    headers = {"Authorization": f"Bearer {crowd.buyers[place].token}"}
    if path == "/orders":
        headers["Idempotency-Key"] = f"{crowd.buyers[place].user['userId']}-{asyncio.get_running_loop().time()}"
    return await crowd.http.request(method, path, json=body, headers=headers)


def _exactly_ten_won(answers: list[httpx.Response]) -> None:
    told = Counter((answer.status_code, answer.json().get("code")) for answer in answers)
    assert told == {(201, None): UNITS, (409, "out_of_stock"): len(answers) - UNITS}
    assert len({answer.json()["orderId"] for answer in answers if answer.status_code == 201}) == UNITS


async def _nothing_is_left(crowd: Crowd, product_id: str) -> None:
    product = await crowd.seller.get(f"/products/{product_id}")
    assert [variant["available"] for variant in product["variants"]] == [0]


async def _cancelled_units_come_back(crowd: Crowd, product_id: str, answers: list[httpx.Response]) -> None:
    """Ten were held and not one more: cancelling the ten orders gives ten back."""
    for place, answer in enumerate(answers):
        if answer.status_code == 201:
            gone = await _send(crowd, place, "POST", f"/orders/{answer.json()['orderId']}/cancel")
            assert gone.status_code == 200, gone.text

    async def ten_again() -> None:
        product = await crowd.seller.get(f"/products/{product_id}")
        assert [variant["available"] for variant in product["variants"]] == [UNITS]

    await eventually(ten_again)
