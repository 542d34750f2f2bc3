"""Every route against the one table, as nobody, a guest, a buyer, a seller and an admin."""

import re
import uuid

import httpx
import pytest

from api.rbac import ROUTES, TABLE, Access
from tests.security.conftest import PASSWORD, World, bearer, register

ROLES = {
    "nobody": set(),
    "guest": set(),
    "buyer": {"customer"},
    "seller": {"customer", "seller"},
    "admin": {"customer", "admin"},
}
CODES = {401: "unauthenticated", 403: "forbidden"}
ENDS_SESSIONS = {("POST", "/auth/logout"), ("POST", "/auth/logout-all"), ("DELETE", "/auth/users/me")}


def refusal(access: Access, caller: str) -> int | None:
    """401 or 403, or None when the caller gets past the door."""
    if not access.roles:
        return None
    if not ROLES[caller]:
        return 401
    return None if ROLES[caller] & set(access.roles) else 403


async def signed_in(world: World, caller: str) -> dict[str, str]:
    """The headers of a new account."""
    async with world.client() as client:
        if caller == "admin":
            email = f"{uuid.uuid4().hex}@example.com"
            await world.container.shop.auth.create_admin(email, PASSWORD, "Olga")
            answer = await client.post("/auth/login", json={"email": email, "password": PASSWORD})
            return bearer(answer.json())
        return bearer(await register(client, "SELLER" if caller == "seller" else "USER"))


async def call(world: World, caller: str, method: str, path: str, headers: dict[str, str]) -> httpx.Response:
    """With ids of nothing and a body that says nothing: what comes back is about the caller."""
    url = re.sub(r"\{[^}]+\}", "none_" + "0" * 32, path)
    async with world.browser() if caller == "guest" else world.client() as client:
        if caller == "guest":
            await client.get("/cart")
        return await client.request(
            method,
            url,
            content=None if method == "GET" else b"{}",
            headers={"content-type": "application/json", "Idempotency-Key": uuid.uuid4().hex, **headers},
        )


def as_the_table_says(answer: httpx.Response, access: Access, caller: str) -> bool:
    """Past the door a route may still refuse, a wrong password say, but not for want of an account or a role."""
    stopped = answer.json()["code"] if answer.status_code in CODES else None
    refused = refusal(access, caller)
    if refused:
        return (answer.status_code, stopped) == (refused, CODES[refused])
    has_to_prove = access is Access.PROOF or (access is Access.GUEST and caller == "nobody")
    passing = stopped not in ({"forbidden"} if has_to_prove else set(CODES.values()))
    return answer.status_code < 500 and passing


def test_every_route_has_a_row_and_every_row_a_route(world: World) -> None:
    paths = world.app.openapi()["paths"]
    documented = {(method.upper(), path) for path, operations in paths.items() for method in operations}
    assert documented - set(TABLE) == set(), "routes without a row in api/rbac.py"
    assert set(TABLE) - documented == set(), "rows of api/rbac.py without a route"


def test_no_route_has_two_rows() -> None:
    assert len(TABLE) == sum(len(lines.strip().split("\n")) for lines in ROUTES.values())


@pytest.mark.parametrize("caller", list(ROLES))
async def test_each_route_answers_a_caller_as_the_table_says(world: World, caller: str) -> None:
    kept = await signed_in(world, caller) if ROLES[caller] else {}
    wrong = []
    for (method, path), access in TABLE.items():
        ends = (method, path) in ENDS_SESSIONS and ROLES[caller]
        headers = await signed_in(world, caller) if ends else kept
        answer = await call(world, caller, method, path, headers)
        if not as_the_table_says(answer, access, caller):
            wrong.append(f"{method} {path} as {caller}: {answer.status_code} {answer.text[:150]}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize(("method", "path"), [row for row, access in TABLE.items() if access.roles])
def test_openapi_says_who_may_call(world: World, method: str, path: str) -> None:
    operation = world.app.openapi()["paths"][path][method.lower()]
    assert operation["security"] == [{"bearer": []}]
    assert operation["x-roles"] == list(TABLE[method, path].roles)
    assert "401" in operation["responses"]
