import asyncio

import pytest

from services.contracts.orders import PartStatus
from services.kit.errors import Unavailable
from services.kit.principal import SYSTEM, Principal
from services.orders.models.parts import PART_MOVES
from tests.services.orders.conftest import money_for, seller

A, B, C = seller("a"), seller("b"), seller("c")


@pytest.fixture
def buyer(shop):
    """Somebody in a town where sel_a sells var_a at 100 rupees and sel_b var_b at 50."""
    shop.catalog.stock("var_a", seller_id="sel_a")
    shop.catalog.stock("var_b", price=5_000, seller_id="sel_b")
    return shop.buyer()


def due(event) -> dict[str, int]:
    """What the event says is due back, by seller, goods and shipping."""
    found = {part["sellerId"]: part["shippingRefundDue"] for part in event.data["parts"]}
    for line in event.data["lines"]:
        found[line["sellerId"]] += line["refundDue"]
    return found


async def test_a_part_is_shipped_and_delivered_and_the_order_is_complete(desk, shop, buyer):
    order = await desk.paid(buyer, var_a=2)
    path = f"/seller/orders/{order['orderId']}"
    shipped = await desk.does(A, f"{path}/ship", {"carrier": "<b>Blue Dart</b>", "trackingNumber": "BD1"})
    assert (shipped["status"], shipped["part"]["carrier"]) == ("shipped", "Blue Dart")
    assert shipped["shipTo"]["street"] == "12 MG Road"
    assert (await desk.does(A, f"{path}/deliver"))["part"]["deliveredAt"]
    seen = await desk.order(buyer, order["orderId"])
    assert (seen["status"], seen["parts"][0]["trackingNumber"]) == ("delivered", "BD1")
    assert [e["status"] for e in seen["timeline"]] == ["pending", "confirmed", "shipped", "delivered", "completed"]
    types = ["order.created", "order.confirmed", "order.shipped", "order.delivered", "order.completed"]
    assert await shop.event_types(order["orderId"]) == types
    assert [e.sequence for e in await shop.events(order["orderId"])] == [1, 2, 3, 4, 5]


async def test_the_order_stands_where_its_least_advanced_live_part_stands(desk, shop, buyer):
    order = await desk.paid(buyer, var_a=1, var_b=1)
    path = f"/seller/orders/{order['orderId']}"
    stood = []
    for who, step in ((A, "ship"), (A, "deliver"), (B, "ship"), (B, "deliver")):
        await desk.does(who, f"{path}/{step}")
        stood.append((await desk.order(buyer, order["orderId"]))["status"])
    assert stood == ["confirmed", "confirmed", "shipped", "delivered"]
    assert (await shop.event_types(order["orderId"]))[2:] == [
        "order.updated", "order.updated", "order.shipped", "order.delivered", "order.completed",
    ]  # fmt: skip


async def test_a_cancelled_part_goes_back_on_the_shelf_and_its_money_is_due(desk, shop, buyer):
    order = await desk.paid(buyer, var_a=2, var_b=1)
    path = f"/seller/orders/{order['orderId']}"
    await desk.does(A, f"{path}/ship")
    cancelled = await desk.does(B, f"{path}/cancel", {"reason": "broken"})
    assert (cancelled["status"], cancelled["part"]["shippingRefundDue"]["amount"]) == ("cancelled", 4_900)
    assert {v: s.on_hand for v, s in shop.catalog.shelves.items()} == {"var_a": 8, "var_b": 10}
    [*_, event] = await shop.events(order["orderId"])
    assert (event.type, event.data["status"]) == ("order.shipped", "shipped")
    assert due(event) == {"sel_a": 0, "sel_b": 9_900}
    assert [(p["sellerId"], p["status"]) for p in event.data["parts"]] == [("sel_a", "shipped"), ("sel_b", "cancelled")]
    await shop.orders.expire_due()
    assert shop.catalog.shelves["var_b"].on_hand == 10


async def test_when_the_last_part_goes_the_order_is_cancelled(desk, shop, buyer):
    order = await desk.paid(buyer, var_a=2, var_b=1)
    for who in (A, B):
        await desk.does(who, f"/seller/orders/{order['orderId']}/cancel")
    assert (await desk.order(buyer, order["orderId"]))["status"] == "cancelled"
    [*_, event] = await shop.events(order["orderId"])
    assert (event.type, event.data["reason"], sum(due(event).values())) == (
        "order.cancelled", "seller", order["total"]["amount"],
    )  # fmt: skip
    assert (shop.catalog.shelves["var_a"].on_hand, shop.catalog.shelves["var_b"].on_hand) == (10, 10)


async def test_the_buyer_may_still_cancel_what_a_seller_left(desk, shop, buyer):
    order = await desk.paid(buyer, var_a=2, var_b=1)
    await desk.does(B, f"/seller/orders/{order['orderId']}/cancel")
    await desk.does(buyer, f"/orders/{order['orderId']}/cancel")
    [*_, event] = await shop.events(order["orderId"])
    assert (event.type, sum(due(event).values())) == ("order.cancelled", order["total"]["amount"])
    assert (shop.catalog.shelves["var_a"].on_hand, shop.catalog.shelves["var_b"].on_hand) == (10, 10)


async def test_an_order_with_money_due_back_is_complete_once_it_went_back(desk, shop, buyer):
    order = await desk.paid(buyer, var_a=2, var_b=1)
    path = f"/seller/orders/{order['orderId']}"
    await desk.does(B, f"{path}/cancel")
    await desk.does(A, f"{path}/ship")
    await desk.does(A, f"{path}/deliver")
    assert "order.completed" not in await shop.event_types(order["orderId"])
    await shop.orders.mark_refunded(SYSTEM, order["orderId"], 9_900)
    assert (await shop.event_types(order["orderId"]))[-2:] == ["order.updated", "order.completed"]
    await shop.orders.mark_refunded(SYSTEM, order["orderId"], 10_000)
    assert (await shop.event_types(order["orderId"])).count("order.completed") == 1


async def test_cash_of_every_part_makes_the_order_paid_and_complete(desk, shop, buyer):
    shop.cart.put(buyer, var_a=1, var_b=1)
    order = await shop.place(buyer, payment_method="cod")
    path = f"/seller/orders/{order.order_id}"
    early = await desk(A, "POST", f"{path}/cod-collected")
    assert (early.status_code, early.json()["code"]) == (409, "illegal_step")
    for who in (A, B):
        await desk.does(who, f"{path}/ship")
        await desk.does(who, f"{path}/deliver")
    assert (await desk.does(A, f"{path}/cod-collected"))["paymentStatus"] == "unpaid"
    assert (await desk.does(B, f"{path}/cod-collected"))["paymentStatus"] == "paid"
    assert (await desk(B, "POST", f"{path}/cod-collected")).status_code == 409
    assert (await shop.event_types(order.order_id))[-3:] == ["order.updated", "order.updated", "order.completed"]


async def test_cash_is_not_collected_for_what_was_paid_before(desk, buyer):
    order = await desk.paid(buyer, var_a=1)
    answer = await desk(A, "POST", f"/seller/orders/{order['orderId']}/cod-collected")
    assert (answer.status_code, answer.json()["code"]) == (409, "illegal_step")


@pytest.mark.parametrize("step", ["ship", "deliver", "cancel"])
@pytest.mark.parametrize("status", ["pending", "confirmed", "shipped", "delivered", "cancelled"])
async def test_only_moves_of_the_table_happen(desk, shop, buyer, status: PartStatus, step):
    shop.cart.put(buyer, var_a=1)
    order = await shop.place(buyer)
    if status != "pending":
        await shop.orders.mark_paid(SYSTEM, money_for(order))
    path = f"/seller/orders/{order.order_id}"
    for each in {"shipped": ["ship"], "delivered": ["ship", "deliver"], "cancelled": ["cancel"]}.get(status, []):
        await desk.does(A, f"{path}/{each}")
    target: PartStatus = {"ship": "shipped", "deliver": "delivered", "cancel": "cancelled"}[step]
    answer = await desk(A, "POST", f"{path}/{step}")
    legal = target in PART_MOVES[status] and status != "pending"
    assert answer.status_code == (200 if legal else 409), answer.text
    if not legal:
        assert answer.json()["details"] == {"status": status, "step": target}


async def test_other_sellers_and_buyers_see_no_part(desk, buyer):
    order = await desk.paid(buyer, var_a=1)
    for step in ("ship", "deliver", "cancel", "cod-collected"):
        foreign = await desk(C, "POST", f"/seller/orders/{order['orderId']}/{step}")
        unknown = await desk(C, "POST", f"/seller/orders/ord_x/{step}")
        assert foreign.status_code == unknown.status_code == 404
        assert foreign.json()["detail"] == unknown.json()["detail"]
        assert (await desk(buyer, "POST", f"/seller/orders/{order['orderId']}/{step}")).status_code == 403


async def test_a_seller_sees_the_own_lines_and_no_address_before_the_sale(desk, shop, buyer):
    shop.cart.put(buyer, var_a=1, var_b=1)
    order = await shop.place(buyer)
    part = (await desk(A, "GET", f"/seller/orders/{order.order_id}")).json()
    assert [line["sellerId"] for line in part["items"]] == ["sel_a"]
    assert (part["shipTo"]["city"], part["shipTo"]["street"], part["shipTo"]["phone"]) == ("Pune", "", "")


async def test_a_repeated_step_with_its_key_gets_the_first_answer(desk, buyer):
    order = await desk.paid(buyer, var_a=1)
    path = f"/seller/orders/{order['orderId']}/ship"
    first = await desk(A, "POST", path, {}, key="k")
    again = await desk(A, "POST", path, {}, key="k")
    assert (again.content, again.headers["Idempotent-Replayed"]) == (first.content, "true")


async def test_stock_that_could_not_go_back_goes_back_by_the_sweep(desk, shop, buyer):
    async def away(order_id, lines):
        raise Unavailable("the catalogue is away")

    order = await desk.paid(buyer, var_a=2, var_b=1)
    shop.catalog.restock = away
    await desk.does(A, f"/seller/orders/{order['orderId']}/cancel")
    assert shop.catalog.shelves["var_a"].on_hand == 8
    del shop.catalog.restock
    await shop.orders.expire_due()
    assert shop.catalog.shelves["var_a"].on_hand == 10
    assert await shop.repository.with_stock_due() == []


async def test_cancelling_and_shipping_at_once_never_both_win(desk, shop, buyer):
    for _ in range(5):
        order = await desk.paid(buyer, var_a=1)
        path = f"/seller/orders/{order['orderId']}"
        answers = await asyncio.gather(
            desk(A, "POST", f"{path}/ship"), desk(A, "POST", f"{path}/cancel"),
            desk(buyer, "POST", f"/orders/{order['orderId']}/cancel"),
        )  # fmt: skip
        assert sorted(answer.status_code for answer in answers) == [200, 409, 409]
    live = [o for o in (await shop.orders.mine(buyer)).items if o.status == "shipped"]
    assert shop.catalog.shelves["var_a"].on_hand == 10 - len(live)


async def test_an_unpaid_order_goes_elsewhere_for_the_same_sum(desk, shop, buyer):
    shop.cart.put(buyer, var_a=1)
    shop.addresses.give(buyer, "adr_2", default=False, state="Kerala", city="Kochi")
    order = await shop.place(buyer)
    changed = await desk(buyer, "PATCH", f"/orders/{order.order_id}/address", {"addressId": "adr_2"})
    seen, before = changed.json(), order.to_wire()
    assert (changed.status_code, seen["shippingAddress"]["city"]) == (200, "Kochi")
    assert (seen["total"], seen["tax"]) == (before["total"], before["tax"])
    assert before["items"][0]["tax"]["igst"] == 0
    assert seen["items"][0]["tax"]["igst"] == before["tax"]["amount"]
    assert (await shop.event_types())[-1] == "order.updated"
    assert (await shop.orders.mark_paid(SYSTEM, money_for(order))).accepted


async def test_the_address_stays_once_the_order_is_paid(desk, shop, buyer):
    order = await desk.paid(buyer, var_a=1)
    answer = await desk(buyer, "PATCH", f"/orders/{order['orderId']}/address", {"addressId": "adr_1"})
    assert (answer.status_code, answer.json()["code"]) == (409, "address_fixed")


async def test_the_address_of_somebody_elses_order_is_not_changed(desk, shop, buyer):
    shop.cart.put(buyer, var_a=1)
    order = await shop.place(buyer)
    other = shop.buyer()
    path = f"/orders/{order.order_id}/address"
    assert (await desk(other, "PATCH", path, {"addressId": "adr_1"})).status_code == 404
    assert (await desk(buyer, "PATCH", path, {"addressId": "adr_of_nobody"})).status_code == 404
    assert isinstance(other, Principal)
