from typing import Any

import pytest
from langchain_core.messages import AIMessage

from agents.models.offline import OfflinePlanner
from tests.agents.models.offline.situations import (
    LAST_SEARCH,
    LOOKING,
    NEW,
    ORDERS,
    PENDING,
    SHOPPING,
    VARIANTS,
    Json,
    answered,
    failed,
    messages,
    ok,
    rupees,
)

SEARCH = "search_products"


def calls(message: AIMessage) -> list[tuple[str, Json]]:
    return [(call["name"], call["args"]) for call in message.tool_calls]


def said(planner: OfflinePlanner, text: str, state: Json) -> list[tuple[str, Json]]:
    return calls(planner.invoke(messages(text, state)))


def test_a_search_takes_colour_price_and_category_apart(planner: OfflinePlanner) -> None:
    args = {"query": "sneakers", "category": "Sneakers", "colour": "Red", "max_price": 2000, "in_stock": True}
    assert said(planner, "red sneakers under 2000", NEW) == [(SEARCH, args)]


@pytest.mark.parametrize(
    ("text", "change"),
    [
        ("cheaper ones", {"max_price": 998}),
        ("in black", {"colour": "Black"}),
        ("same in blue", {"colour": "Blue"}),
        ("only padvika", {"brand": "Padvika"}),
        ("any in size 9", {"size": "9"}),
        ("under 1500 please", {"max_price": 1500}),
        ("not leather", {"exclude": {"material": ["leather"]}}),
        ("newest first", {"sort": "newest"}),
        ("with 4 stars and up", {"min_rating": 4.0}),
        ("show me more", {"limit": 20}),
        ("cheaper than the first one", {"max_price": 1498}),
    ],
)
def test_a_follow_up_narrows_the_last_search(text: str, change: Json, planner: OfflinePlanner) -> None:
    assert said(planner, text, LOOKING) == [(SEARCH, {**LAST_SEARCH, **change})]


def test_another_kind_of_thing_starts_a_new_search(planner: OfflinePlanner) -> None:
    expected = {"query": "laptops", "category": "Laptops", "max_price": 50000, "in_stock": True}
    assert said(planner, "show me laptops under 50k", LOOKING) == [(SEARCH, expected)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("add the second one, two of them", [{"product_id": "prd_2", "qty": 2}]),
        ("add the cheaper one", [{"product_id": "prd_2", "qty": 1}]),
        ("add the tarmigo one", [{"product_id": "prd_3", "qty": 1}]),
        ("add the canvas one", [{"product_id": "prd_2", "qty": 1}]),
        ("add the last one to my cart", [{"product_id": "prd_3", "qty": 1}]),
        ("add the first and the third", [{"product_id": "prd_1", "qty": 1}, {"product_id": "prd_3", "qty": 1}]),
        ("dusra wala cart me daal do", [{"product_id": "prd_2", "qty": 1}]),
        ("add a pair of the first", [{"product_id": "prd_1", "qty": 1}]),
    ],
)
def test_what_is_added_is_what_was_pointed_at(text: str, expected: list[Json], planner: OfflinePlanner) -> None:
    assert said(planner, text, LOOKING) == [("add_to_cart", args) for args in expected]


def test_it_is_the_product_talked_about(planner: OfflinePlanner) -> None:
    assert said(planner, "add it to my cart", {**LOOKING, "focus": "prd_3"}) == [
        ("add_to_cart", {"product_id": "prd_3", "qty": 1})
    ]


def test_it_among_several_is_asked_back(planner: OfflinePlanner) -> None:
    message = planner.invoke(messages("add it to my cart", LOOKING))
    assert not message.tool_calls
    assert message.additional_kwargs["ask"]["slot"] == "product"


def test_a_place_nothing_stands_at_is_asked_back(planner: OfflinePlanner) -> None:
    message = planner.invoke(messages("add the seventh one", LOOKING))
    assert not message.tool_calls
    assert "7" in message.text


@pytest.mark.parametrize("text", ["add -1 of the first", "add 0 of the first one"])
def test_a_quantity_below_one_is_asked_back(text: str, planner: OfflinePlanner) -> None:
    assert not planner.invoke(messages(text, LOOKING)).tool_calls


def after_variant_required(planner: OfflinePlanner, text: str, state: Json, options: list[Json]) -> AIMessage:
    first = planner.invoke(messages(text, state))
    done = answered(first, failed("variant_required", options=options))
    return planner.invoke(messages(text, {**state, "pending": PENDING}, done))


def test_several_variants_are_asked_back_with_what_is_in_stock(planner: OfflinePlanner) -> None:
    message = after_variant_required(planner, "add the second one, two of them", LOOKING, VARIANTS)
    ask = message.additional_kwargs["ask"]
    assert "8" in message.text
    assert "9" in message.text
    assert "7" not in message.text
    assert (ask["tool"], ask["slot"], ask["args"]) == ("add_to_cart", "variant", {"product_id": "prd_2", "qty": 2})
    assert {option["options"]["colour"] for option in ask["options"]} == {"Red"}


def test_words_settle_the_variant(planner: OfflinePlanner) -> None:
    message = after_variant_required(planner, "add the second one in white, size 9", LOOKING, VARIANTS)
    assert calls(message) == [("add_to_cart", {"variant_id": "var_white_9", "qty": 1})]


def test_preferences_settle_the_variant(planner: OfflinePlanner) -> None:
    state = {**LOOKING, "preferences": {"shoe_size": "9"}}
    message = after_variant_required(planner, "add the second one", state, VARIANTS)
    assert calls(message) == [("add_to_cart", {"variant_id": "var_red_9", "qty": 1})]


@pytest.mark.parametrize(
    ("text", "variant"),
    [
        ("red, size 8", "var_red_8"),
        ("white 9", "var_white_9"),
        ("white in size 8 please", "var_white_8"),
        ("the first one", "var_red_8"),
        ("any", "var_red_8"),
        ("the last one", "var_white_9"),
        ("lal wala size 9", "var_red_9"),
    ],
)
def test_an_answer_picks_the_variant(text: str, variant: str, planner: OfflinePlanner) -> None:
    expected = [("add_to_cart", {"variant_id": variant, "qty": 2})]
    assert said(planner, text, {**LOOKING, "pending": PENDING}) == expected


@pytest.mark.parametrize("text", ["size 8", "8", "UK 8", "8 please", "8 number", "i want size 8", "the size 8 one"])
def test_a_size_answers_when_only_the_size_is_open(text: str, planner: OfflinePlanner) -> None:
    pending = {**PENDING, "options": [option for option in VARIANTS if option["options"]["colour"] == "Red"]}
    expected = [("add_to_cart", {"variant_id": "var_red_8", "qty": 2})]
    assert said(planner, text, {**LOOKING, "pending": pending}) == expected


def test_a_size_that_is_sold_out_is_said_so_and_asked_again(planner: OfflinePlanner) -> None:
    message = planner.invoke(messages("size 7", {**LOOKING, "pending": PENDING}))
    assert not message.tool_calls
    assert "not available" in message.text


def test_a_new_wish_leaves_the_open_question(planner: OfflinePlanner) -> None:
    assert said(planner, "what's in my cart", {**LOOKING, "pending": PENDING}) == [("view_cart", {})]


def test_never_mind_closes_the_open_question(planner: OfflinePlanner) -> None:
    message = planner.invoke(messages("never mind", {**LOOKING, "pending": PENDING}))
    assert not message.tool_calls
    assert "ask" not in message.additional_kwargs


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("remove the bottle", ("remove_from_cart", {"variant_id": "var_9"})),
        ("remove the first item", ("remove_from_cart", {"variant_id": "var_1"})),
        ("change the quantity of the bottle to 4", ("update_cart_item", {"variant_id": "var_9", "qty": 4})),
        ("one more of the bottle", ("update_cart_item", {"variant_id": "var_9", "qty": 3})),
        ("remove one of the bottles", ("update_cart_item", {"variant_id": "var_9", "qty": 1})),
        ("clear my cart", ("clear_cart", {})),
        ("what's in my cart", ("view_cart", {})),
        ("checkout", ("place_order", {"payment_method": "razorpay"})),
        ("place the order with cash on delivery", ("place_order", {"payment_method": "cod"})),
        ("my shoe size is 9", ("set_preference", {"key": "shoe_size", "value": "9"})),
        ("can i return things", ("store_policy", {"topic": "returns"})),
        ("compare the first and third", ("compare_products", {"product_ids": ["prd_1", "prd_3"]})),
        ("something like the second one", ("similar_products", {"product_id": "prd_2"})),
        ("tell me more about the second one", ("get_product", {"product_id": "prd_2"})),
        ("what's the total", ("get_quote", {})),
        ("show my addresses", ("list_addresses", {})),
    ],
)
def test_a_wish_becomes_its_call(text: str, expected: tuple[str, Json], planner: OfflinePlanner) -> None:
    assert said(planner, text, SHOPPING) == [expected]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("revenue by category last month", {"metric": "revenue", "period": "last_month", "group_by": "category"}),
        ("how many units did i sell yesterday", {"metric": "units", "period": "yesterday"}),
        (
            "compare this month's revenue with last month",
            {"metric": "revenue", "period": "this_month", "compare_to": "previous_period"},
        ),
        (
            "top 3 selling products this quarter",
            {"metric": "revenue", "period": "this_quarter", "group_by": "product", "order": "desc", "limit": 3},
        ),
    ],
)
def test_a_sellers_question_becomes_a_metric(text: str, expected: Json, planner: OfflinePlanner) -> None:
    assert said(planner, text, NEW) == [("seller_metrics", expected)]


def test_two_wishes_are_done_one_after_the_other(planner: OfflinePlanner) -> None:
    text = "add the third one and checkout"
    first = planner.invoke(messages(text, SHOPPING))
    assert calls(first) == [("add_to_cart", {"product_id": "prd_3", "qty": 1})]
    added = ok(added={"title": "Tarmigo Leather Sneakers", "qty": 1}, items=[], total=rupees(1899))
    done = answered(first, added)
    second = planner.invoke(messages(text, SHOPPING, done))
    assert calls(second) == [("place_order", {"payment_method": "razorpay"})]
    done += answered(second, failed("consent_rejected"))
    last = planner.invoke(messages(text, SHOPPING, done))
    assert not last.tool_calls
    assert "Tarmigo" in last.text
    assert "left it" in last.text


def test_a_search_and_its_first_result_in_one_sentence(planner: OfflinePlanner) -> None:
    text = "show me red sneakers and add the first one"
    first = planner.invoke(messages(text, NEW))
    found = {"productId": "prd_77", "title": "Strundo Red", "price": rupees(999), "available": 3}
    second = planner.invoke(messages(text, NEW, answered(first, ok(items=[found]))))
    assert calls(second) == [("add_to_cart", {"product_id": "prd_77", "qty": 1})]


def test_removing_and_adding_in_one_sentence(planner: OfflinePlanner) -> None:
    text = "remove the bottle and add 2 of the first"
    first = planner.invoke(messages(text, SHOPPING))
    assert calls(first) == [("remove_from_cart", {"variant_id": "var_9"})]
    second = planner.invoke(messages(text, SHOPPING, answered(first, ok(items=[], total=rupees(1499)))))
    assert calls(second) == [("add_to_cart", {"product_id": "prd_1", "qty": 2})]


@pytest.mark.parametrize("text", ["where is my order", "cancel my order"])
def test_orders_not_yet_seen_are_listed_first(text: str, planner: OfflinePlanner) -> None:
    first = planner.invoke(messages(text, NEW))
    assert calls(first) == [("list_orders", {})]
    then = planner.invoke(messages(text, NEW, answered(first, ok(items=ORDERS))))
    tool = "track_order" if "where" in text else "cancel_order"
    assert calls(then) == [(tool, {"order_id": "ord_7"})]


def test_the_known_order_is_tracked_at_once(planner: OfflinePlanner) -> None:
    assert said(planner, "where is my order", {**NEW, "orders": ORDERS}) == [("track_order", {"order_id": "ord_7"})]


def test_a_placed_order_is_told_with_its_open_payment(planner: OfflinePlanner) -> None:
    first = planner.invoke(messages("checkout", SHOPPING))
    order = {
        "orderId": "ord_9",
        "total": rupees(2497),
        "status": "pending",
        "paymentStatus": "unpaid",
        "paymentMethod": "razorpay",
    }
    told = planner.invoke(messages("checkout", SHOPPING, answered(first, ok(order=order, payment={"amount": 249700}))))
    assert not told.tool_calls
    assert "ord_9" in told.text
    assert "₹2,497" in told.text
    assert "Payment is open" in told.text


def test_a_missing_address_is_asked_for_and_then_saved(planner: OfflinePlanner) -> None:
    first = planner.invoke(messages("checkout", SHOPPING))
    asked = planner.invoke(messages("checkout", SHOPPING, answered(first, failed("address_required"))))
    pending = asked.additional_kwargs["ask"]
    assert pending["slot"] == "address"
    typed = "12 MG Road, Camp, Pune, Maharashtra 411001, <phone:1>"
    (call,) = said(planner, typed, {**SHOPPING, "pending": pending})
    assert call == (
        "add_address",
        {
            "name": "Asha Rao",
            "street": "12 MG Road, Camp",
            "city": "Pune",
            "state": "Maharashtra",
            "zip_code": "411001",
            "phone": "<phone:1>",
        },
    )


def test_a_guest_is_asked_to_log_in_before_buying(planner: OfflinePlanner) -> None:
    message = planner.invoke(messages("checkout", {**SHOPPING, "guest": True}))
    assert not message.tool_calls
    assert "log in" in message.text


@pytest.mark.parametrize("text", ["help", "who are you", "hello"])
def test_it_says_what_it_is(text: str, planner: OfflinePlanner) -> None:
    assert "built-in planner" in planner.invoke(messages(text, NEW)).text


@pytest.mark.parametrize("text", ["tell me a joke", "what's the weather today", "thanks", "bye"])
def test_small_talk_and_foreign_matters_call_nothing(text: str, planner: OfflinePlanner) -> None:
    message = planner.invoke(messages(text, SHOPPING))
    assert not message.tool_calls
    assert message.text


def test_a_failed_call_is_told_and_nothing_more_is_done(planner: OfflinePlanner) -> None:
    text = "add the third one and checkout"
    first = planner.invoke(messages(text, SHOPPING))
    told = planner.invoke(messages(text, SHOPPING, answered(first, failed("out_of_stock", details={"available": 0}))))
    assert not told.tool_calls
    assert "not in stock" in told.text


@pytest.mark.parametrize("tool", ["search_products", "view_cart", "track_order", "place_order", "seller_metrics"])
def test_any_unknown_failure_ends_in_words(tool: str, planner: OfflinePlanner) -> None:
    words: dict[str, Any] = {
        "search_products": "red sneakers",
        "view_cart": "view cart",
        "track_order": "track order ord_7",
        "place_order": "checkout",
        "seller_metrics": "revenue last month",
    }
    first = planner.invoke(messages(words[tool], SHOPPING))
    assert first.tool_calls[0]["name"] == tool
    told = planner.invoke(messages(words[tool], SHOPPING, answered(first, failed("strange"))))
    assert not told.tool_calls
    assert "strange happened" in told.text
