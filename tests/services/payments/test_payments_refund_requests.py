"""Refunds somebody asks for, and what an order's events give back."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from payments_world import Crashed, Till

from services.contracts.events import OrderCancelled, OrderReturned, OrderUpdated
from services.contracts.orders import OrderView
from services.contracts.payments import RefundNotAllowed, RefundShare, RefundTooLarge, RefundView
from services.kit.errors import Invalid, NotFound
from services.kit.principal import SYSTEM
from services.payments.models import payment_id_of
from tests.fakes.orders import sold_line
from tests.fakes.razorpay import Entity

LINES = [sold_line("a", "s1", 100_01), sold_line("b", "s1", 200_01), sold_line("c", "s2", 33_33)]
SHIPPING = {"s1": 0, "s2": 49_00}
TOTAL = 382_35


async def sold(till: Till, method: str = "razorpay") -> tuple[OrderView, str]:
    order = till.orders.has_sold(till.asha, LINES, SHIPPING, method)
    assert order.total.amount == TOTAL
    return order, payment_id_of(order.order_id)


async def paid(till: Till) -> tuple[OrderView, str, Entity]:
    order, payment_id = await sold(till)
    attempt = till.gateway.attempt((await till.open(order)).razorpay_order_id)
    await till.verify(attempt)
    return order, payment_id, attempt


def shares(refund: RefundView) -> dict[str, int]:
    return {line.line_id: line.amount.amount for line in refund.lines}


async def test_a_part_is_split_over_the_lines_to_the_paisa_and_sent(till: Till) -> None:
    order, payment_id, attempt = await paid(till)

    refund = await till.refund(payment_id, {"amount": "100.00", "reason": "a scratch"})
    assert (refund.status, refund.amount.amount, refund.reason) == ("pending", 100_00, "a scratch")
    assert shares(refund) == {"a": 26_16, "b": 52_31, "c": 8_72, "shipping:s2": 12_81}

    assert await till.service.settle_refunds() == 1
    (told,) = (await till.service.refunds(till.asha, payment_id)).items
    assert (told.status, told.gateway_refund_id) == ("processed", "rfnd_00000000000000")
    payment = await till.of(order.order_id)
    assert (payment.status, payment.amount_refunded.amount) == ("completed", 100_00)
    assert till.gateway.payments[attempt["id"]]["amount_refunded"] == 100_00


async def test_several_parts_end_with_every_line_back_exactly(till: Till) -> None:
    order, payment_id, _ = await paid(till)

    made = [await till.refund(payment_id, {"amount": amount}, key=f"r{amount}") for amount in (77, 11.11, "1.23")]
    made.append(await till.refund(payment_id, key="rest"))
    assert await till.service.settle_refunds() == 4

    total: dict[str, int] = {}
    for refund in made:
        assert sum(shares(refund).values()) == refund.amount.amount
        for line, amount in shares(refund).items():
            total[line] = total.get(line, 0) + amount
    assert total == {"a": 100_01, "b": 200_01, "c": 33_33, "shipping:s2": 49_00}
    assert (await till.of(order.order_id)).status == "refunded"
    assert till.gateway.captured == 0


async def test_named_lines_are_refunded_as_named_and_never_beyond_their_price(till: Till) -> None:
    _, payment_id, _ = await paid(till)
    lines = [{"lineId": "c", "amount": "33.33"}, {"lineId": "shipping:s2", "amount": 49}]

    assert shares(await till.refund(payment_id, {"lines": lines})) == {"c": 33_33, "shipping:s2": 49_00}

    for body, error in [
        ({"lines": [{"lineId": "c", "amount": 1}]}, Invalid),
        ({"lines": [{"lineId": "nothing", "amount": 1}]}, Invalid),
        ({"lines": [{"lineId": "a", "amount": "100.02"}]}, RefundTooLarge),
        ({"amount": "300.03"}, RefundTooLarge),
    ]:
        with pytest.raises(error):
            await till.refund(payment_id, body, key=str(body))


@pytest.mark.parametrize(
    "body",
    [
        {"amount": 0},
        {"amount": "0.99"},
        {"amount": -1},
        {"amount": "1.001"},
        {"lines": [{"lineId": "a", "amount": 2}], "amount": 3},
        {"lines": [{"lineId": "a", "amount": 2}, {"lineId": "a", "amount": 2}]},
    ],
)
async def test_a_body_that_does_not_add_up_is_refused(till: Till, body: Any) -> None:
    with pytest.raises(ValueError, match="validation error"):
        await till.refund("pay_1", body)


async def test_refunds_asked_for_at_once_never_exceed_what_was_captured(till: Till) -> None:
    _, payment_id, _ = await paid(till)

    answers = await asyncio.gather(
        *(till.refund(payment_id, {"amount": 100}, key=f"r{i}") for i in range(8)), return_exceptions=True
    )
    await till.service.settle_refunds()

    assert [type(answer) for answer in answers].count(RefundView) == 3
    assert {type(answer) for answer in answers} == {RefundView, RefundTooLarge}
    assert till.gateway.captured == TOTAL - 300_00


async def test_the_same_key_refunds_once_before_and_after_a_crash(till: Till) -> None:
    _, payment_id, _ = await paid(till)

    for point in ("payments.refund.drawn", "payments.refund.wanted"):
        till.crash.name = point
        with pytest.raises(Crashed):
            await till.refund(payment_id, {"amount": 10}, key=point)
        first = await till.refund(payment_id, {"amount": 10}, key=point)
        again = await till.refund(payment_id, {"amount": 10}, key=point)
        assert (first.refund_id, again.replayed) == (again.refund_id, True)
    assert await till.service.settle_refunds() == 2
    assert till.gateway.captured == TOTAL - 20_00


async def test_a_buyer_gets_by_asking_only_what_was_cancelled(till: Till) -> None:
    order, payment_id, _ = await paid(till)

    with pytest.raises(RefundNotAllowed):
        await till.refund(payment_id, {"amount": 10}, who=till.asha)
    till.orders.set_part(order.order_id, "s2", "cancelled")
    with pytest.raises(RefundTooLarge):
        await till.refund(payment_id, {"amount": 83}, who=till.asha, key="r-2")
    assert shares(await till.refund(payment_id, who=till.asha, key="r-3")) == {"c": 33_33, "shipping:s2": 49_00}
    with pytest.raises(NotFound):
        await till.refund(payment_id, who=till.buyer())


async def test_money_that_was_not_captured_cannot_go_back(till: Till) -> None:
    order, payment_id = await sold(till)
    await till.open(order)

    with pytest.raises(RefundNotAllowed):
        await till.refund(payment_id)


async def test_what_an_order_owes_goes_back_once_in_any_order_of_its_events(till: Till) -> None:
    order, payment_id, _ = await paid(till)
    part = {"c": 33_33, "shipping:s2": 49_00}

    for kind, event_id, due in [
        (OrderUpdated, "evt_2", part),
        (OrderUpdated, "evt_2", part),
        (OrderUpdated, "evt_1", {}),
        (OrderReturned, "evt_3", {**part, "a": 50_00}),
        (OrderUpdated, "evt_4", part),
    ]:
        till.clock.advance(timedelta(seconds=1))
        await till.hears(kind, order.order_id, event_id, due)
    await till.service.settle_refunds()

    newest_first = (await till.service.refunds(till.asha, payment_id)).items
    assert [shares(refund) for refund in newest_first] == [{"a": 50_00}, part]
    assert (await till.of(order.order_id)).amount_refunded.amount == 132_33


async def test_goodwill_on_a_line_counts_towards_what_its_return_owes(till: Till) -> None:
    order, payment_id, _ = await paid(till)
    await till.refund(payment_id, {"lines": [{"lineId": "a", "amount": 30}]})

    await till.hears(OrderReturned, order.order_id, due={"a": 100_01})

    newest = (await till.service.refunds(till.asha, payment_id)).items
    assert sorted(refund.amount.amount for refund in newest) == [30_00, 70_01]


async def test_a_cancelled_order_returns_the_rest_split_over_its_lines(till: Till) -> None:
    order, payment_id, _ = await paid(till)
    await till.refund(payment_id, {"lines": [{"lineId": "a", "amount": 30}]})
    till.orders.close(order.order_id, "cancelled")

    await till.hears(OrderCancelled, order.order_id)
    await till.service.settle_refunds()

    found = {r.amount.amount: shares(r) for r in (await till.service.refunds(till.asha, payment_id)).items}
    assert found[352_35] == {"a": 70_01, "b": 200_01, "c": 33_33, "shipping:s2": 49_00}
    assert till.gateway.captured == 0


async def test_orders_can_name_the_lines_themselves_and_repeat_it(till: Till) -> None:
    order, payment_id, _ = await paid(till)
    lines = [RefundShare(line_id="a", amount=60_00), RefundShare(line_id="gone", amount=1)]

    first = await till.service.refund_lines(SYSTEM, order.order_id, lines, "a return", "ret_1")
    again = await till.service.refund_lines(SYSTEM, order.order_id, lines, "a return", "ret_1")
    await till.hears(OrderReturned, order.order_id, due={"a": 60_00})

    assert first == again
    assert len((await till.service.refunds(till.asha, payment_id)).items) == 1


async def test_cash_is_completed_when_collected_and_goes_back_by_hand(till: Till) -> None:
    order, payment_id = await sold(till, "cod")
    till.orders.set_paid(order.order_id)

    for event_id in ("evt_1", "evt_1", "evt_2"):
        await till.hears(OrderUpdated, order.order_id, event_id)
    assert (await till.of(order.order_id)).status == "completed"
    await till.hears(OrderReturned, order.order_id, due={"a": 100_01})

    (refund,) = (await till.service.refunds(till.asha, payment_id)).items
    assert (refund.status, shares(refund)) == ("by_hand", {"a": 100_01})
    assert await till.service.settle_refunds() == 0
    successes = [kind for kind in await till.event_types() if kind == "payment.success"]
    assert len(successes) == 1


async def test_the_buyer_hears_of_a_second_charge_that_went_back(till: Till) -> None:
    _, payment_id, first = await paid(till)
    second = till.gateway.attempt(first["order_id"])
    await till.told("payment.captured", second)
    await till.service.settle_refunds()
    await till.service.settle_refunds()

    (event,) = [e.data for e in await till.events() if e.type == "payment.refunded"]
    assert (event["paymentId"], event["transactionId"]) == (payment_id, second["id"])
    assert (event["stray"], event["refunded"], event["userId"]) == (TOTAL, 0, till.asha.user_id)
