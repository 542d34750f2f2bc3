import asyncio
from datetime import timedelta

import httpx
import pytest

from services.kit.clock import ManualClock
from tests.services.auth.conftest import PASSWORD, Auth
from tests.services.auth.test_auth_addresses import HOME

ACCOUNT = {"name": "Asha", "email": "asha@example.com", "password": PASSWORD, "role": "USER"}


async def registered(http: httpx.AsyncClient, prefix: str = "") -> httpx.Response:
    response = await http.post(f"{prefix}/auth/register", json=ACCOUNT)
    assert response.status_code == 201, response.text
    http.headers["Authorization"] = f"Bearer {response.json()['accessToken']}"
    return response


async def test_register_answers_tokens_and_keeps_the_refresh_token_in_its_cookie(http: httpx.AsyncClient):
    response = await registered(http)
    assert set(response.json()) == {"user", "accessToken", "expiresIn"}
    assert set(response.json()["user"]) == {"userId", "name", "email", "roles"}
    cookie = response.headers["set-cookie"].lower()
    for attribute in ("cohort_refresh=ses_", "httponly", "samesite=strict", "path=/auth;", "secure", "max-age=2592000"):
        assert attribute in cookie


async def test_login_and_me(http: httpx.AsyncClient):
    await registered(http)
    response = await http.post("/auth/login", json={"email": "asha@example.com", "password": PASSWORD})
    assert response.status_code == 200
    assert response.headers["cache-control"] == "no-store"
    assert (await http.get("/auth/me")).json() == response.json()["user"]
    renamed = await http.patch("/auth/users/me", json={"name": "Asha Rao", "roles": ["admin"]})
    assert (renamed.json()["name"], renamed.json()["roles"]) == ("Asha Rao", ["customer"])


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"email": "x"}, "email"),
        ({"password": "short"}, "password"),
        ({"role": "ADMIN"}, "role"),
        ({"name": ""}, "name"),
    ],
)
async def test_a_bad_registration_names_its_field(http: httpx.AsyncClient, change: dict[str, str], field: str):
    response = await http.post("/auth/register", json={**ACCOUNT, **change})
    assert (response.status_code, response.json()["code"], response.json()["field"]) == (422, "invalid", field)
    assert PASSWORD not in response.text


async def test_a_taken_e_mail_and_a_wrong_password_say_so(http: httpx.AsyncClient):
    await registered(http)
    taken = await http.post("/auth/register", json=ACCOUNT)
    assert (taken.status_code, taken.json()["code"]) == (409, "email_taken")
    wrong = await http.post("/auth/login", json={"email": "asha@example.com", "password": "wrong"})
    assert (wrong.status_code, wrong.json()["code"]) == (401, "bad_credentials")


@pytest.mark.parametrize("prefix", ["", "/v1"])
async def test_refresh_rotates_the_cookie(http: httpx.AsyncClient, prefix: str):
    await registered(http, prefix)
    before = http.cookies["cohort_refresh"]
    response = await http.post(f"{prefix}/auth/refresh")
    assert response.status_code == 200
    assert http.cookies["cohort_refresh"] != before


async def test_a_used_cookie_is_refused_and_the_family_with_it(http: httpx.AsyncClient, auth: Auth, clock: ManualClock):
    await registered(http)
    used = http.cookies["cohort_refresh"]
    await http.post("/auth/refresh")
    clock.advance(timedelta(seconds=11))
    csrf = http.cookies["cohort_csrf"]
    stolen = await http.post("/auth/refresh", headers={"Cookie": f"cohort_refresh={used}; cohort_csrf={csrf}"})
    assert (stolen.status_code, stolen.json()["code"]) == (401, "refresh_refused")
    assert [s["revoked_at"] for s in await auth.sessions()] == [clock.now()]
    assert (await http.post("/auth/refresh")).status_code == 401


async def test_fifty_tabs_with_one_cookie_get_one_successor_that_lives(
    http: httpx.AsyncClient, auth: Auth, clock: ManualClock
):
    await registered(http)
    used, csrf = http.cookies["cohort_refresh"], http.cookies["cohort_csrf"]
    headers = {"Cookie": f"cohort_refresh={used}; cohort_csrf={csrf}"}
    answers = await asyncio.gather(*(http.post("/auth/refresh", headers=headers) for _ in range(50)))
    assert sorted(answer.status_code for answer in answers) == [200] + [401] * 49
    assert (await http.post("/auth/refresh")).status_code == 200
    clock.advance(timedelta(seconds=11))
    assert (await http.post("/auth/refresh", headers=headers)).status_code == 401
    assert (await http.post("/auth/refresh")).status_code == 401


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://shop.example"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
    ids=str,
)
@pytest.mark.parametrize("path", ["/auth/refresh", "/auth/logout"])
async def test_the_cookie_does_nothing_for_a_foreign_page(http: httpx.AsyncClient, path: str, headers: dict[str, str]):
    await registered(http)
    del http.headers["Authorization"]
    response = await http.post(path, headers=headers)
    assert (response.status_code, response.json()["code"]) == (403, "origin_refused")
    for origin in ("https://shop.example", "https://pages.example"):
        allowed = await http.post("/auth/refresh", headers={"Origin": origin})
        assert allowed.status_code == 200


async def test_logout_ends_the_session_clears_the_cookie_and_may_be_repeated(http: httpx.AsyncClient):
    await registered(http)
    for _ in range(2):
        response = await http.post("/auth/logout")
        assert response.status_code == 204
    assert "cohort_refresh" not in http.cookies
    assert (await http.get("/auth/me")).status_code == 401
    assert (await http.post("/auth/refresh")).json()["code"] == "refresh_refused"


async def test_addresses_over_http(http: httpx.AsyncClient):
    await registered(http)
    path = "/auth/users/me/addresses"
    made = await http.post(path, json={**HOME, "userId": "usr_other"})
    assert made.status_code == 201
    kept = made.json()
    assert (kept["isDefault"], kept["zipCode"], kept["phone"]) == (True, "560001", "+919876543210")
    assert (await http.get(path)).json() == {"items": [kept], "nextCursor": None}
    moved = await http.patch(f"{path}/{kept['addressId']}", json={"pincode": "560002"})
    assert moved.json()["zipCode"] == "560002"
    bad = await http.post(path, json={**HOME, "phone": "12345"})
    assert (bad.status_code, bad.json()["field"]) == (422, "phone")
    assert (await http.delete(f"{path}/{kept['addressId']}")).status_code == 204
    assert (await http.delete(f"{path}/{kept['addressId']}")).status_code == 404


async def test_nobody_sees_no_account(http: httpx.AsyncClient):
    for method, path in (("GET", "/auth/me"), ("GET", "/auth/users/me/addresses"), ("PATCH", "/auth/users/me")):
        assert (await http.request(method, path, json={})).status_code == 401


async def test_the_public_keys_are_published(http: httpx.AsyncClient, auth: Auth):
    response = await http.get("/auth/.well-known/jwks.json")
    assert response.json() == auth.keys.jwks()
