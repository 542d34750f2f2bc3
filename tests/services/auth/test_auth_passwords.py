"""Passwords changed, forgotten and guessed; e-mail addresses confirmed: over HTTP."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import httpx
import pytest

from services.auth.adapters.lockout import LoginLockout
from services.kit.clock import ManualClock
from services.kit.ids import RandomIds
from tests.services.auth.conftest import PASSWORD, Auth, app_of, browser
from tests.services.auth.test_auth_devices import LOGIN, elsewhere
from tests.services.auth.test_auth_routes import registered

NEW = "another battery horse"


async def login(http: httpx.AsyncClient, password: str) -> int:
    return (await http.post("/auth/login", json={**LOGIN, "password": password})).status_code


async def test_a_changed_password_ends_all_other_sessions_and_is_told_by_mail(http: httpx.AsyncClient, auth: Auth):
    user_id = (await registered(http)).json()["user"]["userId"]
    phone = await elsewhere(http)
    change = {"currentPassword": PASSWORD, "newPassword": NEW}
    wrong = await http.post("/auth/password/change", json={**change, "currentPassword": "no"})
    assert (wrong.status_code, wrong.json()["code"], wrong.json()["field"]) == (
        403,
        "wrong_password",
        "currentPassword",
    )
    assert (await http.post("/auth/password/change", json=change)).status_code == 204
    assert (await http.get("/auth/me")).status_code == 200
    assert (await http.get("/auth/me", headers=phone)).status_code == 401
    assert (await login(http, PASSWORD), await login(http, NEW)) == (401, 200)
    await auth.service.send_requested_mail()
    assert auth.mail.of("password_changed") == [user_id]


async def test_a_mailed_link_sets_a_new_password_once(http: httpx.AsyncClient, auth: Auth):
    await registered(http)
    await http.post("/auth/password/forgot", json={"email": "ASHA@example.com"})
    token = await auth.mailed("password_reset")
    reset = {"token": token, "newPassword": NEW}
    assert (await http.post("/auth/password/reset", json=reset)).status_code == 204
    assert (await http.get("/auth/me")).status_code == 401
    assert (await login(http, PASSWORD), await login(http, NEW)) == (401, 200)
    again = await http.post("/auth/password/reset", json=reset)
    assert (again.status_code, again.json()["code"], again.json()["field"]) == (400, "link_refused", "token")


async def test_a_link_ends_after_thirty_minutes_and_with_any_newer_password(
    http: httpx.AsyncClient, auth: Auth, clock: ManualClock
):
    await registered(http)
    await http.post("/auth/password/forgot", json={"email": "asha@example.com"})
    late = await auth.mailed("password_reset")
    clock.advance(timedelta(minutes=31))
    await http.post("/auth/login", json=LOGIN)
    for _ in range(2):
        await http.post("/auth/password/forgot", json={"email": "asha@example.com"})
    first = await auth.mailed("password_reset")
    second = auth.mail.sent[-2][2]["link"].partition("#token=")[2]
    assert first != second
    outcomes = [
        (await http.post("/auth/password/reset", json={"token": token, "newPassword": NEW})).status_code
        for token in (late, first, second)
    ]
    assert outcomes == [400, 204, 400]


async def test_forgot_answers_the_same_for_an_unknown_e_mail_and_mails_nobody(http: httpx.AsyncClient, auth: Auth):
    await registered(http)
    known = await http.post("/auth/password/forgot", json={"email": "asha@example.com"})
    unknown = await http.post("/auth/password/forgot", json={"email": "nobody@example.com"})
    assert (known.status_code, known.content) == (unknown.status_code, unknown.content) == (202, b"")
    await auth.service.send_requested_mail()
    assert len(auth.mail.of("password_reset")) == 1


async def test_no_token_is_kept_in_the_clear_or_told_by_events(http: httpx.AsyncClient, auth: Auth):
    await registered(http)
    await http.post("/auth/password/forgot", json={"email": "asha@example.com"})
    token = await auth.mailed("password_reset")
    database = auth.outbox.database
    kept = [await database[name].find({}).to_list(None) for name in await database.list_collection_names()]
    assert token not in str(kept)
    assert len(kept) > 3


async def test_mail_that_could_not_be_handed_over_is_asked_for_again(http: httpx.AsyncClient, auth: Auth):
    await registered(http)
    auth.mail.trouble.append(ConnectionError("away"))
    with pytest.raises(ConnectionError):
        await auth.service.send_requested_mail()
    assert await auth.service.send_requested_mail() == 1
    assert auth.mail.of("verify_email") == [(await http.get("/auth/me")).json()["userId"]]
    assert await auth.service.send_requested_mail() == 0


async def test_the_link_of_the_registration_confirms_the_e_mail_once(http: httpx.AsyncClient, auth: Auth):
    user_id = (await registered(http)).json()["user"]["userId"]
    assert not (await auth.user(user_id))["email_verified"]
    token = await auth.mailed("verify_email")
    wrong_kind = await http.post("/auth/password/reset", json={"token": token, "newPassword": NEW})
    assert wrong_kind.json()["code"] == "link_refused"
    assert (await http.post("/auth/email/verify", json={"token": token})).status_code == 204
    assert (await auth.user(user_id))["email_verified"]
    assert (await http.post("/auth/email/verify", json={"token": token})).status_code == 400


@pytest.fixture
async def guarded(make_auth: Any, redis: Any, ids: RandomIds) -> Auth:
    return await make_auth(lockout=LoginLockout(redis, name=ids.new("lck")))


@pytest.fixture
async def door(guarded: Auth) -> AsyncIterator[httpx.AsyncClient]:
    async with browser(httpx.ASGITransport(app=app_of(guarded.service, guarded))) as client:
        yield client


@pytest.mark.parametrize("email", ["asha@example.com", "nobody@example.com"])
async def test_ten_wrong_passwords_lock_logins_for_a_while_but_no_live_session(
    door: httpx.AsyncClient, clock: ManualClock, email: str
):
    await registered(door)
    statuses = [
        (await door.post("/auth/login", json={"email": email, "password": "guess"})).status_code for _ in range(11)
    ]
    assert statuses == [401] * 10 + [429]
    locked = await door.post("/auth/login", json={"email": email, "password": PASSWORD})
    assert (locked.status_code, locked.json()["code"]) == (429, "login_locked")
    assert 890 <= int(locked.headers["retry-after"]) <= 901
    assert (await door.get("/auth/me")).status_code == 200
    assert (await door.post("/auth/refresh")).status_code == 200
    clock.advance(timedelta(minutes=15, seconds=1))
    after = await door.post("/auth/login", json={"email": email, "password": PASSWORD})
    assert after.status_code == (200 if email.startswith("asha") else 401)


async def test_wrong_passwords_spread_over_time_or_followed_by_the_right_one_lock_nothing(
    door: httpx.AsyncClient, clock: ManualClock
):
    await registered(door)
    for _ in range(3):
        for _ in range(9):
            assert await login(door, "guess") == 401
        assert await login(door, PASSWORD) == 200
    for _ in range(30):
        assert await login(door, "guess") == 401
        clock.advance(timedelta(minutes=2))


async def test_a_reset_by_mail_unlocks(door: httpx.AsyncClient, guarded: Auth):
    await registered(door)
    for _ in range(10):
        await login(door, "guess")
    assert await login(door, PASSWORD) == 429
    await door.post("/auth/password/forgot", json={"email": "asha@example.com"})
    reset = {"token": await guarded.mailed("password_reset"), "newPassword": NEW}
    assert (await door.post("/auth/password/reset", json=reset)).status_code == 204
    assert await login(door, NEW) == 200


async def test_no_password_is_checked_while_nobody_counts(make_auth: Any, redis_away: Any):
    auth: Auth = await make_auth(lockout=LoginLockout(redis_away))
    async with browser(httpx.ASGITransport(app=app_of(auth.service, auth))) as http:
        await registered(http)
        assert await login(http, PASSWORD) == 503
