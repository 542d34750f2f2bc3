"""The shared cache, rate limits and revoked sessions: the same on the embedded cache and on the machine's Redis."""

import asyncio
from typing import Any

import pytest

from services.auth.adapters.revoked import RevokedSessions
from services.kit.cache import Cache, TokenBucket, open_redis
from services.kit.errors import RateLimited
from services.kit.ids import RandomIds

NOW = 1_790_000_000.0


@pytest.fixture
def cache(each_redis: Any, ids: RandomIds) -> Cache:
    return Cache(each_redis, f"{ids.new('tst')}:")


def bucket(client: Any, ids: RandomIds, **options: Any) -> TokenBucket:
    return TokenBucket(client, per_second=1.0, burst=3, name=ids.new("tst"), **options)


async def test_what_was_put_is_read_until_it_is_dropped(cache):
    await cache.put_json("chair", {"price": 149900}, seconds=60)
    assert await cache.get_json("chair") == {"price": 149900}
    await cache.drop("chair")
    assert await cache.get_json("chair") is None


async def test_many_are_answered_in_the_order_asked(cache):
    await cache.put("b", b"2", seconds=60)
    assert await cache.get_many(["a", "b", "c"]) == [None, b"2", None]
    assert await cache.get_many([]) == []


async def test_a_value_lives_as_long_as_was_said(each_redis, ids):
    prefix = ids.new("tst")
    await Cache(each_redis, prefix).put("short", b"1", seconds=60)
    assert 0 < await each_redis.ttl(f"{prefix}short") <= 60


async def test_a_slow_reader_does_not_bring_back_what_was_retired(cache):
    await cache.put("chair", b"old", seconds=60)
    await cache.retire("chair")
    await cache.put_new({"chair": b"old", "table": b"new"}, seconds=60)
    assert await cache.get_many(["chair", "table"]) == [b"", b"new"]


async def test_a_cache_that_is_away_reads_as_a_miss():
    away = open_redis("redis://127.0.0.1:1/0")
    assert await Cache(away, "x:").get("chair") is None
    assert await Cache(away, "x:").get_many(["a", "b"]) == [None, None]
    await away.aclose()


async def test_the_bucket_gives_its_burst_and_then_says_how_long_to_wait(each_redis, ids):
    limit = bucket(each_redis, ids)
    for _ in range(3):
        await limit.take("asha", NOW)
    with pytest.raises(RateLimited) as refused:
        await limit.take("asha", NOW)
    assert refused.value.retry_after is not None
    assert 1 <= refused.value.retry_after <= 2


async def test_the_bucket_fills_again_with_time_and_each_has_their_own(each_redis, ids):
    limit = bucket(each_redis, ids)
    for _ in range(3):
        await limit.take("asha", NOW)
    await limit.take("ravi", NOW)
    await limit.take("asha", NOW + 1)
    with pytest.raises(RateLimited):
        await limit.take("asha", NOW + 1)


async def test_callers_at_once_get_the_burst_and_no_more(each_redis, ids):
    limit = bucket(each_redis, ids)
    outcomes = await asyncio.gather(*(limit.take("asha", NOW) for _ in range(20)), return_exceptions=True)
    assert outcomes.count(None) == 3
    assert sum(isinstance(outcome, RateLimited) for outcome in outcomes) == 17


async def test_a_revoked_session_is_known_and_another_is_not(each_redis, ids):
    revoked = RevokedSessions(each_redis, keep_seconds=60)
    gone, alive = ids.new("ses"), ids.new("ses")
    await revoked.add([gone])
    assert (await revoked.knows(gone), await revoked.knows(alive)) == (True, False)
    assert 0 < await each_redis.ttl(f"revoked:{gone}") <= 60
