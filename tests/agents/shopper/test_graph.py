"""What the shopping graph does with what a model says: policy, consent, checked words, budgets."""

from datetime import timedelta

import pytest
from langchain_core.messages import HumanMessage, ToolMessage

from agents.consent import ApprovalClosed
from services.kit.errors import NotFound
from tests.fakes.assistant import GUEST, RAVI, Assistant
from tests.fakes.shop import QuoteMoved, calls, said

SEARCH = ("search_products", {"query": "red"})
ADD = ("add_to_cart", {"product_id": "prd_red"})
ORDER = ("place_order", {})


def results(assistant: Assistant) -> list[str]:
    return [str(m.content) for m in assistant.model.sent[-1] if isinstance(m, ToolMessage)]


async def test_two_reads_of_one_step_both_run_and_both_come_back(assistant: Assistant) -> None:
    assistant.model.then(calls(SEARCH, ("search_products", {"query": "blue"})), said("Here they are."))
    await assistant.say("red or blue shoes")
    assert sorted(assistant.shop.searches) == ["blue", "red"]
    assert len(results(assistant)) == 2
    assert len(assistant.of("tool_end")) == 2
    assert len(assistant.of("answer")) == 1


async def test_a_change_may_name_only_what_a_tool_returned(assistant: Assistant) -> None:
    assistant.model.then(calls(ADD), said("I need to look first."))
    await assistant.say("add prd_red")
    assert assistant.shop.lines == []
    assert "unknown_reference" in results(assistant)[0]


async def test_a_change_of_what_was_found_earlier_is_done_with_a_receipt(assistant: Assistant) -> None:
    assistant.model.then(calls(SEARCH), said("Here."), calls(ADD), said("Added to your cart."))
    await assistant.say("red")
    await assistant.say("add it")
    assert [line["productId"] for line in assistant.shop.lines] == ["prd_red"]
    assert assistant.answer == "Added to your cart."
    assert assistant.of("answer")[-1]["receipts"] == [{"action": "add_to_cart", "id": "prd_red", "ok": True}]


async def test_paying_asks_first_and_goes_on_after_the_approval(assistant: Assistant) -> None:
    assistant.model.then(calls(ORDER), said("Your order is placed for ₹1,499."))
    assert await assistant.say("checkout") == "waiting"
    assert assistant.shop.orders == {}
    assert assistant.of("done") == []
    asked = assistant.frames[-1]
    assert (asked["type"], asked["quote"]["total"]["amount"]) == ("approval_request", 149900)
    assert await assistant.decide() == "done"
    assert list(assistant.shop.orders) == [asked["approvalId"]]
    assert assistant.of("approval_closed")[0]["reason"] == "approved"
    assert assistant.of("payment_request")[0]["amount"] == 149900
    assert assistant.answer == "Your order is placed for ₹1,499."


async def test_a_call_after_the_approval_runs_too(assistant: Assistant) -> None:
    assistant.model.then(calls(ORDER), calls(SEARCH), said("Placed, and here is another."))
    await assistant.say("checkout, then show me red shoes")
    await assistant.decide()
    assert assistant.shop.searches == ["red"]


async def test_a_rejected_payment_is_not_made_and_the_model_hears_of_it(assistant: Assistant) -> None:
    assistant.model.then(calls(ORDER), said("All right, I left it."))
    await assistant.say("checkout")
    await assistant.decide("rejected")
    assert assistant.shop.orders == {}
    assert "consent_rejected" in results(assistant)[0]
    assert assistant.answer == "All right, I left it."


async def test_a_new_message_withdraws_the_open_question_then_is_answered(assistant: Assistant) -> None:
    assistant.model.then(calls(ORDER), calls(SEARCH), said("Here are red ones."))
    await assistant.say("checkout")
    consent = await assistant.consent()
    assert await assistant.say("wait, show me red shoes") == "done"
    assert assistant.of("approval_closed") == [
        {"type": "approval_closed", "approvalId": consent.approval_id, "reason": "withdrawn"}
    ]
    assert "consent_withdrawn" in results(assistant)[0]
    with pytest.raises(ApprovalClosed):
        await assistant.decide()
    assert assistant.shop.orders == {}


async def test_an_approval_after_its_time_does_nothing(assistant: Assistant, clock) -> None:
    assistant.model.then(calls(ORDER), said("Too late."))
    await assistant.say("checkout")
    clock.advance(timedelta(minutes=15))
    await assistant.decide()
    assert assistant.shop.orders == {}
    assert assistant.of("approval_closed")[0]["reason"] == "expired"


async def test_a_second_approval_is_refused(assistant: Assistant) -> None:
    assistant.model.then(calls(ORDER), said("Your order is placed."))
    await assistant.say("checkout")
    await assistant.decide()
    with pytest.raises(ApprovalClosed):
        await assistant.decide()
    assert len(assistant.shop.orders) == 1


async def test_an_approval_belongs_to_its_buyer(assistant: Assistant) -> None:
    assistant.model.then(calls(ORDER), said("Placed."))
    await assistant.say("checkout")
    with pytest.raises(NotFound):
        await assistant.session.consents.get(RAVI, (await assistant.consent()).approval_id)


async def test_a_consent_covers_exactly_its_call(assistant: Assistant) -> None:
    assistant.model.then(calls(ORDER), said("Placed."))
    await assistant.say("checkout")
    consent = (await assistant.consent()).model_copy(update={"status": "approved"})
    same = ("place_order", consent.args)
    conversation = consent.conversation_id
    who = assistant.turn().who
    assert consent.covers(who, conversation, *same)
    assert not consent.covers(who, conversation, "place_order", {**consent.args, "payment_method": "cod"})
    assert not consent.covers(who, conversation, "cancel_order", consent.args)
    assert not consent.covers(RAVI, conversation, *same)
    assert not consent.covers(who, "cnv_other", *same)
    assert not (await assistant.consent()).covers(who, conversation, *same)


async def test_what_was_approved_is_what_is_done_although_the_stored_arguments_differ(assistant: Assistant) -> None:
    assistant.model.then(calls(ORDER), said("Not done."))
    await assistant.say("checkout")
    consent = await assistant.consent()
    changed = {"address_id": "adr_elsewhere", "payment_method": "cod"}
    rows = assistant.session.consents._rows
    await rows.update_one({"_id": consent.approval_id}, {"$set": {"argsHash": "0" * 64, "args": changed}})
    await assistant.decide()
    assert assistant.shop.orders == {}
    assert "consent_mismatch" in results(assistant)[0]


async def test_a_quote_that_moved_closes_the_question_as_changed(assistant: Assistant) -> None:
    assistant.shop.refuse["place_order"] = QuoteMoved("the price changed")
    assistant.model.then(calls(ORDER), said("The price changed."))
    await assistant.say("checkout")
    await assistant.decide()
    assert assistant.of("approval_closed")[0]["reason"] == "changed"
    assert assistant.of("payment_request") == []


async def test_a_guest_cannot_reach_a_buyers_tool(assistant: Assistant) -> None:
    assistant.model.then(calls(ORDER), said("Please log in."))
    assert await assistant.say("checkout", GUEST) == "done"
    assert "place_order" not in assistant.model.offered
    assert "unknown_tool" in results(assistant)[0]


@pytest.mark.parametrize(
    "claim",
    [
        "That is ₹999.", "Your order is placed.", "I added it to your cart.", "Order ord_123456 is on its way.",
        "There are 37 products like it.", "Your payment was received.",
    ],
)  # fmt: skip
async def test_a_sentence_nothing_covers_is_withheld(assistant: Assistant, claim: str) -> None:
    assistant.model.then(calls(SEARCH), said(f"This one suits you. {claim} Have a look."))
    await assistant.say("red")
    told = "".join(frame["text"] for frame in assistant.of("token"))
    assert claim not in told
    assert claim not in assistant.answer
    assert "This one suits you." in assistant.answer
    assert assistant.answer.split() == told.split()


async def test_amounts_a_tool_returned_may_be_told(assistant: Assistant) -> None:
    assistant.model.then(calls(SEARCH), said("The red runner costs ₹1,499."))
    await assistant.say("red")
    assert assistant.answer == "The red runner costs ₹1,499."


async def test_a_model_that_goes_round_in_circles_ends_politely(assistant: Assistant) -> None:
    assistant.model.then(calls(SEARCH))
    assert await assistant.say("red") == "done"
    assert "round in circles" in assistant.answer
    assert len(assistant.model.sent) <= 6


async def test_a_model_that_asks_for_too_much_at_once_is_bounded(assistant: Assistant) -> None:
    assistant.model.then(calls(*[SEARCH] * 30), said("Enough."))
    assert await assistant.say("red") == "done"
    assert len(assistant.shop.searches) <= 8


async def test_a_model_that_is_away_is_said_honestly_and_the_next_message_works(assistant: Assistant) -> None:
    failures = [ConnectionError("away")] * 3
    assistant.model.then(*failures, said("Hello again."))
    assert await assistant.say("hi") == "done"
    assert "can't reach my language model" in assistant.answer
    await assistant.say("hi")
    assert assistant.answer == "Hello again."


async def test_one_failure_of_the_model_is_tried_again(assistant: Assistant) -> None:
    assistant.model.then(ConnectionError("once"), said("Hello."))
    await assistant.say("hi")
    assert assistant.answer == "Hello."


async def test_a_tool_that_breaks_is_told_to_the_model(assistant: Assistant) -> None:
    assistant.shop.refuse["search_products"] = ValueError("a defect")
    assistant.model.then(calls(SEARCH), said("The search is not working."))
    assert await assistant.say("red") == "done"
    assert "unavailable" in results(assistant)[0]
    assert assistant.of("tool_end")[0]["ok"] is False


async def test_a_call_cut_off_by_a_defect_has_an_answer_in_the_next_turn(assistant: Assistant) -> None:
    assistant.shop.refuse["propose"] = ValueError("a defect")
    assistant.model.then(calls(ORDER), said("Hello."))
    with pytest.raises(ValueError, match="a defect"):
        await assistant.say("checkout")
    await assistant.say("hi")
    assert "interrupted" in results(assistant)[0]


async def test_a_phone_number_reaches_the_tool_but_never_the_model(assistant: Assistant) -> None:
    assistant.model.then(calls(("call_me", {"phone": "<phone:1>"})), said("Noted."))
    await assistant.say("call me on 98765 43210")
    seen = " ".join(str(m.content) for sent in assistant.model.sent for m in sent)
    assert "<phone:1>" in seen
    assert "43210" not in seen
    assert assistant.shop.phones == ["98765 43210"]
    assert "43210" not in str(assistant.frames)


async def test_history_is_what_was_said(assistant: Assistant) -> None:
    assistant.model.then(calls(SEARCH), said("Here is one."))
    await assistant.say("red")
    history = await assistant.session.history(assistant.conversation.conversation_id)
    assert history == [{"role": "user", "text": "red"}, {"role": "assistant", "text": "Here is one."}]


async def test_an_erased_conversation_starts_from_nothing(assistant: Assistant) -> None:
    assistant.model.then(said("Hello."))
    await assistant.say("remember 98765 43210")
    conversation = assistant.conversation.conversation_id
    await assistant.session.erase(assistant.turn().who, conversation)
    assert await assistant.session.history(conversation) == []
    with pytest.raises(NotFound):
        await assistant.session.conversations.get(assistant.turn().who, conversation)
    await assistant.say("hi")
    assert [m.content for m in assistant.model.sent[-1] if isinstance(m, HumanMessage)] == ["hi"]
