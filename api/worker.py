"""Background work of a process: relays, consumers and clocks, each supervised and named in the log."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping

from services.kit.log import get_logger

log = get_logger("worker")
Job = Callable[[], Awaitable[None]]
_RESTART_SECONDS = 1.0


def every(seconds: float, work: Callable[[], Awaitable[object]], woken: asyncio.Event | None = None) -> Job:
    """A job that works, then waits for `seconds` or for the event, for as long as it runs."""
    signal = woken or asyncio.Event()

    async def run() -> None:
        while True:
            signal.clear()
            await work()
            try:
                await asyncio.wait_for(signal.wait(), seconds)
            except TimeoutError:
                continue

    return run


class Worker:
    """Runs jobs until stopped. A job that fails is logged and started again: an outage must not end it for good."""

    def __init__(self, jobs: Mapping[str, Job]) -> None:
        self._jobs = jobs
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        self._tasks = [asyncio.create_task(self._supervise(name, job), name=name) for name, job in self._jobs.items()]

    async def _supervise(self, name: str, job: Job) -> None:
        while True:
            try:
                await job()
            except Exception:
                log.exception("job_failed", job=name)
            await asyncio.sleep(_RESTART_SECONDS)

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
