"""Servers of the machine that tests may use: found, required or skipped with a reason.

`COHORT_TEST_REQUIRE=redis,rabbitmq` turns "not there, skipped" into a failure. Nothing of anybody else's on those
servers is touched: Redis gives a numbered database that was empty and is claimed for the run.
"""

import os
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest

from services.kit.cache import open_redis

REDIS = os.environ.get("COHORT_TEST_REDIS_URL", "redis://127.0.0.1:6379")
PORTS = {"redis": 6379, "rabbitmq": 5672}
UNUSED = {"rabbitmq": "no test of this version uses it: events are delivered in the process"}
_CLAIM = "cohort-tests:claimed"
_CLAIM_SECONDS = 3600


def required() -> set[str]:
    """The servers that must be there. Raises for a name there is not."""
    wanted = {name.strip() for name in os.environ.get("COHORT_TEST_REQUIRE", "").split(",")} - {""}
    if unknown := wanted - set(PORTS):
        raise pytest.UsageError(f"COHORT_TEST_REQUIRE names {', '.join(sorted(unknown))}; there are {', '.join(PORTS)}")
    return wanted


def answers(name: str) -> bool:
    """Whether something listens where the server would."""
    with suppress(OSError), socket.create_connection(("127.0.0.1", PORTS[name]), timeout=1):
        return True
    return False


def check_required() -> None:
    """Raises UsageError when a required server is absent."""
    for name in sorted(required()):
        if not answers(name):
            raise pytest.UsageError(f"COHORT_TEST_REQUIRE names {name}, and nothing answers on 127.0.0.1:{PORTS[name]}")


def report() -> str:
    """One line for the head of the test run."""
    found = [f"{name} on {port}" if answers(name) else f"{name} not found" for name, port in PORTS.items()]
    return "servers: " + ", ".join(found) + "".join(f" ({name}: {why})" for name, why in UNUSED.items())


@asynccontextmanager
async def own_redis_database() -> AsyncIterator[str]:
    """The URL of a database of the machine's Redis that was empty; emptied again at the end. Skips without Redis."""
    if not answers("redis"):
        pytest.skip("no Redis on 127.0.0.1:6379 (COHORT_TEST_REQUIRE=redis makes this a failure)")
    for number in range(15, 0, -1):
        url = f"{REDIS}/{number}"
        client = open_redis(url)
        try:
            if await _claim(client):
                yield url
                await client.flushdb()
                return
        finally:
            await client.aclose()
    pytest.fail("every numbered database of the machine's Redis is in use")


async def _claim(client: Any) -> bool:
    if await client.dbsize():
        return False
    return bool(await client.set(_CLAIM, os.getpid(), nx=True, ex=_CLAIM_SECONDS))
