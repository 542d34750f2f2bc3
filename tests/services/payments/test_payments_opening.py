import asyncio

import pytest
from payments_world import Crashed, Till

from services.contracts.orders import OrderClosed
from services.contracts.payments import GatewayAway, NothingToPay
from services.kit.errors import IdempotencyConflict, NotFound


async def test_the_gateway_order_has_the_orders_own_total(till: Till) -> None:
    order = till.orders.has(till.asha, total=249_900)

    opened = await till.open(order)

    at_gateway = till.gateway.orders[opened.razorpay_order_id]
    assert (opened.amount, opened.key_id) == (249_900, till.gateway.key_id)
    assert (at_gateway["amount"], at_gateway["receipt"]) == (249_900, order.order_id)
    payment = await till.of(order.order_id)
    assert (payment.payment_id, payment.status) == (opened.payment_id, "pending")


async def test_the_same_key_gets_the_first_answer_again(till: Till) -> None:
    order = till.orders.has(till.asha)

    first = await till.open(order)
    again = await till.open(order)

    assert again.replayed
    assert again.to_json() == first.to_json()
    with pytest.raises(IdempotencyConflict):
        await till.open(till.orders.has(till.asha))


async def test_many_opens_at_once_give_one_payment_and_one_gateway_order(till: Till) -> None:
    order = till.orders.has(till.asha)

    opened = await asyncio.gather(*(till.open(order, key=f"open-{i}") for i in range(20)))

    assert len({(o.payment_id, o.razorpay_order_id) for o in opened}) == 1
    assert len(till.gateway.orders) == 1


async def test_somebody_elses_order_is_not_there(till: Till) -> None:
    order = till.orders.has(till.asha)

    with pytest.raises(NotFound):
        await till.open(order, who=till.buyer())
    assert not till.gateway.orders


async def test_an_expired_order_cannot_be_paid(till: Till) -> None:
    order = till.orders.has(till.asha)
    till.orders.close(order.order_id, "expired")

    with pytest.raises(OrderClosed):
        await till.open(order)


@pytest.mark.parametrize("changes", [{"method": "cod"}, {"total": 0}])
async def test_cash_orders_and_free_ones_have_nothing_to_pay(till: Till, changes: dict) -> None:
    order = till.orders.has(till.asha, **changes)

    with pytest.raises(NothingToPay):
        await till.open(order)


async def test_a_gateway_that_is_away_says_when_to_come_back(till: Till) -> None:
    order = till.orders.has(till.asha)
    till.gateway.away = True

    with pytest.raises(GatewayAway) as away:
        await till.open(order)
    till.gateway.away = False

    assert (away.value.status, away.value.retryable, away.value.retry_after) == (503, True, 5)
    assert (await till.open(order)).amount == order.total.amount


async def test_a_crash_after_the_gateways_answer_repeats_onto_the_same_gateway_order(till: Till) -> None:
    order = till.orders.has(till.asha)
    till.crash.name = "payments.open.gateway"

    with pytest.raises(Crashed):
        await till.open(order)
    opened = await till.open(order)

    assert list(till.gateway.orders) == [opened.razorpay_order_id]


async def test_a_lost_answer_of_the_gateway_repeats_onto_the_same_gateway_order(till: Till) -> None:
    order = till.orders.has(till.asha)
    till.gateway.lose["create_order"] = 1

    with pytest.raises(GatewayAway):
        await till.open(order)
    opened = await till.open(order)

    assert list(till.gateway.orders) == [opened.razorpay_order_id]


async def test_only_the_buyer_and_an_admin_see_a_payment(till: Till) -> None:
    order = till.orders.has(till.asha)
    opened = await till.open(order)
    admin = till.buyer().model_copy(update={"roles": frozenset({"admin"})})

    assert (await till.service.get(admin, opened.payment_id)).order_id == order.order_id
    with pytest.raises(NotFound):
        await till.service.get(till.buyer(), opened.payment_id)
    assert await till.service.of_order(till.buyer(), order.order_id) is None
