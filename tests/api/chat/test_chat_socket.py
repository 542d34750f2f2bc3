"""A conversation over the WebSocket: turns, repeats, approvals, resuming."""

import asyncio
from datetime import timedelta
from typing import Any

from services.contracts.notifications import NotificationView
from tests.api.chat.conftest import Process, World
from tests.fakes.assistant import RAVI
from tests.fakes.shop import ScriptedModel, Shop, calls, said


def kinds(frames: list[dict[str, Any]]) -> list[str]:
    return [frame["type"] for frame in frames]


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
    assert kinds(frames)[:3] == ["tool_start", "tool_end", "products"]
    assert kinds(frames)[-2:] == ["answer", "done"]
    assert [frame["seq"] for frame in frames] == list(range(1, len(frames) + 1))
    assert {frame["conversationId"] for frame in frames} == {session["conversationId"]}
    assert len({frame["turnId"] for frame in frames}) == 1


async def test_a_message_seen_before_is_replayed_not_run_again(world: World) -> None:
    world.model.then(calls(("add_to_cart", {"product_id": "prd_red"})), said("Hello."))
    async with world.line() as line:
        await line.next()
        first = await line.say("hello", "m1")
        again = await line.say("hello", "m1")
    assert again == first
    assert len(world.model.sent) == 2


async def test_a_message_repeated_while_its_turn_runs_joins_that_turn(world: World) -> None:
    reached, opened = world.shop.gate("search_products")
    world.model.then(calls(("search_products", {"query": "red"})), said("Here."))
    async with world.line() as line:
        session = await line.next()
        await line.send(type="message", id="m1", text="red")
        await asyncio.wait_for(reached.wait(), 10)
        async with world.line(query=f"?conversationId={session['conversationId']}") as other:
            await other.next()
            await other.send(type="message", id="m1", text="red")
            assert (await other.next())["type"] == "tool_start"
            opened.set()
            assert (await other.until("done"))["seq"] == (await line.until("done"))["seq"]
    assert world.shop.searches == ["red"]


async def test_every_socket_of_a_conversation_hears_its_frames(world: World) -> None:
    world.model.then(said("Hello."))
    async with world.line() as line:
        session = await line.next()
        await line.say("hi", "m0")
        async with world.line(query=f"?conversationId={session['conversationId']}") as other:
            assert (await other.next())["conversationId"] == session["conversationId"]
            await other.send(type="resume", conversationId=session["conversationId"], after=line.frames[-1]["seq"])
            await other.send(type="ping")
            assert (await other.next())["type"] == "pong"
            frames = await line.say("hi", "m1")
            heard = [await other.next() for _ in frames]
    assert heard == frames


async def test_resume_replays_what_came_after_and_goes_on_live(world: World) -> None:
    world.model.then(said("One two three. Four five six."))
    async with world.line() as line:
        session = await line.next()
        frames = await line.say("hi", "m1")
    async with world.line() as other:
        await other.next()
        await other.send(type="resume", conversationId=session["conversationId"], after=1)
        replayed = [await other.next() for _ in frames[1:]]
        live = await other.say("hi", "m2", conversationId=session["conversationId"])
    assert replayed == frames[1:]
    assert live[0]["seq"] == frames[-1]["seq"] + 1


async def test_a_resume_whose_frames_are_gone_gets_a_snapshot(world: World, redis: Any) -> None:
    world.model.then(said("Hello."))
    async with world.line() as line:
        session = await line.next()
        await line.say("hi there", "m1")
        conversation = session["conversationId"]
        await redis.delete(f"chat:{{{conversation}}}:log")
        await line.send(type="resume", conversationId=conversation, after=1)
        gone = await line.until("error")
        frames = await line.say("hi", "m2")
    assert gone["code"] == "resume_gone"
    assert [m["text"] for m in gone["snapshot"]["messages"]] == ["hi there", "Hello."]
    assert frames[0]["seq"] == gone["snapshot"]["seq"] + 1


async def test_an_approved_order_is_placed_once_and_a_second_approval_is_refused(world: World) -> None:
    world.model.then(calls(("place_order", {})), said("Your order is placed."))
    async with world.line() as line:
        await line.next()
        asked = (await line.say("checkout", "m1"))[-1]
        assert asked["type"] == "approval_request"
        assert "tool_start" not in kinds(line.frames)
        await line.send(type="approve", approvalId=asked["approvalId"], decision="approve")
        await line.send(type="approve", approvalId=asked["approvalId"], decision="approve")
        await line.until("done")
        refused = await line.until("error")
    assert "payment_request" in kinds(line.frames)
    assert (refused["code"], refused["approvalId"]) == ("approval_closed", asked["approvalId"])
    assert len(world.shop.orders) == 1


async def test_a_rejected_order_is_not_placed_and_the_turn_ends(world: World) -> None:
    world.model.then(calls(("place_order", {})), said("Fine, I left it."))
    async with world.line() as line:
        await line.next()
        asked = (await line.say("checkout", "m1"))[-1]
        await line.send(type="approve", approvalId=asked["approvalId"], decision="reject")
        await line.until("done")
    closed = [frame for frame in line.frames if frame["type"] == "approval_closed"]
    assert closed[0]["reason"] == "rejected"
    assert world.shop.orders == {}


async def test_an_approval_after_its_time_is_expired(world: World) -> None:
    world.model.then(calls(("place_order", {})), said("That came too late."))
    async with world.line() as line:
        await line.next()
        asked = (await line.say("checkout", "m1"))[-1]
        world.clock.advance(timedelta(minutes=16))
        await line.send(type="approve", approvalId=asked["approvalId"], decision="approve")
        closed = await line.until("approval_closed")
        await line.until("done")
    assert closed["reason"] == "expired"
    assert world.shop.orders == {}


async def test_a_typed_yes_withdraws_the_question_instead_of_approving(world: World) -> None:
    world.model.then(calls(("place_order", {})), said("Please use the button."))
    async with world.line() as line:
        await line.next()
        asked = (await line.say("checkout", "m1"))[-1]
        frames = await line.say("yes", "m2")
        await line.send(type="approve", approvalId=asked["approvalId"], decision="approve")
        refused = await line.until("error")
    assert (frames[0]["type"], frames[0]["reason"]) == ("approval_closed", "withdrawn")
    assert refused["code"] == "approval_closed"
    assert world.shop.orders == {}


async def test_an_approval_of_somebody_else_is_not_found(world: World) -> None:
    world.model.then(calls(("place_order", {})), said("Done."))
    async with world.line() as line, world.line(RAVI) as other:
        await line.next()
        asked = (await line.say("checkout", "m1"))[-1]
        await other.send(type="approve", approvalId=asked["approvalId"], decision="approve")
        refused = await other.until("error")
        await other.send(type="approve", approvalId="apr_nothing", decision="approve")
        unknown = await other.until("error")
    assert refused["code"] == "not_found"
    assert refused["message"] == unknown["message"]
    assert world.shop.orders == {}


async def test_somebody_elses_conversation_is_not_found(world: World) -> None:
    world.model.then(said("Hello."))
    async with world.line() as line, world.line(RAVI) as other:
        session = await line.next()
        await line.say("hi", "m1")
        for frame in ({"type": "message", "id": "x", "text": "hi"}, {"type": "resume", "after": 0}):
            await other.send(**frame, conversationId=session["conversationId"])
            assert (await other.until("error"))["code"] == "not_found"
    async with world.line(RAVI, query=f"?conversationId={session['conversationId']}") as other:
        assert (await other.next())["conversationId"] != session["conversationId"]


async def test_three_messages_wait_and_the_next_is_told_busy(world: World) -> None:
    reached, opened = world.shop.gate("search_products")
    world.model.then(calls(("search_products", {"query": "red"})), said("Hello."))
    async with world.line() as line:
        await line.next()
        await line.send(type="message", id="m0", text="red")
        await asyncio.wait_for(reached.wait(), 10)
        for n in range(1, 5):
            await line.send(type="message", id=f"m{n}", text="hi")
        busy = await line.until("error")
        opened.set()
        for _ in range(4):
            await line.until("done")
        after = await line.say("hi", "m4")
    assert (busy["code"], busy["retryable"], busy["messageId"]) == ("busy", True, "m4")
    assert after[-1]["type"] == "done"


async def test_a_cancel_stops_the_turn_before_its_next_step(world: World) -> None:
    reached, opened = world.shop.gate("search_products")
    world.model.then(calls(("search_products", {"query": "red"})), said("Never said."))
    async with world.line() as line:
        await line.next()
        await line.send(type="message", id="m1", text="red")
        await asyncio.wait_for(reached.wait(), 10)
        await line.send(type="cancel", turnId=(await line.until("tool_start"))["turnId"])
        await line.send(type="ping")
        await line.until("pong")
        opened.set()
        answer = await line.until("answer")
        await line.until("done")
    assert answer["text"] == "Stopped, as you asked."


async def test_a_cancel_of_a_turn_that_waits_for_approval_rejects_it(world: World) -> None:
    world.model.then(calls(("place_order", {})), said("Left alone."))
    async with world.line() as line:
        await line.next()
        asked = (await line.say("checkout", "m1"))[-1]
        await line.send(type="cancel", turnId=asked["turnId"])
        await line.until("done")
        await line.send(type="cancel", turnId="trn_unknown")
        assert (await line.until("error"))["code"] == "not_found"
    assert world.shop.orders == {}


async def test_a_dropped_socket_does_not_stop_a_turn_that_is_acting(world: World) -> None:
    reached, opened = world.shop.gate("place_order")
    world.model.then(calls(("place_order", {})), said("Your order is placed."))
    async with world.line() as line:
        session = await line.next()
        asked = (await line.say("checkout", "m1"))[-1]
        await line.send(type="approve", approvalId=asked["approvalId"], decision="approve")
        await asyncio.wait_for(reached.wait(), 10)
        line.socket.transport.abort()
    async with world.line(query=f"?conversationId={session['conversationId']}") as other:
        opened.set()
        await other.send(type="resume", conversationId=session["conversationId"], after=asked["seq"])
        await other.until("done")
    assert len(world.shop.orders) == 1
    assert "payment_request" in kinds(other.frames)


async def test_a_crash_in_a_turn_is_told_and_the_next_message_works(world: World) -> None:
    world.model.then(calls(("place_order", {})), said("Hello again."))
    world.shop.refuse["propose"] = ValueError("a defect")
    async with world.line() as line:
        await line.next()
        broken = await line.say("checkout", "m1")
        await line.until("done")
        works = await line.say("hello", "m2")
    assert (broken[-1]["code"], broken[-1]["retryable"]) == ("internal", True)
    assert works[-2]["text"] == "Hello again."
    tool_results = [m for m in world.model.sent[-1] if m.type == "tool"]
    assert len(tool_results) == 1


async def test_a_turn_that_died_with_its_process_is_run_again_by_the_same_message(start: Process) -> None:
    shop = Shop()
    reached, _ = shop.gate("search_products")
    async with start(ScriptedModel.of(calls(("search_products", {"query": "red"}))), shop) as world:
        async with world.line() as line:
            session = await line.next()
            await line.send(type="message", id="m1", text="red")
            await asyncio.wait_for(reached.wait(), 10)
        await world.door.turns.drain(0)
    query = f"?conversationId={session['conversationId']}"
    async with start(ScriptedModel.of(said("Here you are."))) as again, again.line(query=query) as line:
        await line.next()
        await line.send(type="message", id="m1", text="red")
        answer = await line.until("answer")
    assert answer["text"] == "Here you are."


async def test_an_approval_cut_off_before_its_action_goes_on_with_the_same_approve(start: Process) -> None:
    shop = Shop()
    reached, opened = shop.gate("place_order")
    async with start(ScriptedModel.of(calls(("place_order", {}))), shop) as world:
        async with world.line() as line:
            session = await line.next()
            asked = (await line.say("checkout", "m1"))[-1]
            await line.send(type="approve", approvalId=asked["approvalId"], decision="approve")
            await asyncio.wait_for(reached.wait(), 10)
        consents = world.door.session.consents
        assert (await consents.of_turn(session["conversationId"], asked["turnId"])).status == "approved"
        await world.door.turns.drain(0)
    opened.set()
    query = f"?conversationId={session['conversationId']}"
    async with start(ScriptedModel.of(said("Your order is placed.")), shop) as again, again.line(query=query) as line:
        await line.next()
        await line.send(type="approve", approvalId=asked["approvalId"], decision="approve")
        await line.until("payment_request")
        await line.until("done")
        await line.send(type="approve", approvalId=asked["approvalId"], decision="approve")
        assert (await line.until("error"))["code"] == "approval_closed"
    assert list(shop.orders) == [asked["approvalId"]]


async def test_pushed_notifications_and_orders_reach_the_users_sockets_without_a_number(world: World) -> None:
    note = NotificationView(
        notification_id="ntf_1", channel="in_app", template="order_confirmed", subject="Confirmed", body="Yes",
        status="sent", created_at=world.clock.now(),
    )  # fmt: skip
    async with world.line() as line, world.line(RAVI) as other:
        user = (await line.next())["user"]["userId"]
        await other.next()
        await world.door.push(user, note)
        await world.door.push_order(user, {"orderId": "ord_1", "status": "confirmed"})
        got = [await line.next(), await line.next()]
        await other.send(type="ping")
        assert (await other.next())["type"] == "pong"
    assert kinds(got) == ["notification", "order"]
    assert not any("seq" in frame for frame in got)


async def test_draining_closes_sockets_and_lets_a_running_turn_end(world: World) -> None:
    reached, opened = world.shop.gate("search_products")
    world.model.then(calls(("search_products", {"query": "red"})), said("Here."))
    async with world.line() as line:
        session = await line.next()
        await line.send(type="message", id="m1", text="red")
        await asyncio.wait_for(reached.wait(), 10)
        draining = asyncio.create_task(world.door.drain(10))
        assert await line.closed() == 1012
        opened.set()
        await draining
    status = await world.door.session.conversations.status_of(session["conversationId"], "m1")
    assert status == "done"
