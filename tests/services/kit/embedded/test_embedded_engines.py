"""Both engines as they are used: real servers, killed parents, kept data."""

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import psutil
import pytest
import redis.asyncio as redis
from motor.motor_asyncio import AsyncIOMotorClient

from services.kit.embedded import EngineFailed, EngineMissing, Home, SecantusServer, ValkeyServer

pytestmark = pytest.mark.processes
WRITER = Path(__file__).with_name("writes_until_killed.py")
ROOT = Path(__file__).parents[4]


@asynccontextmanager
async def both_engines(path: Path) -> AsyncIterator[tuple[SecantusServer, ValkeyServer]]:
    with Home(path) as home:
        documents, cache = SecantusServer(home), ValkeyServer(home)
        try:
            documents.start()
            cache.start()
            await asyncio.gather(documents.wait_ready(), cache.wait_ready())
            yield documents, cache
        finally:
            await asyncio.gather(asyncio.to_thread(documents.stop), asyncio.to_thread(cache.stop))


async def stored(documents: SecantusServer, cache: ValkeyServer) -> tuple[set[int], set[int]]:
    mongo, keys = AsyncIOMotorClient(documents.url), redis.from_url(cache.url)
    found = {row["_id"] async for row in mongo.shop.orders.find()}
    names = {int(name.removeprefix(b"key:")) async for name in keys.scan_iter("key:*", count=1000)}
    mongo.close()
    await keys.aclose()
    return found, names


def kill_after(lines: int, path: Path, **extra: str) -> tuple[list[int], set[int], set[int]]:
    """Run the writer, kill -9 it after so many acknowledgements; the engines' pids and what was acknowledged."""
    pids: list[int] = []
    acknowledged: dict[str, set[int]] = {"document": set(), "key": set()}
    environment = {**os.environ, "PYTHONPATH": str(ROOT), **extra}
    with subprocess.Popen(
        [sys.executable, str(WRITER), str(path)], stdout=subprocess.PIPE, text=True, env=environment, cwd=path.parent
    ) as parent:
        assert parent.stdout
        for count, line in enumerate(parent.stdout):
            kind, *numbers = line.split()
            if kind == "pids":
                pids = [int(number) for number in numbers]
            elif line.endswith("\n"):
                acknowledged[kind].add(int(numbers[0]))
            if count == lines:
                parent.kill()
    return pids, acknowledged["document"], acknowledged["key"]


def gone_within(pids: list[int], seconds: float) -> bool:
    living = [psutil.Process(pid) for pid in pids if psutil.pid_exists(pid)]
    return not psutil.wait_procs(living, timeout=seconds)[1]


async def test_a_killed_parent_takes_its_engines_along_and_no_acknowledged_write_is_lost(tmp_path: Path):
    pids, documents, keys = kill_after(300, tmp_path / "home")
    assert len(pids) == 2
    assert gone_within(pids, 5)
    assert documents
    assert keys
    async with both_engines(tmp_path / "home") as engines:
        kept_documents, kept_keys = await stored(*engines)
    assert documents - kept_documents == set()
    assert keys - kept_keys == set()


async def test_a_clean_stop_leaves_no_child_and_keeps_everything(tmp_path: Path):
    async with both_engines(tmp_path / "home") as (documents, cache):
        pids = [documents.pid, cache.pid]
        mongo, keys = AsyncIOMotorClient(documents.url), redis.from_url(cache.url)
        await mongo.shop.orders.insert_one({"_id": 7})
        await keys.set("key:7", 7)
        mongo.close()
        await keys.aclose()
    assert not any(psutil.pid_exists(pid) for pid in pids)
    async with both_engines(tmp_path / "home") as engines:
        assert await stored(*engines) == ({7}, {7})


async def test_transactions_and_change_streams_find_the_replica_set_they_need(tmp_path: Path):
    async with both_engines(tmp_path / "home") as (documents, _):
        mongo = AsyncIOMotorClient(documents.url)
        await mongo.shop.orders.insert_one({"_id": 0})
        async with mongo.shop.orders.watch() as changes:
            async with await mongo.start_session() as session, session.start_transaction():
                await mongo.shop.orders.insert_one({"_id": 1}, session=session)
                await mongo.shop.orders.insert_one({"_id": 2}, session=session)
            seen = [(await anext(changes))["documentKey"]["_id"] for _ in range(2)]
        mongo.close()
    assert seen == [1, 2]


async def test_the_cache_works_below_a_path_too_long_or_too_odd_for_a_plain_socket(tmp_path: Path):
    for name in ("h" * 120, "fünf % ? #1"):
        with Home(tmp_path / name) as home:
            cache = ValkeyServer(home)
            cache.start()
            await cache.wait_ready()
            keys = redis.from_url(cache.url)
            assert await keys.set("a", 1)
            await keys.aclose()
            cache.stop()


async def test_only_the_owner_reaches_the_cache_and_nobody_by_network(tmp_path: Path):
    async with both_engines(tmp_path / "home") as (documents, cache):
        assert (tmp_path / "home" / "valkey.sock").stat().st_mode & 0o077 == 0
        assert psutil.Process(cache.pid).net_connections("inet") == []
        listening = [c.laddr.ip for c in psutil.Process(documents.pid).net_connections("inet") if c.status == "LISTEN"]
        assert listening == ["127.0.0.1"]


async def test_a_damaged_document_store_is_reported_and_left_as_it_is(tmp_path: Path):
    async with both_engines(tmp_path / "home") as engines:
        await stored(*engines)
    damaged = tmp_path / "home" / "documents" / "data" / "WiredTiger.turtle"
    damaged.write_bytes(damaged.read_bytes()[:20])
    files = sorted(path.name for path in damaged.parent.iterdir())
    with pytest.raises(EngineFailed, match=r"documents engine ended(?s:.)*documents\.log"):
        async with both_engines(tmp_path / "home"):
            pass
    assert sorted(path.name for path in damaged.parent.iterdir()) == files
    assert len(damaged.read_bytes()) == 20


def test_settings_of_another_installation_do_not_reach_the_document_store(tmp_path: Path):
    """A file of the user's own, in the place the server looks by itself, would ask for passwords here."""
    other = tmp_path / ".secantus" / "secantusd.toml"
    other.parent.mkdir()
    other.write_text("[server]\nauth = true\n")
    _, documents, _ = kill_after(20, tmp_path / "home", HOME=str(tmp_path))
    assert documents


async def test_a_missing_document_store_names_the_setting_that_replaces_it(tmp_path: Path):
    with Home(tmp_path / "home") as home, pytest.raises(EngineMissing, match="COHORT_MONGO_URL"):
        SecantusServer(home, module="no_such_document_store").start()


async def test_a_damaged_cache_is_reported_and_left_as_it_is(tmp_path: Path):
    with Home(tmp_path / "home") as home:
        manifest = home.folder("cache") / "appendonlydir" / "appendonly.aof.manifest"
        manifest.parent.mkdir()
        manifest.write_text("garbage\n")
        cache = ValkeyServer(home)
        cache.start()
        with pytest.raises(EngineFailed, match="cache engine ended"):
            await cache.wait_ready()
        cache.stop()
        assert manifest.read_text() == "garbage\n"
