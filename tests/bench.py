"""Times and CPU of a real server with the demo in it: `make bench`.

CPU is that of the server and of all its child processes, divided by the number of requests. Requests come one after
another from one client; checkout (add, quote, order, open, pay, verify) is also measured with several buyers at once.
"""

import asyncio
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from tests.processes import CohortProcess
from tests.shopper import Chat, Shopper, eventually

READS = 200
WRITES = 60
CHECKOUTS = 40
BUYERS_AT_ONCE = 8
TURNS = 30
SETTLE_SECONDS = 8.0
QUERIES = ("red sneakers", "cotton saree", "pressure cooker", "wireless earbuds", "gift for a child", "running shoes")
Step = Callable[[int], Awaitable[Any]]


@dataclass(frozen=True)
class Measured:
    name: str
    seconds: list[float]
    cpu: float
    elapsed: float

    def line(self) -> str:
        median, p99 = statistics.median(self.seconds) * 1e3, _p99(self.seconds) * 1e3
        count = len(self.seconds)
        rate, cpu = count / self.elapsed, self.cpu / count * 1e3
        return f"{self.name:<26} {median:8.1f} ms {p99:8.1f} ms {cpu:8.1f} ms {rate:8.1f}/s   n={count}"


def _p99(values: list[float]) -> float:
    return sorted(values)[min(len(values) - 1, int(len(values) * 0.99))]


def _cpu(cohort: CohortProcess) -> float:
    total = 0.0
    for process in cohort.family():
        with suppress(psutil.NoSuchProcess):
            spent = process.cpu_times()
            total += spent.user + spent.system
    return total


async def _measure(cohort: CohortProcess, name: str, count: int, step: Step, at_once: int = 1) -> Measured:
    seconds: list[float] = []
    numbers = iter(range(count))

    async def client() -> None:
        for number in numbers:
            started = time.perf_counter()
            await step(number)
            seconds.append(time.perf_counter() - started)

    before, started = _cpu(cohort), time.perf_counter()
    await asyncio.gather(*(client() for _ in range(at_once)))
    return Measured(name, seconds, _cpu(cohort) - before, time.perf_counter() - started)


async def _reads(cohort: CohortProcess, buyer: Shopper) -> list[Measured]:
    ids = [card["productId"] for card in (await buyer.get("/products", limit=50))["items"]]
    return [
        await _measure(cohort, "product list", READS, lambda n: buyer.get("/products", limit=20, page=1 + n % 10)),
        await _measure(cohort, "product detail", READS, lambda n: buyer.get(f"/products/{ids[n % len(ids)]}")),
        await _measure(cohort, "search", READS, lambda n: buyer.get("/products", q=QUERIES[n % len(QUERIES)])),
    ]


async def _writes(cohort: CohortProcess, buyer: Shopper, seller: Shopper) -> list[Measured]:
    lamp = (await seller.offer(100_000))["productId"]
    one = {"productId": lamp, "qty": 1}

    async def add(_number: int) -> None:
        await buyer.made("/cart/items", one)

    buyers = [await Shopper.register(cohort.url) for _ in range(BUYERS_AT_ONCE)]
    addresses = [await who.add_address() for who in buyers]

    async def purchase(number: int) -> None:
        who, address = buyers[number % BUYERS_AT_ONCE], addresses[number % BUYERS_AT_ONCE]
        await who.made("/cart/items", one)
        await who.pay((await who.place(address))["orderId"])

    measured = [
        await _measure(cohort, "add to cart", WRITES, add),
        await _measure(cohort, "checkout, one buyer", CHECKOUTS, lambda n: purchase(n * BUYERS_AT_ONCE)),
    ]
    locks = [asyncio.Lock() for _ in buyers]

    async def in_turn(number: int) -> None:
        async with locks[number % BUYERS_AT_ONCE]:
            await purchase(number)

    measured.append(await _measure(cohort, "checkout, eight buyers", CHECKOUTS, in_turn, at_once=BUYERS_AT_ONCE))
    for who in buyers:
        await who.leave()
    return measured


async def _turns(cohort: CohortProcess, buyer: Shopper, seller: Shopper) -> list[Measured]:
    first: dict[str, list[float]] = {"search": [], "add": []}
    lamp = await seller.offer(1_000, "Zephyrine lantern")

    async def findable() -> None:
        assert (await buyer.get("/products", q="zephyrine lantern"))["items"][0]["productId"] == lamp["productId"]

    await eventually(findable)

    async with buyer.chat() as chat:

        async def search(number: int) -> None:
            first["search"].append(await _turn(chat, f"{QUERIES[number % len(QUERIES)]} under {2000 + number}"))

        async def add(_number: int) -> None:
            first["add"].append(await _turn(chat, "add the first one"))

        whole = await _measure(cohort, "chat search, last frame", TURNS, search)
        await chat.say("zephyrine lantern")
        added = await _measure(cohort, "chat add, last frame", TURNS, add)
    return [
        Measured("chat search, first frame", first["search"], whole.cpu, whole.elapsed),
        whole,
        Measured("chat add, first frame", first["add"], added.cpu, added.elapsed),
        added,
    ]


async def _turn(chat: Chat, text: str) -> float:
    """Seconds to the first frame; returns when the turn has ended."""
    started = time.perf_counter()
    await chat.send(type="message", id=f"bench-{time.perf_counter_ns()}", text=text)
    while "seq" not in await chat.next():
        pass
    first = time.perf_counter() - started
    while chat.frames[-1]["type"] not in {"done", "error"}:
        await chat.next()
    assert chat.frames[-1]["type"] == "done", chat.frames[-1]
    return first


def _resident(cohort: CohortProcess) -> str:
    sizes = [(process.name(), process.memory_info().rss / 2**20) for process in cohort.family()]
    return f"{sum(size for _, size in sizes):.0f} MB ({', '.join(f'{name} {size:.0f}' for name, size in sizes)})"


async def bench(home: Path) -> None:
    cohort = CohortProcess(home)
    cohort.start()
    try:
        print(f"start on an empty home       {await cohort.ready():6.1f} s")
        cohort.stop()
        cohort.start()
        print(f"start again                  {await cohort.ready():6.1f} s")
        await asyncio.sleep(SETTLE_SECONDS)
        print(f"resident, idle               {_resident(cohort)}")
        await _figures(cohort)
    finally:
        cohort.stop()


async def _figures(cohort: CohortProcess) -> None:
    buyer = await Shopper.register(cohort.url)
    seller = await Shopper.register(cohort.url, "Bench Lamps", "SELLER")
    await buyer.add_address()
    print(f"\n{'':<26} {'median':>11} {'p99':>11} {'CPU each':>11} {'rate':>10}")
    for part in (_reads(cohort, buyer), _writes(cohort, buyer, seller), _turns(cohort, buyer, seller)):
        for measured in await part:
            print(measured.line())
    await buyer.leave()
    await seller.leave()


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="cohort-bench-") as folder:
        asyncio.run(bench(Path(folder) / "home"))


if __name__ == "__main__":
    main()
