import asyncio
from datetime import timedelta
from typing import Any

import pytest

from services.contracts.auth import Login, RefreshRefused, SignedIn
from services.kit.clock import ManualClock, SystemClock
from tests.services.auth.conftest import LAPTOP, PASSWORD, Auth


async def refused(auth: Auth, token: str) -> bool:
    try:
        await auth.service.refresh(token, LAPTOP)
    except RefreshRefused:
        return True
    return False


async def test_a_refresh_gives_a_new_pair_of_the_same_session(auth: Auth):
    first = await auth.register()
    second = await auth.service.refresh(first.refresh_token, LAPTOP)
    assert second.refresh_token != first.refresh_token
    assert auth.who(second).session_id == auth.who(first).session_id


async def test_of_fifty_simultaneous_refreshes_one_gets_a_successor_and_it_lives(make_auth):
    auth: Auth = await make_auth(time=SystemClock())
    first = await auth.register()
    tries = (auth.service.refresh(first.refresh_token, LAPTOP) for _ in range(50))
    outcomes = await asyncio.gather(*tries, return_exceptions=True)
    winners = [o for o in outcomes if isinstance(o, SignedIn)]
    assert sum(isinstance(o, RefreshRefused) for o in outcomes) == 49
    assert len(winners) == 1
    assert await auth.service.is_live(str(auth.who(first).session_id))
    assert await auth.service.refresh(winners[0].refresh_token, LAPTOP)


async def test_a_used_token_ends_its_family_and_the_database_knows(auth: Auth, clock: ManualClock):
    first = await auth.register()
    second = await auth.service.refresh(first.refresh_token, LAPTOP)
    clock.advance(timedelta(seconds=11))
    assert await refused(auth, first.refresh_token)
    [session] = await auth.sessions()
    assert session["revoked_at"] == clock.now()
    assert await refused(auth, second.refresh_token)
    assert not await auth.service.is_live(session["_id"])


async def test_within_the_grace_a_used_token_is_refused_and_nothing_else(make_auth, clock: ManualClock):
    auth: Auth = await make_auth(race_grace_ms=2000)
    first = await auth.register()
    second = await auth.service.refresh(first.refresh_token, LAPTOP)
    clock.advance(timedelta(seconds=2))
    assert await refused(auth, first.refresh_token)
    assert await auth.service.refresh(second.refresh_token, LAPTOP)
    clock.advance(timedelta(seconds=3))
    assert await refused(auth, second.refresh_token)
    assert (await auth.sessions())[0]["revoked_at"] == clock.now()


async def test_a_token_used_two_rotations_ago_ends_its_family(auth: Auth):
    first = await auth.register()
    second = await auth.service.refresh(first.refresh_token, LAPTOP)
    third = await auth.service.refresh(second.refresh_token, LAPTOP)
    assert await refused(auth, first.refresh_token)
    assert await refused(auth, third.refresh_token)


async def test_other_sessions_of_the_account_outlive_a_revoked_family(auth: Auth, clock: ManualClock):
    first = await auth.register()
    other = await auth.service.login(Login(email="asha@example.com", password=PASSWORD), LAPTOP)
    await auth.service.refresh(first.refresh_token, LAPTOP)
    clock.advance(timedelta(seconds=11))
    assert await refused(auth, first.refresh_token)
    assert await auth.service.refresh(other.refresh_token, LAPTOP)


async def test_an_invented_token_with_a_right_session_id_ends_nothing(auth: Auth):
    first = await auth.register()
    session_id, family, secret = first.refresh_token.split(".")
    for token in (f"{session_id}.x.{secret}", f"{session_id}.x.y", session_id, "", "a.b.c", f"{session_id}..{family}"):
        assert await refused(auth, token)
    assert await auth.service.refresh(first.refresh_token, LAPTOP)


async def test_a_session_ends_for_good_however_often_it_was_refreshed(auth: Auth, clock: ManualClock):
    current = await auth.register()
    for _ in range(3):
        clock.advance(timedelta(days=9))
        current = await auth.service.refresh(current.refresh_token, LAPTOP)
    clock.advance(timedelta(days=3))
    assert await refused(auth, current.refresh_token)


async def test_the_database_holds_no_refresh_token(auth: Auth):
    _, family, secret = (await auth.register()).refresh_token.split(".")
    kept = str(await auth.sessions())
    assert family not in kept
    assert secret not in kept


async def test_logout_is_repeatable_and_works_within_the_life_of_the_access_token(auth: Auth):
    done = await auth.register()
    who = auth.who(done)
    assert await auth.service.is_live(str(who.session_id))
    for _ in range(2):
        await auth.service.logout(done.refresh_token, None)
    assert not await auth.service.is_live(str(who.session_id))
    assert await refused(auth, done.refresh_token)
    await auth.service.logout("nonsense", None)
    await auth.service.logout(None, None)


async def test_logout_by_the_access_token_alone_ends_its_session(auth: Auth):
    done = await auth.register()
    await auth.service.logout(None, auth.who(done))
    assert await refused(auth, done.refresh_token)


async def test_without_redis_everything_goes_on_and_the_database_is_asked(make_auth, redis_away: Any):
    auth: Auth = await make_auth(redis_client=redis_away)
    done = await auth.register()
    session_id = str(auth.who(done).session_id)
    again = await auth.service.login(Login(email="asha@example.com", password=PASSWORD), LAPTOP)
    done = await auth.service.refresh(done.refresh_token, LAPTOP)
    assert await auth.service.is_live(session_id)
    await auth.service.logout(done.refresh_token, None)
    assert not await auth.service.is_live(session_id)
    assert await auth.service.is_live(str(auth.who(again).session_id))
    assert not await auth.service.is_live("ses_unknown")


async def test_what_was_revoked_without_redis_is_copied_when_it_is_back(make_auth, redis: Any, redis_away: Any):
    blind: Auth = await make_auth(redis_client=redis_away)
    done = await blind.register()
    session_id = str(blind.who(done).session_id)
    await blind.service.logout(done.refresh_token, None)
    auth: Auth = await make_auth(redis_client=redis)
    assert await auth.service.mirror_revocations() == 1
    assert not await auth.service.is_live(session_id)
    assert 0 < await redis.ttl(f"revoked:{session_id}") <= 900


@pytest.mark.parametrize("minutes", [16, 60])
async def test_revocations_older_than_any_access_token_are_not_copied_again(auth: Auth, clock: ManualClock, minutes):
    done = await auth.register()
    await auth.service.logout(done.refresh_token, None)
    clock.advance(timedelta(minutes=minutes))
    assert await auth.service.mirror_revocations() == 0
