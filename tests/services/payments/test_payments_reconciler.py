import asyncio
import contextlib
from datetime import timedelta

from payments_world import Till

from services.contracts.orders import OrderView


async def opened(till: Till) -> tuple[OrderView, str]:
    order = till.orders.has(till.asha)
    return order, (await till.open(order)).razorpay_order_id


async def test_nobody_is_asked_before_fifteen_minutes(till: Till) -> None:
    _, gateway_order = await opened(till)
    till.gateway.attempt(gateway_order)

    till.clock.advance(timedelta(minutes=14))
    assert await till.service.reconcile() == 0
    assert till.gateway.calls["fetch_payments"] == 0


async def test_what_no_webhook_told_is_found_after_fifteen_minutes(till: Till) -> None:
    order, gateway_order = await opened(till)
    till.gateway.attempt(gateway_order, "failed")
    till.gateway.attempt(gateway_order)

    till.clock.advance(timedelta(minutes=15))
    assert await till.service.reconcile() == 1

    assert (await till.of(order.order_id)).status == "completed"
    assert till.orders.known[order.order_id].status == "confirmed"


async def test_a_failure_is_found_and_the_buyers_bank_may_still_agree(till: Till) -> None:
    order, gateway_order = await opened(till)
    attempt = till.gateway.attempt(gateway_order, "failed")

    till.clock.advance(timedelta(minutes=15))
    assert await till.service.reconcile() == 1
    assert (await till.of(order.order_id)).status == "failed"
    attempt["status"] = "authorized"
    till.clock.advance(timedelta(hours=6))
    assert await till.service.reconcile() == 1

    assert (await till.of(order.order_id)).status == "completed"


async def test_two_charges_of_one_order_are_both_found(till: Till) -> None:
    order, gateway_order = await opened(till)
    till.gateway.attempt(gateway_order)
    till.gateway.attempt(gateway_order)

    till.clock.advance(timedelta(minutes=15))
    await till.service.reconcile()
    await till.service.settle_refunds()

    assert (await till.of(order.order_id)).status == "completed"
    assert till.gateway.captured == order.total.amount


async def test_an_abandoned_payment_is_asked_less_and_less_and_given_up_after_three_days(till: Till) -> None:
    order, _ = await opened(till)

    for _ in range(4 * 24 * 4):
        till.clock.advance(timedelta(minutes=15))
        await till.service.reconcile()

    assert till.gateway.calls["fetch_payments"] < 20
    assert (await till.of(order.order_id)).status == "failed"
    assert await till.event_types() == []


async def test_a_gateway_that_is_away_is_asked_again(till: Till) -> None:
    order, gateway_order = await opened(till)
    till.gateway.attempt(gateway_order)
    till.gateway.away = True
    till.clock.advance(timedelta(minutes=15))

    assert await till.service.reconcile() == 0
    till.gateway.away = False
    till.clock.advance(timedelta(seconds=30))
    assert await till.service.reconcile() == 1
    assert (await till.of(order.order_id)).status == "completed"


async def test_a_payment_refunded_elsewhere_before_we_heard_of_it_is_refunded(till: Till) -> None:
    order, gateway_order = await opened(till)
    attempt = till.gateway.attempt(gateway_order)
    await till.gateway.refund(attempt["id"], attempt["amount"], "by-hand-at-the-console")

    till.clock.advance(timedelta(minutes=15))
    await till.service.reconcile()

    assert (await till.of(order.order_id)).status == "refunded"
    assert await till.event_types() == ["payment.success", "payment.refunded"]


async def test_an_authorisation_that_lapsed_leaves_the_payment_failed(till: Till) -> None:
    order, gateway_order = await opened(till)
    attempt = till.gateway.attempt(gateway_order, "authorized")
    await till.told("payment.authorized", attempt)
    attempt.update(status="refunded", captured=False)

    await till.service.reconcile()

    assert (await till.of(order.order_id)).status == "failed"


async def test_the_running_service_refunds_at_once(till: Till) -> None:
    order, gateway_order = await opened(till)
    till.orders.close(order.order_id, "expired")
    running = asyncio.create_task(till.service.run(poll_seconds=60))

    await till.told("payment.captured", till.gateway.attempt(gateway_order))

    async with asyncio.timeout(10):
        while (await till.of(order.order_id)).status != "refunded":
            await till.outbox.written.wait()
            till.outbox.written.clear()
    running.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await running
