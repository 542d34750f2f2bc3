"""A4: what a cookie authenticates is done for nobody but the page the user sees."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from tests.security.conftest import ORIGIN, World, bearer, register

CART = "/cart/items"
ITEM = {"productId": "prd_" + "0" * 32, "qty": 1}
GUEST_WRITES = [
    ("POST", CART, ITEM),
    ("PATCH", f"{CART}/prd_{'0' * 32}", {"qty": 2}),
    ("DELETE", f"{CART}/prd_{'0' * 32}", None),
    ("DELETE", "/cart", None),
    ("POST", "/chat", {"text": "hello", "id": "m1"}),
    ("POST", "/chat/tickets", None),
    ("DELETE", f"/chat/conversations/cnv_{'0' * 32}", None),
]
SESSION_WRITES = [("POST", "/auth/refresh", None), ("POST", "/auth/logout", None)]
ATTACKS = [
    "no token", "wrong token", "token of another session", "tossed pair", "token of an old session", "cross-site",
    "same-site", "foreign origin", "null origin", "text/plain", "form",
]  # fmt: skip


@dataclass
class Victim:
    """A browser with its cookies, and the tokens an attacker may have got hold of."""

    client: httpx.AsyncClient
    cookies: dict[str, str]
    others: str
    old: str

    def request(self, attack: str) -> dict[str, str]:
        """The headers of the forged request."""
        cookies, headers = dict(self.cookies), {"X-CSRF-Token": self.cookies["cohort_csrf"], "Origin": ORIGIN}
        if attack == "no token":
            del headers["X-CSRF-Token"]
        elif attack == "wrong token":
            headers["X-CSRF-Token"] = cookies["cohort_csrf"][:-1] + "x"
        elif attack == "token of another session":
            headers["X-CSRF-Token"] = self.others
        elif attack in {"tossed pair", "token of an old session"}:
            headers["X-CSRF-Token"] = cookies["cohort_csrf"] = self.others if attack == "tossed pair" else self.old
        elif attack in {"cross-site", "same-site"}:
            del headers["Origin"]
            headers["Sec-Fetch-Site"] = attack
        elif attack in {"foreign origin", "null origin"}:
            headers["Origin"] = "null" if attack == "null origin" else "https://evil.example"
        else:
            headers["Content-Type"] = "text/plain" if attack == "text/plain" else "application/x-www-form-urlencoded"
        headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in cookies.items())
        return headers


async def session_cookies(world: World) -> dict[str, str]:
    """A new session, with a guest's cart beside it."""
    async with world.client() as client:
        await client.get("/cart")
        await register(client)
        await client.get("/auth/csrf")
        return dict(client.cookies.items())


@pytest.fixture(scope="session")
async def victim(world: World) -> AsyncIterator[Victim]:
    cookies = await session_cookies(world)
    others = (await session_cookies(world))["cohort_csrf"]
    old = (await session_cookies(world))["cohort_csrf"]
    async with world.client() as client:
        yield Victim(client, cookies, others, old)


@pytest.mark.parametrize("attack", ATTACKS)
async def test_no_write_by_cookie_has_an_effect_that_the_page_did_not_mean(world: World, victim: Victim, attack: str):
    before = await world.contents()
    for method, path, body in [*SESSION_WRITES, *GUEST_WRITES]:
        headers = victim.request(attack)
        content = None if body is None else httpx.Request("POST", ORIGIN, json=body).content
        if "Content-Type" not in headers and content:
            headers["Content-Type"] = "application/json"
        answer = await victim.client.request(method, path, content=content, headers=headers)
        assert answer.status_code in {403, 415}, (path, answer.text)
        assert answer.json()["code"] in {"csrf_refused", "origin_refused", "unsupported_media_type"}
        assert "set-cookie" not in answer.headers
    assert await world.contents() == before


async def test_every_write_that_takes_a_guest_or_a_cookie_is_on_the_list(world: World):
    """A new route for guests has to come here: whatever answers a guest's cookie other than 401 is one."""
    listed = {(method, path.split("/")[1]) for method, path, _ in GUEST_WRITES}
    cookies = {"Cookie": f"cohort_cart={(await session_cookies(world))['cohort_cart']}"}
    async with world.client() as client:
        for path, operations in world.app.openapi()["paths"].items():
            for method in set(operations) & {"post", "put", "patch", "delete"}:
                if path.startswith(("/auth/", "/sandbox/", "/payments/razorpay/webhook")):
                    continue
                answer = await client.request(method, path.replace("{", "").replace("}", ""), json={}, headers=cookies)
                if (method.upper(), path.split("/")[1]) in listed:
                    assert answer.status_code in {401, 403}, (method, path, answer.text)
                else:
                    assert answer.status_code in {401, 403, 422}, (method, path, answer.text)
                    if answer.status_code == 422:
                        assert path.startswith("/payments/razorpay"), (method, path, answer.text)


async def test_a_page_of_the_shop_and_one_of_the_allow_list_get_through(world: World):
    async with world.browser() as page:
        cart = await page.get("/cart")
        assert cart.status_code == 200
        assert {"cohort_cart", "cohort_csrf"} <= set(page.cookies)
        added = await page.post(CART, json=ITEM)
        assert (added.status_code, added.json()["code"]) == (404, "not_found")
        await register(page)
        for origin in (ORIGIN, "http://pages.example"):
            refreshed = await page.post("/auth/refresh", headers={"Origin": origin})
            assert refreshed.status_code == 200, refreshed.text
        assert (await page.delete("/cart")).status_code == 200
        assert (await page.post("/auth/logout")).status_code == 204


async def test_the_token_of_the_route_is_the_one_of_the_cookie_and_speaks_for_session_and_guest(world: World):
    async with world.client() as page:
        await page.get("/cart")
        await register(page)
        answer = await page.get("/auth/csrf")
        assert answer.headers["cache-control"] == "no-store"
        assert "httponly" not in answer.headers["set-cookie"].lower()
        token = answer.json()["csrfToken"]
        assert token == page.cookies["cohort_csrf"]
        headers = {"X-CSRF-Token": token}
        assert (await page.delete("/cart", headers=headers)).status_code == 200
        assert (await page.post("/auth/refresh", headers=headers)).status_code == 200


async def test_the_token_of_a_session_that_ended_is_worth_nothing_in_the_next(world: World):
    async with world.client() as page:
        first = await register(page)
        old = page.cookies["cohort_csrf"]
        await page.post("/auth/logout", headers=bearer(first))
        body = {"email": first["email"], "password": "correct horse battery"}
        assert (await page.post("/auth/login", json=body)).status_code == 200
        page.cookies.set("cohort_csrf", old, domain="shop.example", path="/")
        jar: dict[str, Any] = {c.name: c.value for c in page.cookies.jar}
        cookie = f"cohort_refresh={jar['cohort_refresh']}; cohort_csrf={old}"
        answer = await page.post("/auth/refresh", headers={"X-CSRF-Token": old, "Cookie": cookie})
        assert (answer.status_code, answer.json()["code"]) == (403, "csrf_refused")


async def test_a_program_with_an_access_token_needs_none(world: World):
    async with world.client() as program:
        signed_in = await register(program)
        for method, path in (("DELETE", "/cart"), ("POST", "/auth/logout-all"), ("POST", "/auth/logout")):
            answer = await program.request(method, path, headers=bearer(signed_in))
            assert answer.status_code in {200, 204}, answer.text


async def test_reading_changes_nothing(world: World):
    async with world.client() as client:
        signed_in = await register(client)
        before = await world.contents()
        for path in ("/auth/me", "/auth/sessions", "/auth/users/me/export", "/auth/csrf", "/cart", "/orders/me"):
            assert (await client.get(path, headers=bearer(signed_in))).status_code == 200, path
        assert await world.contents() == before


@pytest.mark.parametrize("path", ["/auth/login", "/auth/register", "/auth/password/forgot"])
async def test_a_foreign_page_can_log_nobody_in(world: World, path: str):
    async with world.client() as client:
        answer = await client.post(path, json={"email": "a@example.com", "password": "x" * 9, "name": "A"},
                                   headers={"Origin": "https://evil.example"})  # fmt: skip
        assert (answer.status_code, answer.json()["code"]) == (403, "origin_refused")
