import asyncio
from datetime import timedelta

import pytest
from payments_world import Crashed, Till

from services.contracts.events import OrderCancelled, OrderCreated, OrderExpired, PaymentSucceeded
from services.contracts.orders import OrderView
from tests.fakes.razorpay import Entity


async def opened(till: Till) -> tuple[OrderView, str]:
    order = till.orders.has(till.asha)
    return order, (await till.open(order)).razorpay_order_id


async def paid_too_late(till: Till) -> tuple[str, Entity]:
    order, gateway_order = await opened(till)
    till.orders.close(order.order_id, "expired")
    return order.order_id, till.gateway.attempt(gateway_order)


async def paid_in_time(till: Till) -> tuple[str, Entity]:
    order, gateway_order = await opened(till)
    attempt = till.gateway.attempt(gateway_order)
    await till.verify(attempt)
    return order.order_id, attempt


async def test_money_for_an_expired_order_goes_back_once(till: Till) -> None:
    order_id, attempt = await paid_too_late(till)

    await till.verify(attempt)
    await till.told("payment.captured", attempt)
    await asyncio.gather(till.service.settle_refunds(), till.service.settle_refunds())
    await till.told("refund.processed", till.gateway.payments[attempt["id"]])

    payment = await till.of(order_id)
    assert (payment.status, payment.amount_refunded) == ("refunded", payment.amount)
    assert till.gateway.captured == 0
    assert len(till.gateway.refunds) == 1
    assert await till.event_types() == ["payment.success", "payment.refunded"]


async def test_the_refund_event_names_the_refund_and_what_went_back_in_all(till: Till) -> None:
    order_id, attempt = await paid_too_late(till)
    await till.verify(attempt)
    await till.service.settle_refunds()

    refunded = (await till.events())[-1]

    (sent,) = till.gateway.refunds.values()
    assert (refunded.data["orderId"], refunded.data["refundId"]) == (order_id, sent["id"])
    assert refunded.data["refunded"] == attempt["amount"]


@pytest.mark.parametrize("point", ["payments.completed", "payments.told", "payments.refund.gateway"])
async def test_a_crash_on_the_way_back_still_refunds_once(till: Till, point: str) -> None:
    order_id, attempt = await paid_too_late(till)
    notice = till.gateway.notice("payment.captured", attempt)
    till.crash.name = point

    async def until_the_crash() -> None:
        await till.service.webhook(*notice)
        await till.service.settle_refunds()

    with pytest.raises(Crashed):
        await until_the_crash()
    await till.service.webhook(*notice)
    till.clock.advance(timedelta(minutes=1))
    await till.service.reconcile()
    await till.service.settle_refunds()

    assert (await till.of(order_id)).status == "refunded"
    assert len(till.gateway.refunds) == 1
    assert till.gateway.captured == 0
    assert await till.event_types() == ["payment.success", "payment.refunded"]


@pytest.mark.parametrize("point", ["payments.verify.captured", "payments.completed", "payments.told"])
async def test_a_crash_while_verifying_is_repeated_to_one_charge_and_one_paid_order(till: Till, point: str) -> None:
    order, gateway_order = await opened(till)
    attempt = till.gateway.attempt(gateway_order, "authorized")
    till.crash.name = point

    with pytest.raises(Crashed):
        await till.verify(attempt)
    till.clock.advance(timedelta(minutes=1))
    assert (await till.verify(attempt)).status == "completed"
    await till.service.reconcile()

    assert till.orders.known[order.order_id].status == "confirmed"
    assert till.gateway.captured == order.total.amount
    assert await till.event_types() == ["payment.success"]


async def test_a_lost_answer_to_a_refund_is_repeated_with_the_same_key(till: Till) -> None:
    order_id, attempt = await paid_too_late(till)
    await till.verify(attempt)
    till.gateway.lose["refund"] = 1

    assert await till.service.settle_refunds() == 0
    assert await till.service.settle_refunds() == 0
    till.clock.advance(timedelta(minutes=1))
    assert await till.service.settle_refunds() == 1

    assert len(till.gateway.refunds) == 1
    assert (await till.of(order_id)).status == "refunded"


async def test_a_refund_made_at_the_gateways_console_is_accepted_as_ours(till: Till) -> None:
    order_id, attempt = await paid_too_late(till)
    await till.verify(attempt)
    await till.gateway.refund(attempt["id"], attempt["amount"], "by-hand-at-the-console")

    assert await till.service.settle_refunds() == 1
    assert (await till.of(order_id)).status == "refunded"


async def test_a_cancelled_order_gets_all_its_money_back_once(till: Till) -> None:
    order_id, _ = await paid_in_time(till)
    till.orders.close(order_id, "cancelled")

    for event_id in ("evt_1", "evt_1", "evt_2"):
        await till.hears(OrderCancelled, order_id, event_id)
    assert await till.service.settle_refunds() == 1

    assert (await till.of(order_id)).status == "refunded"
    assert len(till.gateway.refunds) == 1


async def test_a_cancelled_order_that_was_never_paid_costs_nothing(till: Till) -> None:
    order, _ = await opened(till)
    till.orders.close(order.order_id, "expired")

    await till.hears(OrderExpired, order.order_id)

    assert await till.service.settle_refunds() == 0
    assert (await till.of(order.order_id)).status == "pending"


async def test_cancellation_and_money_at_once_end_with_all_of_it_back(till: Till) -> None:
    order, gateway_order = await opened(till)
    attempt = till.gateway.attempt(gateway_order)
    till.orders.close(order.order_id, "cancelled")

    await asyncio.gather(till.verify(attempt), till.hears(OrderCancelled, order.order_id))
    await till.service.settle_refunds()

    assert till.gateway.captured == 0
    assert len(till.gateway.refunds) == 1


async def test_a_second_charge_of_the_same_order_goes_back_and_the_first_stays(till: Till) -> None:
    order_id, first = await paid_in_time(till)
    second = till.gateway.attempt(first["order_id"])

    await till.told("payment.captured", second)
    await till.service.settle_refunds()
    await till.told("payment.captured", till.gateway.payments[second["id"]])
    await till.service.settle_refunds()

    payment = await till.of(order_id)
    assert (payment.status, payment.transaction_id, payment.amount_refunded.amount) == ("completed", first["id"], 0)
    assert till.gateway.captured == payment.amount.amount
    assert till.gateway.payments[second["id"]]["status"] == "refunded"


async def test_money_of_another_sum_than_the_orders_goes_back(till: Till) -> None:
    order, gateway_order = await opened(till)

    await till.told("payment.captured", till.gateway.attempt(gateway_order, amount=100))
    await till.service.settle_refunds()

    assert till.gateway.captured == 0
    assert (await till.of(order.order_id)).status == "pending"


async def test_a_part_refunded_at_the_gateway_is_counted(till: Till) -> None:
    order_id, attempt = await paid_in_time(till)
    await till.gateway.refund(attempt["id"], 10_000, "part-by-hand")

    refund = {"entity": {"id": "rfnd_part"}}
    await till.told("refund.processed", dict(till.gateway.payments[attempt["id"]]), refund=refund)
    await till.told("refund.processed", {**attempt, "amount_refunded": 4_000}, refund=refund)

    payment = await till.of(order_id)
    assert (payment.status, payment.amount_refunded.amount) == ("completed", 10_000)


async def test_an_order_for_cash_has_a_pending_payment_that_its_cancellation_ends(till: Till) -> None:
    order = till.orders.has(till.asha, method="cod")

    for event_id in ("evt_1", "evt_1", "evt_2"):
        await till.hears(OrderCreated, order.order_id, event_id)
    payment = await till.of(order.order_id)
    assert (payment.method, payment.status, payment.gateway) == ("cod", "pending", {})

    await till.hears(OrderCancelled, order.order_id)
    assert (await till.of(order.order_id)).status == "failed"
    assert await till.service.settle_refunds() == 0


async def test_a_cash_order_cancelled_before_it_was_heard_of_stays_ended(till: Till) -> None:
    order = till.orders.has(till.asha, method="cod")

    await till.hears(OrderCancelled, order.order_id)
    await till.hears(OrderCreated, order.order_id)

    assert (await till.of(order.order_id)).status == "failed"


async def test_the_success_event_tells_an_order_that_was_not_told(till: Till) -> None:
    order, gateway_order = await opened(till)
    till.crash.name = "payments.completed"
    with pytest.raises(Crashed):
        await till.told("payment.captured", till.gateway.attempt(gateway_order))

    (success,) = await till.events()
    assert success.type == PaymentSucceeded.TYPE
    await till.subscription.handle(success)

    assert till.orders.known[order.order_id].status == "confirmed"
