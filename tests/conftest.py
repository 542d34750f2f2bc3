"""Engines for the tests: one embedded document server and one cache for the whole run, own names for each test."""

import tempfile
import uuid
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from services.kit.cache import open_redis
from services.kit.clock import ManualClock
from services.kit.embedded.home import Home
from services.kit.embedded.secantus import SecantusServer
from services.kit.embedded.valkey import ValkeyServer
from services.kit.ids import RandomIds
from services.kit.log import configure_logging
from services.kit.mongo import Mongo, open_mongo
from tests import servers
from tests.processes import CohortProcess

START = datetime(2026, 11, 1, 6, 30, tzinfo=UTC)


def pytest_configure() -> None:
    configure_logging("WARNING")
    servers.check_required()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Full sizes run when they are asked for."""
    if not config.option.markexpr:
        for item in items:
            if item.get_closest_marker("full"):
                item.add_marker(pytest.mark.skip(reason="full size: make bars"))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    terminalreporter.write_line(servers.report())


@pytest.fixture(scope="session")
def home() -> Iterator[Home]:
    with tempfile.TemporaryDirectory(prefix="cohort-tests-") as folder, Home(Path(folder) / "home") as opened:
        yield opened


@pytest.fixture(scope="session")
async def mongo_url(home: Home) -> AsyncIterator[str]:
    server = SecantusServer(home)
    url = server.start()
    await server.wait_ready()
    yield url
    server.stop()


@pytest.fixture(scope="session")
async def redis_url(home: Home) -> AsyncIterator[str]:
    server = ValkeyServer(home)
    url = server.start()
    await server.wait_ready()
    yield url
    server.stop()


@pytest.fixture
async def mongo(mongo_url: str) -> AsyncIterator[Mongo]:
    """A document server of the test's own: database names carry a fresh prefix."""
    opened = open_mongo(mongo_url, prefix=f"t{uuid.uuid4().hex[:10]}")
    yield opened
    opened.close()


@pytest.fixture
async def redis(redis_url: str):
    client = open_redis(redis_url)
    yield client
    await client.aclose()


@pytest.fixture(scope="session")
async def machine_redis_url() -> AsyncIterator[str]:
    """A database of the run's own on the machine's Redis."""
    async with servers.own_redis_database() as url:
        yield url


@pytest.fixture(params=["embedded", "machine"])
def each_redis_url(request: pytest.FixtureRequest) -> str:
    return request.getfixturevalue("redis_url" if request.param == "embedded" else "machine_redis_url")


@pytest.fixture
async def each_redis(each_redis_url: str):
    """The embedded cache, then the machine's Redis: what both must do."""
    client = open_redis(each_redis_url)
    yield client
    await client.aclose()


@pytest.fixture(scope="session")
async def cohort() -> AsyncIterator[CohortProcess]:
    """A real server, started by the command line on an empty home, with the demo in it."""
    with tempfile.TemporaryDirectory(prefix="cohort-e2e-") as folder:
        process = CohortProcess(Path(folder) / "home")
        process.start()
        try:
            await process.ready()
            yield process
        finally:
            process.stop()
            crashes = process.crashes()
        assert not crashes, "requests that crashed:\n" + "\n".join(crashes)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(START)


@pytest.fixture
def ids() -> RandomIds:
    return RandomIds()
