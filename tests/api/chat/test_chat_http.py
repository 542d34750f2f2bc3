"""The same turns over HTTP."""

from typing import Any

import httpx
import orjson

from tests.api.chat.conftest import World
from tests.fakes.assistant import RAVI
from tests.fakes.shop import calls, said


def frames_of(answer: httpx.Response) -> list[dict[str, Any]]:
    lines = [line for line in answer.text.splitlines() if line]
    assert all(line.startswith("data: ") for line in lines)
    return [orjson.loads(line.removeprefix("data: ")) for line in lines]


async def test_a_message_is_answered_as_a_stream_of_events(world: World) -> None:
    world.model.then(calls(("search_products", {"query": "red"})), said("Here is one."))
    async with world.http() as http:
        answer = await http.post("/chat", json={"text": "red shoes", "id": "m1"})
        again = await http.post("/chat", json={"text": "red shoes", "id": "m1"})
    assert answer.headers["content-type"].startswith("text/event-stream")
    frames = frames_of(answer)
    assert [frame["type"] for frame in frames][-2:] == ["answer", "done"]
    assert frames_of(again) == frames
    assert world.shop.searches == ["red"]


async def test_an_order_is_approved_over_http_once(world: World) -> None:
    world.model.then(calls(("place_order", {})), said("Your order is placed."))
    async with world.http() as http, world.http(RAVI) as other:
        asked = frames_of(await http.post("/chat", json={"text": "checkout"}))[-1]
        path = f"/chat/approvals/{asked['approvalId']}"
        shown = (await http.get(path)).json()
        foreign = await other.post(path, json={"decision": "approve"})
        decided = await http.post(path, json={"decision": "approve"})
        second = await http.post(path, json={"decision": "approve"})
        conversation = (await http.get(f"/chat/conversations/{asked['conversationId']}")).json()
    assert asked["type"] == "approval_request"
    assert (shown["status"], shown["quote"]["total"]["amount"]) == ("open", 149900)
    assert foreign.status_code == 404
    kinds = [frame["type"] for frame in decided.json()["frames"]]
    assert kinds[-2:] == ["answer", "done"]
    assert "payment_request" in kinds
    assert (second.status_code, second.json()["code"]) == (409, "approval_closed")
    assert conversation["approval"] is None
    assert len(world.shop.orders) == 1


async def test_conversations_are_listed_shown_and_erased(world: World, redis: Any) -> None:
    world.model.then(said("Hello."))
    async with world.http() as http, world.http(RAVI) as other:
        frames = frames_of(await http.post("/chat", json={"text": "hi there"}))
        conversation_id = frames[0]["conversationId"]
        path = f"/chat/conversations/{conversation_id}"
        listed = (await http.get("/chat/conversations")).json()["items"]
        shown = (await http.get(path)).json()
        foreign = [await other.get(path), await other.delete(path)]
        erased = await http.delete(path)
        gone = await http.get(path)
    assert [c["title"] for c in listed if c["conversationId"] == conversation_id] == ["hi there"]
    assert [m["role"] for m in shown["messages"]] == ["user", "assistant"]
    assert [answer.status_code for answer in foreign] == [404, 404]
    assert (erased.status_code, gone.status_code) == (204, 404)
    assert await redis.exists(f"chat:{{{conversation_id}}}:log") == 0


async def test_bad_messages_are_problems(world: World) -> None:
    async with world.http() as http, world.http(None) as nobody:
        empty = await http.post("/chat", json={"text": " "})
        long = await http.post("/chat", json={"text": "x" * 8_001})
        foreign = await http.post("/chat", json={"text": "hi", "conversationId": "cnv_" + "0" * 32})
        unknown = await nobody.post("/chat", json={"text": "hi"})
    assert [r.status_code for r in (empty, long, foreign, unknown)] == [422, 422, 404, 401]
