"""Who may open a socket, and what closes it."""

import asyncio
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

from api.chat import Manners
from services.kit.principal import Principal
from tests.api.chat.conftest import ORIGIN, Process, World
from tests.fakes.assistant import ASHA
from tests.fakes.shop import ScriptedModel, said


async def refused(world: World, **options: Any) -> int:
    with pytest.raises(InvalidStatus) as caught:
        async with world.line(**options):
            pass
    return caught.value.response.status_code


async def ticket_of(world: World, who: Principal | None = ASHA) -> str:
    async with world.http(who) as http:
        return str((await http.post("/chat/tickets")).json()["ticket"])


async def test_without_ticket_or_token_there_is_no_handshake(world: World) -> None:
    assert await refused(world, who=None) == 401
    assert await refused(world, who=None, query="?ticket=guess") == 401


async def test_a_ticket_opens_one_socket_only(world: World) -> None:
    query = f"?ticket={await ticket_of(world)}"
    async with world.line(None, query) as line:
        assert (await line.next())["user"]["name"] == "Asha"
    assert await refused(world, who=None, query=query) == 401


async def test_a_ticket_is_gone_after_a_minute(world: World, redis: Any) -> None:
    ticket = await ticket_of(world)
    assert 50 < await redis.ttl(f"chat:ticket:{ticket}") <= 60


async def test_a_guest_gets_a_signed_cookie_and_keeps_it(world: World) -> None:
    async with world.http(None) as http:
        first = await http.post("/chat/tickets")
        again = await http.post("/chat/tickets")
    cookie = first.headers["set-cookie"]
    assert "cohort_cart=gst_" in cookie
    assert "httponly" in cookie.lower()
    assert "samesite=lax" in cookie.lower()
    assert "set-cookie" not in again.headers
    async with world.line(None, f"?ticket={first.json()['ticket']}") as line:
        assert (await line.next())["user"] is None


async def test_a_guest_is_not_offered_buying(world: World) -> None:
    world.model.then(said("Hello."))
    async with world.line(None, f"?ticket={await ticket_of(world, None)}") as line:
        await line.next()
        await line.say("hi", "m1")
    assert "search_products" in world.model.offered
    assert "place_order" not in world.model.offered


async def test_foreign_origins_are_refused_and_the_own_one_is_let_in(world: World) -> None:
    foreign = [
        "https://evil.example",
        "null",
        "https://shop.example.evil.example",
        "http://shop.example",
        ORIGIN + ":1",
    ]
    for origin in foreign:
        assert await refused(world, origin=origin) == 403
    async with world.line(origin=ORIGIN) as line:
        assert (await line.next())["type"] == "session"


async def test_a_foreign_subprotocol_is_refused_and_ours_is_chosen(world: World) -> None:
    async with world.line() as line:
        assert line.socket.subprotocol == "cohort.chat.v1"


async def test_a_revoked_session_closes_its_open_socket(world: World) -> None:
    async with world.line() as line:
        await line.next()
        world.sessions.revoked.add(ASHA.session_id or "")
        assert await line.closed() == 1008
    assert await refused(world) == 401


async def test_a_frame_over_64_kb_closes_with_1009(world: World) -> None:
    async with world.line() as line:
        await line.next()
        await line.socket.send("x" * 65_537)
        assert await line.closed() == 1009


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        ("{", "bad_frame"), ("[]", "bad_frame"), ("7", "bad_frame"), ('{"type":"dance"}', "unknown_type"),
        ('{"type":["message"]}', "unknown_type"), ('{"type":"message","id":"m1","text":""}', "invalid"),
        ('{"type":"message","id":"m1","text":"   "}', "invalid"), ('{"type":"message","text":"hi"}', "invalid"),
        ('{"type":"message","id":"m1","text":"' + "x" * 8_001 + '"}', "invalid"),
        ('{"type":"message","id":"m1","text":"hi","as":"admin"}', "invalid"),
        ('{"type":"resume","conversationId":"cnv_1","after":0}', "invalid"),
        ('{"type":"approve","approvalId":"apr_1","decision":"maybe"}', "invalid"),
    ],
)  # fmt: skip
async def test_a_frame_that_cannot_be_read_is_an_error_frame(world: World, raw: str, code: str) -> None:
    async with world.line() as line:
        await line.next()
        await line.socket.send(raw)
        assert (await line.next())["code"] == code
        await line.send(type="ping")
        assert (await line.next())["type"] == "pong"


async def test_as_is_accepted(world: World) -> None:
    world.model.then(said("Hello."))
    async with world.line() as line:
        await line.next()
        assert (await line.say("hi", "m1", **{"as": "buyer"}))[-1]["type"] == "done"


async def test_bad_json_again_and_again_closes_the_socket(world: World) -> None:
    async with world.line() as line:
        for _ in range(30):
            try:
                await line.socket.send("{")
            except ConnectionClosed:
                break
        assert await line.closed() == 1008


async def test_a_flood_is_limited_then_closed(start: Process) -> None:
    flooder = ASHA.model_copy(update={"user_id": "usr_" + "f" * 32})
    manners = Manners(refused_frames=20, liveness_seconds=5)
    async with start(ScriptedModel.of(said("Hi.")), frames_burst=5, manners=manners) as world:
        async with world.line(flooder) as line:
            for n in range(60):
                try:
                    await line.send(type="message", id=f"m{n}", text="hi")
                except ConnectionClosed:
                    break
            assert await line.closed() == 1008
        assert len(world.model.sent) <= 5


async def test_a_reader_that_does_not_read_is_closed_while_others_go_on(start: Process) -> None:
    reader = ASHA.model_copy(update={"user_id": "usr_" + "d" * 32})
    manners = Manners(queue_size=16, liveness_seconds=5)
    model = ScriptedModel.of(said("Hello."))
    async with (
        start(model, manners=manners) as world,
        world.line(reader, compression=None) as slow,
        world.line() as other,
    ):
        await slow.next()
        order = {"orderId": "ord_1", "note": "x" * 60_000}
        while world.door.open_sockets(reader.user_id):
            await world.door.push_order(reader.user_id, order)
            await asyncio.sleep(0)
        await other.next()
        assert (await other.say("hi", "m1"))[-1]["type"] == "done"
        assert await slow.closed() == 1013
