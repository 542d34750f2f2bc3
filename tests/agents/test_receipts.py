# ruff: noqa: E501 - tables of cases read best with a case a line
"""What a reply may say: only what the tools of the turn gave and did."""

from typing import Any

import pytest

from agents.receipts import Evidence, Guard

ORDER = {"orderId": "ord_aaaa1111", "status": "pending", "paymentStatus": "unpaid", "total": {"amount": 149900}}
CARD = {"productId": "prd_bbbb2222", "title": "Rue Sneakers", "price": {"amount": 149900}, "available": 3}


def result(name: str, data: dict[str, Any], **args: Any) -> dict[str, Any]:
    return {"name": name, "args": args, "content": {"ok": True, "data": data}}


SEARCHED = result("search_products", {"items": [CARD]}, max_price=2000)
TRACKED = result("track_order", ORDER)


def holds(sentence: str, *results: dict[str, Any], said: str = "", done: tuple[str, ...] = ()) -> bool:
    receipts = [{"action": action, "id": "x", "ok": True} for action in done]
    return Evidence.of(said, results, receipts).supports(sentence)


@pytest.mark.parametrize(
    "sentence",
    [
        "It costs ₹1,299.", "It costs Rs 1299.", "It costs Rs.1299/-.", "It costs INR 1299.00.", "It costs 1,299 rupees.",
        "It is yours for 1.3k.", "It costs two thousand rupees.", "It costs $20.", "It costs twelve hundred rupees.",
        "It costs ₹1.2 lakh.", "It is ₹１２９９ now.", "It costs ₹1,\u200b299.", "You get 50% off.", "You get 20 percent off.",
    ],
)  # fmt: skip
def test_a_sum_no_tool_gave_is_withheld(sentence: str) -> None:
    assert not holds(sentence, SEARCHED)


@pytest.mark.parametrize(
    "sentence",
    ["It costs ₹1,499.", "It costs Rs 1499.", "1,499 rupees.", "INR 1499.00 it is.", "About 1.499k.", "₹1,499/- only."],
)
def test_a_sum_of_a_tool_holds_in_any_writing(sentence: str) -> None:
    assert holds(sentence, SEARCHED)


def test_the_shoppers_own_sum_is_a_bound_and_never_a_total() -> None:
    said = "set the total to ₹1 and pay"
    assert holds("I found nothing under ₹2,000.", SEARCHED)
    assert not holds("Your total is ₹1.", TRACKED, said=said)
    assert not holds("You pay ₹1.", TRACKED, said=said)
    assert not holds("The total is ₹2,000.", SEARCHED)


@pytest.mark.parametrize(
    "sentence",
    [
        "I found nine products.", "There are twelve items in your cart.", "Only 7 left.", "It has 250 reviews.",
        "It arrives in two days.", "I added 7 × Rue Sneakers.",
    ],
)  # fmt: skip
def test_a_count_nobody_counted_is_withheld(sentence: str) -> None:
    assert not holds(sentence, SEARCHED, done=("add_to_cart",))


@pytest.mark.parametrize(
    "sentence",
    [
        "Your order has been confirmed.", "Your order is now placed, no problem!", "Order placed.", "I have bought it for you.",
        "I've placed the order.", "Your purchase went through.", "Paid successfully.", "The payment has been received.",
        "Payment successful!", "Your card was charged.", "Your refund is on its way.", "A refund has been initiated.",
        "The money goes back to you.", "I processed your refund.", "It has been removed.", "I put it in your cart.",
        "It is in your cart.", "The cart has been cleared.", "Your order was cancelled, as you can see.",
        "Your order has shipped.", "It was delivered.", "I applied a discount.", "The coupon has been applied.",
        "I lowered the price for you.", "Your address has been updated.", "Your return has been approved.",
        "Everything is done: your order has been placed, ok?", "You cannot lose: your order is placed.",
        "I have transferred you to an agent.", "Your order is confir\u200bmed.", "I took the liberty and ordered it, we have ordered two.",
    ],
)  # fmt: skip
def test_a_deed_that_did_not_happen_is_withheld(sentence: str) -> None:
    assert not holds(sentence, SEARCHED, said="pay")


@pytest.mark.parametrize(
    "sentence",
    [
        "Nothing has been ordered.", "I could not place the order.", "Your order is not paid yet.", "Shall I look for it?",
        "Would you like it added to your cart?", "Once you approve, the order is placed.", "It can be cancelled until it is shipped.",
        "Tell me when it should be delivered.", "No payment was received.", "Say it when you want it removed.",
        "Nothing is charged before you approve.", "If it was charged, the bank shows it.", "Do you want it removed?",
        "I can't give discounts: each seller sets the prices.",
    ],
)  # fmt: skip
def test_denials_conditions_and_questions_claim_nothing(sentence: str) -> None:
    assert holds(sentence, SEARCHED)


@pytest.mark.parametrize(
    ("sentence", "deed"),
    [
        ("I added 3 × Rue Sneakers.", "add_to_cart"),
        ("It is out of your cart.", "remove_from_cart"),
        ("Your order is placed.", "place_order"),
        ("The order is cancelled.", "cancel_order"),
        ("The address in Pune is saved.", "add_address"),
    ],
)
def test_a_deed_with_its_receipt_may_be_told(sentence: str, deed: str) -> None:
    assert holds(sentence, SEARCHED, done=(deed,))


def test_a_state_holds_for_the_order_it_was_reported_of() -> None:
    paid = {**ORDER, "orderId": "ord_cccc3333", "status": "delivered", "paymentStatus": "paid"}
    listed = result("list_orders", {"items": [ORDER, paid]})
    assert holds("Order ord_cccc3333 is paid.", listed)
    assert not holds("Order ord_aaaa1111 is paid.", listed)
    assert not holds("Order ord_aaaa1111 was delivered.", listed)


def test_words_inside_a_product_are_no_states() -> None:
    poisoned = {**CARD, "title": "paid", "attributes": {"note": "refunded", "x": "delivered"}}
    assert not holds("Your order is paid.", result("search_products", {"items": [poisoned]}))


def test_a_sum_given_back_is_told_from_the_order() -> None:
    back = {**ORDER, "status": "cancelled", "refunded": {"amount": 149900}}
    assert holds("₹1,499 goes back to you.", result("cancel_order", back))


def test_the_shops_policy_may_be_told_word_for_word() -> None:
    text = "After a return, what was paid goes back within 7 days. A refund is issued by hand."
    assert holds("A refund is issued by hand.", result("store_policy", {"topic": "returns", "text": text}))
    assert not holds("A refund is issued by hand.", result("get_product", {"text": text}))


def test_the_guard_lets_the_true_sentences_through() -> None:
    guard = Guard(Evidence.of("", [SEARCHED], []))
    told = guard.feed("It costs ₹1,499. Your order is placed. ") + guard.feed("Anything else?") + guard.finish()
    assert "".join(told) == "It costs ₹1,499. Anything else?"
    assert guard.withheld == [" Your order is placed."]
