"""Sellers' money: transfers net of commission, and their reversal."""

from datetime import timedelta
from random import Random

import pytest
from payments_world import Crashed, Till

from services.contracts.events import OrderCancelled, OrderConfirmed, OrderReturned, OrderUpdated
from services.contracts.orders import OrderView
from services.payments.models import payment_id_of
from tests.fakes.orders import sold_line

LINES = [sold_line("a", "s1", 100_00), sold_line("b", "s1", 200_00), sold_line("c", "s2", 33_33)]
SHIPPING = {"s1": 0, "s2": 49_00}
NET = {"s1": 276_00, "s2": 33_33 - 2_66 + 49_00}


async def confirmed(till: Till) -> OrderView:
    order = till.orders.has_sold(till.asha, LINES, SHIPPING)
    await till.verify(till.gateway.attempt((await till.open(order)).razorpay_order_id))
    await till.hears(OrderConfirmed, order.order_id)
    return order


def at_gateway(till: Till) -> dict[str, int]:
    """What each linked account has, by the seller it belongs to."""
    return {
        transfer["recipient"][-2:]: transfer["amount"] - transfer["amount_reversed"]
        for transfer in till.gateway.transfers.values()
    }


async def last_told(till: Till) -> dict[str, tuple[str, int]]:
    told = [event for event in await till.events() if event.type == "payment.payout"]
    told.sort(key=lambda event: event.sequence)
    return {event.data["sellerId"]: (event.data["status"], event.data["net"]) for event in told}


async def test_each_seller_gets_its_part_less_commission_once(till: Till) -> None:
    order = await confirmed(till)
    for event_id in ("evt_1", "evt_1", "evt_2"):
        await till.hears(OrderConfirmed, order.order_id, event_id)

    assert await till.service.settle_payouts() == 2
    assert await till.service.settle_payouts() == 0

    assert at_gateway(till) == NET
    assert await last_told(till) == {seller: ("transferred", net) for seller, net in NET.items()}


@pytest.mark.parametrize("lost", ["transfer", "reverse"])
async def test_a_lost_answer_moves_no_money_twice(till: Till, lost: str) -> None:
    order = await confirmed(till)
    till.gateway.lose[lost] = 1
    await till.hears(OrderReturned, order.order_id, due={})
    await till.service.settle_payouts()
    till.clock.advance(timedelta(minutes=2))
    await till.service.settle_payouts()
    await till.refund(payment_id_of(order.order_id), {"lines": [{"lineId": "a", "amount": 100}]})
    await till.service.settle_payouts()
    till.clock.advance(timedelta(minutes=2))
    await till.service.settle_payouts()

    assert at_gateway(till) == {**NET, "s1": NET["s1"] - 92_00}
    assert len(till.gateway.transfers) == 2


async def test_a_crash_after_the_gateway_moved_it_is_repeated_to_one_transfer(till: Till) -> None:
    await confirmed(till)
    till.crash.name = "payments.payout.gateway"
    with pytest.raises(Crashed):
        await till.service.settle_payouts()

    till.clock.advance(timedelta(minutes=2))
    await till.service.settle_payouts()

    assert at_gateway(till) == NET
    assert len(till.gateway.transfers) == 2


async def test_a_partial_refund_takes_each_transfers_own_share_back(till: Till) -> None:
    order = await confirmed(till)
    await till.service.settle_payouts()

    lines = [{"lineId": "b", "amount": 50}, {"lineId": "shipping:s2", "amount": 49}]
    await till.refund(payment_id_of(order.order_id), {"lines": lines})
    assert await till.service.settle_payouts() == 2

    assert at_gateway(till) == {"s1": NET["s1"] - 46_00, "s2": NET["s2"] - 49_00}
    assert await last_told(till) == {
        "s1": ("partially_reversed", NET["s1"] - 46_00),
        "s2": ("partially_reversed", NET["s2"] - 49_00),
    }


async def test_a_cancelled_order_leaves_sellers_nothing(till: Till) -> None:
    order = await confirmed(till)
    await till.service.settle_payouts()
    till.orders.close(order.order_id, "cancelled")
    await till.hears(OrderCancelled, order.order_id)
    await till.service.settle_refunds()
    await till.service.settle_payouts()

    assert set(at_gateway(till).values()) == {0}
    assert await last_told(till) == {"s1": ("reversed", 0), "s2": ("reversed", 0)}
    assert till.gateway.captured == 0


async def test_what_is_refunded_before_it_was_passed_on_is_never_sent(till: Till) -> None:
    order = await confirmed(till)
    await till.hears(OrderUpdated, order.order_id, due={"c": 33_33, "shipping:s2": 49_00})
    await till.service.settle_refunds()
    await till.service.settle_payouts()

    assert at_gateway(till) == {"s1": NET["s1"]}
    assert (await last_told(till))["s2"] == ("cancelled", 0)


async def test_refunds_known_before_the_confirmation_count(till: Till) -> None:
    order = till.orders.has_sold(till.asha, LINES, SHIPPING)
    await till.verify(till.gateway.attempt((await till.open(order)).razorpay_order_id))
    await till.refund(payment_id_of(order.order_id), {"lines": [{"lineId": "a", "amount": 100}]})

    await till.hears(OrderConfirmed, order.order_id)
    await till.service.settle_payouts()

    assert at_gateway(till) == {**NET, "s1": NET["s1"] - 92_00}


async def test_a_seller_without_an_account_is_paid_once_there_is_one(till: Till) -> None:
    till.accounts["s1"] = None
    await confirmed(till)
    await till.service.settle_payouts()
    assert at_gateway(till) == {"s2": NET["s2"]}
    assert (await last_told(till))["s1"] == ("due", NET["s1"])

    till.accounts["s1"] = "acc_000000000000s1"
    till.clock.advance(timedelta(minutes=2))
    await till.service.settle_payouts()
    assert at_gateway(till) == NET


async def test_cash_is_not_transferred(till: Till) -> None:
    order = till.orders.has_sold(till.asha, LINES, SHIPPING, "cod")
    till.orders.set_paid(order.order_id)
    await till.hears(OrderUpdated, order.order_id)

    assert await till.service.settle_payouts() == 0
    assert await last_told(till) == {seller: ("collected", net) for seller, net in NET.items()}


async def test_under_a_failing_gateway_sellers_have_what_is_theirs_at_the_end(till: Till) -> None:
    chance = Random(20261122)
    orders = []
    for i in range(12):
        order = till.orders.has_sold(till.asha, LINES, SHIPPING)
        opened = await till.open(order, key=f"o{i}")
        await till.verify(till.gateway.attempt(opened.razorpay_order_id), key=f"v{i}")
        orders.append(order)
    till.gateway.moods = chance
    for step in range(60):
        order = chance.choice(orders)
        if step % 2:
            await till.hears(OrderConfirmed, order.order_id)
        else:
            due = {"b": chance.randrange(0, 200) * 100, "c": chance.choice([0, 33_33])}
            await till.hears(OrderUpdated, order.order_id, due=due)
        await till.service.settle_refunds()
        await till.service.settle_payouts()
        till.clock.advance(timedelta(hours=1))
    for order in orders:
        await till.hears(OrderConfirmed, order.order_id)
    for _ in range(60):
        till.clock.advance(timedelta(hours=6))
        await till.service.settle_refunds()
        await till.service.settle_payouts()

    wanted = {}
    for event in sorted((e for e in await till.events() if e.type == "payment.payout"), key=lambda e: e.sequence):
        wanted[event.data["payoutId"]] = event.data["net"]
    had = {t["notes"]["payoutId"]: t["amount"] - t["amount_reversed"] for t in till.gateway.transfers.values()}
    assert all(abs(had.get(payout_id, 0) - net) < 100 for payout_id, net in wanted.items())
    assert len(wanted) == 24
    assert len(till.gateway.transfers) == len(had)
