"""A conversation over the WebSocket."""

from tests.api.chat.conftest import World
from tests.fakes.shop import calls, said


async def test_the_first_frame_names_user_conversation_and_model(world: World) -> None:
    async with world.line() as line:
        first = await line.next()
    assert first["type"] == "session"
    assert (first["user"]["name"], first["model"]) == ("Asha", "scripted")
    assert first["conversationId"].startswith("cnv_")


async def test_a_search_ends_in_products_answer_and_done_with_numbers_that_grow_by_one(world: World) -> None:
    world.model.then(calls(("search_products", {"query": "red"})), said("Here is a red runner for ₹1,499."))
    async with world.line() as line:
        session = await line.next()
        frames = await line.say("red shoes", "m1")
    kinds = [frame["type"] for frame in frames]
    assert kinds[:3] == ["tool_start", "tool_end", "products"]
    assert kinds[-2:] == ["answer", "done"]
    assert [frame["seq"] for frame in frames] == list(range(1, len(frames) + 1))
    assert {frame["conversationId"] for frame in frames} == {session["conversationId"]}
    assert len({frame["turnId"] for frame in frames}) == 1
