"""Devices, operators, deletion and export, over HTTP."""

from datetime import timedelta
from typing import Any

import httpx

from services.kit.clock import ManualClock
from tests.services.auth.conftest import PASSWORD, Auth
from tests.services.auth.test_auth_addresses import HOME
from tests.services.auth.test_auth_routes import registered

LOGIN = {"email": "asha@example.com", "password": PASSWORD}


async def elsewhere(http: httpx.AsyncClient) -> dict[str, str]:
    """A second login of the same account; its header."""
    answer = await http.post("/auth/login", json=LOGIN, headers={"User-Agent": "Phone"})
    assert answer.status_code == 200, answer.text
    return {"Authorization": f"Bearer {answer.json()['accessToken']}"}


async def admin(http: httpx.AsyncClient, auth: Auth) -> dict[str, str]:
    await auth.service.create_admin("root@example.com", PASSWORD, "Root")
    answer = await http.post("/auth/login", json={"email": "root@example.com", "password": PASSWORD})
    return {"Authorization": f"Bearer {answer.json()['accessToken']}"}


async def test_the_devices_of_an_account_are_listed_and_the_present_one_is_marked(http: httpx.AsyncClient):
    await registered(http)
    await elsewhere(http)
    items = (await http.get("/auth/sessions")).json()["items"]
    assert min((item["device"]["userAgent"], item["current"]) for item in items) == ("Phone", False)
    assert [item["current"] for item in items].count(True) == 1


async def test_a_device_is_logged_out_by_its_owner_alone(http: httpx.AsyncClient, auth: Auth):
    await registered(http)
    phone = await elsewhere(http)
    [other] = [s for s in (await http.get("/auth/sessions")).json()["items"] if not s["current"]]
    stranger = await auth.register("binod@example.com")
    theirs = {"Authorization": f"Bearer {stranger.access_token}"}
    path = f"/auth/sessions/{other['sessionId']}"
    assert (await http.delete(path, headers=theirs)).status_code == 404
    assert (await http.delete(path)).status_code == 204
    assert (await http.delete(path)).status_code == 404
    assert (await http.get("/auth/me", headers=phone)).status_code == 401
    assert (await http.get("/auth/me")).status_code == 200


async def test_logout_all_ends_every_session_and_may_be_repeated_by_nobody(http: httpx.AsyncClient):
    await registered(http)
    phone = await elsewhere(http)
    assert (await http.post("/auth/logout-all")).status_code == 204
    for headers in (phone, {}):
        assert (await http.get("/auth/me", headers=headers)).status_code == 401


async def test_an_account_is_exported_with_its_addresses_and_sessions(http: httpx.AsyncClient):
    await registered(http)
    await http.post("/auth/users/me/addresses", json=HOME)
    export = (await http.get("/auth/users/me/export")).json()
    assert export["account"]["email"] == "asha@example.com"
    assert len(export["addresses"]) == len(export["sessions"]) == 1
    assert "hash" not in str(export).lower()


async def test_a_deleted_account_leaves_an_id_and_nothing_else(http: httpx.AsyncClient, auth: Auth):
    user_id = (await registered(http)).json()["user"]["userId"]
    await http.post("/auth/users/me/addresses", json=HOME)
    wrong = await http.request("DELETE", "/auth/users/me", json={"password": "not this one"})
    assert (wrong.status_code, wrong.json()["code"]) == (403, "wrong_password")
    assert (await http.request("DELETE", "/auth/users/me", json={"password": PASSWORD})).status_code == 204
    row = await auth.user(user_id)
    assert (row["name"], row["addresses"], row["password_hash"]) == ("Deleted account", [], None)
    assert "asha" not in str(row).lower()
    assert "203.0.113" not in str(await auth.sessions())
    assert (await auth.events())[-1] == ("user.updated", {"userId": user_id, "roles": [], "deleted": True})
    assert (await http.get("/auth/me")).status_code == 401
    assert (await http.post("/auth/login", json=LOGIN)).json()["code"] == "bad_credentials"
    del http.headers["Authorization"]
    await registered(http)


async def test_operators_list_accounts_newest_first_page_by_page(
    http: httpx.AsyncClient, auth: Auth, clock: ManualClock
):
    for number in range(7):
        clock.advance(timedelta(days=3**number))
        await auth.register(f"user{number}@example.com")
    clock.advance(timedelta(seconds=1))
    root = await admin(http, auth)
    seen: list[str] = []
    cursor: str | None = None
    while cursor or not seen:
        params: dict[str, Any] = {"limit": 3, **({"cursor": cursor} if cursor else {})}
        page = (await http.get("/admin/users", params=params, headers=root)).json()
        seen += [item["email"] for item in page["items"]]
        cursor = page["nextCursor"]
    assert seen == ["root@example.com", *(f"user{n}@example.com" for n in reversed(range(7)))]
    bad = await http.get("/admin/users", params={"cursor": "x"}, headers=root)
    assert (bad.status_code, bad.json()["field"]) == (422, "cursor")


async def test_a_disabled_account_is_out_at_once_and_told_only_with_its_password(http: httpx.AsyncClient, auth: Auth):
    user_id = (await registered(http)).json()["user"]["userId"]
    mine = {"Authorization": http.headers.pop("Authorization")}
    root = await admin(http, auth)
    path = f"/admin/users/{user_id}"
    for _ in range(2):
        answer = await http.post(f"{path}/disable", headers=root)
        assert (answer.status_code, answer.json()["disabledAt"] is None) == (200, False)
    assert (await http.get("/auth/me", headers=mine)).status_code == 401
    assert (await http.post("/auth/login", json=LOGIN)).json()["code"] == "account_disabled"
    assert (await http.post("/auth/login", json={**LOGIN, "password": "no"})).json()["code"] == "bad_credentials"
    assert (await http.post(f"{path}/enable", headers=root)).json()["disabledAt"] is None
    assert (await http.post("/auth/login", json=LOGIN)).status_code == 200


async def test_only_operators_manage_accounts_and_never_their_own(http: httpx.AsyncClient, auth: Auth):
    user_id = (await registered(http)).json()["user"]["userId"]
    for method, path in (("GET", "/admin/users"), ("POST", f"/admin/users/{user_id}/disable")):
        assert (await http.request(method, path)).status_code == 403
    root = await admin(http, auth)
    own = (await http.get("/auth/me", headers=root)).json()["userId"]
    assert (await http.post(f"/admin/users/{own}/disable", headers=root)).json()["code"] == "refused"
    assert (await http.post("/admin/users/usr_x/disable", headers=root)).status_code == 404
