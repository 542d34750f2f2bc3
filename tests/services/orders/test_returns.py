from datetime import timedelta

import pytest

from services.kit.money import split_by_largest_remainder
from services.kit.principal import SYSTEM
from tests.services.orders.conftest import seller

A, B = seller("a"), seller("b")


@pytest.fixture
async def delivered(desk, shop):
    """Three pieces at 33.33 rupees of sel_a and one of sel_b, delivered, and their buyer."""
    shop.catalog.stock("var_a", price=3_333, seller_id="sel_a")
    shop.catalog.stock("var_b", price=5_000, seller_id="sel_b")
    who = shop.buyer()
    order = await desk.paid(who, var_a=3, var_b=1)
    for owner in (A, B):
        await desk.does(owner, f"/seller/orders/{order['orderId']}/ship")
        await desk.does(owner, f"/seller/orders/{order['orderId']}/deliver")
    return who, await desk.order(who, order["orderId"])


def line_of(order, variant_id) -> str:
    return next(line["lineId"] for line in order["items"] if line["variantId"] == variant_id)


async def asked(desk, who, order, key="r", **quantities):
    wanted = [{"lineId": line_of(order, variant), "qty": qty} for variant, qty in quantities.items()]
    return await desk.does(who, f"/orders/{order['orderId']}/returns", {"lines": wanted, "reason": "too small"}, key)


async def test_an_approved_return_gives_goods_and_money_back(desk, shop, delivered):
    who, order = delivered
    [each] = (await asked(desk, who, order, var_b=1))["returns"]
    assert (each["status"], each["sellerId"], each["refund"]["amount"]) == ("requested", "sel_b", 5_000)
    part = await desk.does(B, f"/seller/returns/{each['returnId']}/approve")
    assert (part["status"], part["returns"][0]["status"], part["returns"][0]["restocked"]) == (
        "returned", "approved", True,
    )  # fmt: skip
    seen = await desk.order(who, order["orderId"])
    assert (seen["status"], shop.catalog.shelves["var_b"].on_hand) == ("delivered", 10)
    event = next(e for e in await shop.events(order["orderId"]) if e.type == "order.returned")
    assert {line["variantId"]: line["refundDue"] for line in event.data["lines"]} == {"var_a": 0, "var_b": 5_000}
    assert all(part["shippingRefundDue"] == 0 for part in event.data["parts"])


async def test_pieces_returned_one_by_one_add_up_to_what_was_paid(desk, shop, delivered):
    who, order = delivered
    paid = next(line["lineTotal"]["amount"] for line in order["items"] if line["variantId"] == "var_a")
    given = []
    for n in range(3):
        [*_, each] = (await asked(desk, who, order, key=f"r{n}", var_a=1))["returns"]
        part = await desk.does(A, f"/seller/returns/{each['returnId']}/approve")
        given.append(part["returns"][-1]["refund"]["amount"])
    assert given == split_by_largest_remainder(paid, [1, 1, 1])
    assert (part["status"], part["items"][0]["refundDue"]["amount"]) == ("returned", paid)
    assert shop.catalog.shelves["var_a"].on_hand == 10


async def test_when_everything_is_returned_the_order_is(desk, shop, delivered):
    who, order = delivered
    for each in (await asked(desk, who, order, var_a=3, var_b=1))["returns"]:
        owner = A if each["sellerId"] == "sel_a" else B
        await desk.does(owner, f"/seller/returns/{each['returnId']}/approve")
    assert (await desk.order(who, order["orderId"]))["status"] == "returned"
    assert (await shop.event_types(order["orderId"])).count("order.completed") == 1
    await shop.orders.mark_refunded(SYSTEM, order["orderId"], order["subtotal"]["amount"])
    assert (await shop.event_types(order["orderId"])).count("order.completed") == 1


async def test_damaged_goods_stay_off_the_shelf(desk, shop, delivered):
    who, order = delivered
    [each] = (await asked(desk, who, order, var_b=1))["returns"]
    await desk.does(B, f"/seller/returns/{each['returnId']}/approve", {"restock": False})
    assert shop.catalog.shelves["var_b"].on_hand == 9


async def test_a_refused_return_changes_nothing_but_itself(desk, shop, delivered):
    who, order = delivered
    [each] = (await asked(desk, who, order, var_b=1))["returns"]
    await desk.does(B, f"/seller/returns/{each['returnId']}/refuse", {"note": "worn"})
    seen = await desk.order(who, order["orderId"])
    assert (seen["returns"][0]["status"], seen["returns"][0]["note"]) == ("refused", "worn")
    assert (seen["parts"][1]["status"], shop.catalog.shelves["var_b"].on_hand) == ("delivered", 9)
    again = await asked(desk, who, order, key="again", var_b=1)
    assert [r["status"] for r in again["returns"]] == ["refused", "requested"]


@pytest.mark.parametrize("late", ["approve", "refuse"])
async def test_a_return_is_decided_once(desk, delivered, late):
    who, order = delivered
    [each] = (await asked(desk, who, order, var_b=1))["returns"]
    await desk.does(B, f"/seller/returns/{each['returnId']}/approve")
    answer = await desk(B, "POST", f"/seller/returns/{each['returnId']}/{late}")
    assert (answer.status_code, answer.json()["code"]) == (409, "return_decided")


async def test_only_the_seller_of_the_lines_decides(desk, delivered):
    who, order = delivered
    [each] = (await asked(desk, who, order, var_b=1))["returns"]
    foreign = await desk(A, "POST", f"/seller/returns/{each['returnId']}/approve")
    unknown = await desk(A, "POST", "/seller/returns/ret_x/approve")
    assert foreign.status_code == unknown.status_code == 404
    assert foreign.json()["detail"] == unknown.json()["detail"]


async def test_no_more_is_returned_than_was_bought(desk, delivered):
    who, order = delivered
    await asked(desk, who, order, var_a=2)
    wanted = {"lines": [{"lineId": line_of(order, "var_a"), "qty": 2}]}
    answer = await desk(who, "POST", f"/orders/{order['orderId']}/returns", wanted, key="more")
    assert (answer.status_code, answer.json()["code"]) == (409, "return_not_possible")
    assert answer.json()["details"]["left"] == 1


async def test_the_window_ends(desk, shop, delivered):
    who, order = delivered
    wanted = {"lines": [{"lineId": line_of(order, "var_a")}]}
    shop.clock.advance(timedelta(days=10))
    answer = await desk(who, "POST", f"/orders/{order['orderId']}/returns", wanted, key="late")
    assert (answer.status_code, answer.json()["code"]) == (409, "return_not_possible")


async def test_what_is_not_delivered_cannot_be_returned(desk, shop):
    shop.catalog.stock("var_a")
    who = shop.buyer()
    order = await desk.paid(who, var_a=1)
    wanted = {"lines": [{"lineId": line_of(order, "var_a")}]}
    answer = await desk(who, "POST", f"/orders/{order['orderId']}/returns", wanted, key="r")
    assert (answer.status_code, answer.json()["code"]) == (409, "return_not_possible")


async def test_a_return_needs_its_key_and_is_asked_once_by_it(desk, delivered):
    who, order = delivered
    path, wanted = f"/orders/{order['orderId']}/returns", {"lines": [{"lineId": line_of(order, "var_b")}]}
    assert (await desk(who, "POST", path, wanted)).status_code == 400
    first = await desk(who, "POST", path, wanted, key="k")
    again = await desk(who, "POST", path, wanted, key="k")
    assert (again.status_code, again.content) == (201, first.content)
    assert again.headers["Idempotent-Replayed"] == "true"


async def test_a_line_of_no_order_and_an_order_of_somebody_else_are_refused(desk, shop, delivered):
    who, order = delivered
    path = f"/orders/{order['orderId']}/returns"
    assert (await desk(who, "POST", path, {"lines": [{"lineId": "lin_x"}]}, key="x")).status_code == 422
    wanted = {"lines": [{"lineId": line_of(order, "var_b")}]}
    assert (await desk(shop.buyer(), "POST", path, wanted, key="x")).status_code == 404
