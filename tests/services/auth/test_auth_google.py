"""Sign-in by Google, against a provider that the tests start."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key

from services.auth.adapters.google import GoogleSignIn
from services.kit.clock import ManualClock
from tests.fakes.openid import Provider, running
from tests.services.auth.conftest import PASSWORD, Auth, MakeAuth, app_of, browser
from tests.services.auth.test_auth_devices import LOGIN
from tests.services.auth.test_auth_routes import registered

ASHA = {"sub": "1001", "email": "asha@example.com", "email_verified": True, "name": "Asha Rao"}
CALLBACK = "https://shop.example/auth/google/callback"


@pytest.fixture
async def provider(clock: ManualClock) -> AsyncIterator[Provider]:
    async with running(Provider(person=dict(ASHA), now=lambda: clock.now().timestamp())) as started:
        yield started


@pytest.fixture
async def shop(make_auth: MakeAuth, provider: Provider, clock: ManualClock) -> Auth:
    google = GoogleSignIn(
        provider.client_id, provider.client_secret, redirect_uri=CALLBACK, clock=clock, issuer=provider.url
    )
    return await make_auth(google=google)


@pytest.fixture
async def page(shop: Auth) -> AsyncIterator[httpx.AsyncClient]:
    async with browser(httpx.ASGITransport(app=app_of(shop.service, shop))) as client:
        yield client


async def said_yes(page: httpx.AsyncClient) -> str:
    """The address Google sends the browser back to."""
    begun = await page.get("/auth/google")
    assert begun.status_code == 302
    async with httpx.AsyncClient() as outside:
        return (await outside.get(begun.headers["location"])).headers["location"]


async def test_without_a_client_id_there_is_no_google(http: httpx.AsyncClient):
    for path in ("/auth/google", "/auth/google/callback?state=x&code=y"):
        answer = await http.get(path)
        assert (answer.status_code, answer.json()["code"]) == (404, "google_not_configured")


async def test_a_new_account_has_no_password_and_a_verified_e_mail(page: httpx.AsyncClient, shop: Auth):
    back = await page.get(await said_yes(page))
    assert back.status_code == 200, back.text
    row = await shop.user(back.json()["user"]["userId"])
    assert (row["password_hash"], row["email_verified"], row["google_subject"]) == (None, True, "1001")
    assert "cohort_refresh" in page.cookies
    assert (await page.post("/auth/refresh")).status_code == 200
    assert (await page.post("/auth/login", json=LOGIN)).json()["code"] == "bad_credentials"
    assert [kind for kind, _ in await shop.events()] == ["user.created"]


async def test_the_same_google_account_enters_the_same_account_whatever_its_e_mail_is_now(
    page: httpx.AsyncClient, provider: Provider
):
    first = (await page.get(await said_yes(page))).json()["user"]
    provider.person["email"] = "new@example.com"
    assert (await page.get(await said_yes(page))).json()["user"] == first


async def test_a_verified_e_mail_links_to_its_account_with_password_and_sessions_when_both_proved_it(
    page: httpx.AsyncClient, shop: Auth
):
    mine = (await registered(page)).json()["user"]
    token = await shop.mailed("verify_email")
    await page.post("/auth/email/verify", json={"token": token})
    assert (await page.get(await said_yes(page))).json()["user"]["userId"] == mine["userId"]
    assert (await page.get("/auth/me")).status_code == 200
    assert (await page.post("/auth/login", json=LOGIN)).status_code == 200


async def test_who_registered_somebody_elses_e_mail_ahead_is_out_once_its_owner_comes(page: httpx.AsyncClient):
    await registered(page)
    squatter = {"Authorization": page.headers.pop("Authorization")}
    assert (await page.get(await said_yes(page))).status_code == 200
    assert (await page.get("/auth/me", headers=squatter)).status_code == 401
    assert (await page.post("/auth/login", json=LOGIN)).json()["code"] == "bad_credentials"


async def test_an_e_mail_that_google_does_not_call_verified_links_to_nothing(
    page: httpx.AsyncClient, provider: Provider, shop: Auth
):
    await registered(page)
    provider.person["email_verified"] = False
    answer = await page.get(await said_yes(page))
    assert (answer.status_code, answer.json()["code"]) == (409, "email_taken")
    provider.person |= {"sub": "1002", "email": "binod@example.com"}
    made = await page.get(await said_yes(page))
    assert not (await shop.user(made.json()["user"]["userId"]))["email_verified"]


async def test_a_code_works_once_in_the_browser_that_began_within_ten_minutes(
    page: httpx.AsyncClient, shop: Auth, provider: Provider, clock: ManualClock
):
    back = await said_yes(page)
    async with browser(httpx.ASGITransport(app=app_of(shop.service, shop))) as attacker:
        assert (await attacker.get(back)).json()["code"] == "google_refused"
    assert (await page.get(back)).json()["code"] == "google_refused"
    late = await said_yes(page)
    clock.advance(timedelta(minutes=11))
    assert (await page.get(late)).json()["code"] == "google_refused"
    cancelled = (await said_yes(page)).partition("?")[0] + "?error=access_denied&state=x"
    assert (await page.get(cancelled)).json()["code"] == "google_refused"
    assert provider.exchanges == 0
    good = await said_yes(page)
    assert (await page.get(good)).status_code == 200
    assert (await page.get(good)).json()["code"] == "google_refused"


FORGERIES: dict[str, dict[str, Any]] = {
    "another audience": {"aud": "other-client"},
    "another issuer": {"iss": "https://evil.example"},
    "another nonce": {"nonce": "x"},
    "expired": {"exp": 1_000},
    "another party": {"azp": "other-client"},
    "no subject": {"sub": ""},
}


@pytest.mark.parametrize("forgery", [*FORGERIES, "another key", "HS256"])
async def test_an_identity_token_that_does_not_hold_lets_nobody_in(
    page: httpx.AsyncClient, provider: Provider, shop: Auth, forgery: str
):
    if forgery == "another key":
        provider.signing_key = generate_private_key(65537, 2048)
    elif forgery == "HS256":
        provider.algorithm = "HS256"
    provider.forge = lambda claims: {**claims, **FORGERIES.get(forgery, {})}
    answer = await page.get(await said_yes(page))
    assert (answer.status_code, answer.json()["code"]) == (401, "google_refused"), answer.text
    assert await shop.sessions() == []


async def test_an_account_without_a_password_is_deleted_after_a_fresh_login_only(
    page: httpx.AsyncClient, clock: ManualClock
):
    signed_in = (await page.get(await said_yes(page))).json()
    page.headers["Authorization"] = f"Bearer {signed_in['accessToken']}"
    clock.advance(timedelta(minutes=11))
    stale = await page.request("DELETE", "/auth/users/me", json={})
    assert (stale.status_code, stale.json()["code"]) == (403, "fresh_login_required")
    guessed = await page.request("DELETE", "/auth/users/me", json={"password": PASSWORD})
    assert guessed.json()["code"] == "wrong_password"
    fresh = (await page.get(await said_yes(page))).json()
    page.headers["Authorization"] = f"Bearer {fresh['accessToken']}"
    assert (await page.request("DELETE", "/auth/users/me", json={})).status_code == 204


async def test_a_provider_that_is_away_is_told_so(make_auth: MakeAuth, clock: ManualClock):
    google = GoogleSignIn("id", None, redirect_uri=CALLBACK, clock=clock, issuer="http://127.0.0.1:1")
    auth: Auth = await make_auth(google=google)
    async with browser(httpx.ASGITransport(app=app_of(auth.service, auth))) as page:
        answer = await page.get("/auth/google")
        assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
