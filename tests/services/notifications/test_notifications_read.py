from collections.abc import AsyncIterator
from datetime import timedelta

import httpx
import pytest
from fastapi import FastAPI, Request

from api import errors
from services.kit.errors import Invalid, NotFound
from services.kit.principal import Principal
from services.notifications.routes import routes
from tests.services.notifications.conftest import ASHA, BINOD, World, confirmed

WHO = Principal(user_id=ASHA, roles=frozenset({"customer"}))
OTHER = Principal(user_id=BINOD, roles=frozenset({"customer"}))


@pytest.fixture
async def http(world: World) -> AsyncIterator[httpx.AsyncClient]:
    app = FastAPI()
    errors.install(app)

    async def authenticate(request: Request) -> Principal | None:
        user_id = request.headers.get("x-user")
        return Principal(user_id=user_id) if user_id else None

    app.state.authenticate = authenticate
    app.include_router(routes(world.service))
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://shop", headers={"x-user": ASHA}) as client:
        yield client


async def test_the_list_is_newest_first_in_pages_across_months(world: World, happened, clock):
    for number in range(7):
        await world.service.tell(happened(confirmed(order_id=f"ord_{number}")))
        clock.advance(timedelta(days=45))
    seen, cursor = [], None
    while True:
        page = await world.service.mine(WHO, limit=3, cursor=cursor)
        seen += [item.data["orderId"] for item in page.items]
        cursor = page.next_cursor
        if cursor is None:
            break
        assert len(page.items) == 3
    assert seen == [f"ord_{number}" for number in reversed(range(7))]


async def test_notifications_of_one_moment_are_neither_lost_nor_repeated_between_pages(world: World, happened):
    for _ in range(5):
        await world.service.tell(happened(confirmed()))
    first = await world.service.mine(WHO, limit=2)
    rest = await world.service.mine(WHO, limit=20, cursor=first.next_cursor)
    ids = [item.notification_id for item in (*first.items, *rest.items)]
    assert len(set(ids)) == len(ids) == 5


@pytest.mark.parametrize("cursor", ["x", "2026-11-01_ntf", "_", "2026-11-01T00:00:00_ntf_1"])
async def test_a_foreign_cursor_is_refused(world: World, cursor: str):
    with pytest.raises(Invalid) as invalid:
        await world.service.mine(WHO, cursor=cursor)
    assert invalid.value.field == "cursor"


async def test_reading_is_kept_and_repeatable(world: World, happened, clock):
    await world.service.tell(happened(confirmed()))
    [item] = (await world.service.mine(WHO)).items
    assert (item.status, item.read_at, item.channel) == ("sent", None, "in_app")
    first = await world.service.read(WHO, item.notification_id)
    clock.advance(timedelta(hours=1))
    assert await world.service.read(WHO, item.notification_id) == first
    assert first.status == "read"
    assert first.read_at == clock.now() - timedelta(hours=1)


async def test_notifications_of_others_and_mails_are_not_there(world: World, happened):
    await world.service.tell(happened(confirmed()))
    [item] = (await world.service.mine(WHO)).items
    [mail] = await world.rows(channel="email")
    assert (await world.service.mine(OTHER)).items == []
    for who, notification_id in ((OTHER, item.notification_id), (WHO, mail["_id"]), (WHO, "ntf_unknown")):
        with pytest.raises(NotFound, match="no such notification"):
            await world.service.read(who, notification_id)
    assert (await world.service.mine(WHO)).items == [item]


async def test_the_routes_list_and_mark(http: httpx.AsyncClient, world: World, happened):
    for _ in range(2):
        await world.service.tell(happened(confirmed()))
    page = (await http.get("/notifications", params={"limit": 1})).json()
    assert set(page) == {"items", "nextCursor"}
    [item] = page["items"]
    assert set(item) == {
        "notificationId", "channel", "template", "subject", "body", "status", "data", "createdAt", "readAt"
    }  # fmt: skip
    rest = (await http.get("/notifications", params={"limit": 1, "cursor": page["nextCursor"]})).json()
    assert len(rest["items"]) == 1
    assert rest["nextCursor"] is None
    done = await http.post(f"/notifications/{item['notificationId']}/read")
    assert (done.status_code, done.json()["status"]) == (200, "read")


async def test_the_routes_are_for_their_owner(http: httpx.AsyncClient, world: World, happened):
    await world.service.tell(happened(confirmed()))
    [item] = (await http.get("/notifications")).json()["items"]
    path = f"/notifications/{item['notificationId']}/read"
    foreign = await http.post(path, headers={"x-user": BINOD})
    missing = await http.post("/notifications/ntf_x/read", headers={"x-user": BINOD})
    assert foreign.status_code == missing.status_code == 404
    assert foreign.json()["detail"] == missing.json()["detail"]
    assert (await http.get("/notifications", headers={"x-user": ""})).status_code == 401
    assert (await http.get("/notifications", params={"cursor": "x"})).json()["field"] == "cursor"
