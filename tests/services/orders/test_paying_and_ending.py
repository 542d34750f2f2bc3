import asyncio
from datetime import timedelta

import pytest

from services.contracts.orders import CancelOrder, NotCancellable, OrderClosed, PaymentFact
from services.kit.errors import Forbidden, NotFound, Unavailable
from services.kit.idempotency import command_key
from services.kit.principal import SYSTEM

EXPIRY = timedelta(minutes=30)


def money_for(order, payment_id="pay_1", amount=None) -> PaymentFact:
    return PaymentFact(
        payment_id=payment_id, order_id=order.order_id, amount=amount or order.total.amount, method="upi"
    )


@pytest.fixture
async def pending(shop):
    """A pending order of two out of ten, and its buyer."""
    shop.catalog.stock("var_a")
    who = shop.buyer(var_a=2)
    return who, await shop.place(who)


async def test_money_confirms_the_order_and_sells_its_stock(shop, pending):
    _, order = pending
    marked = await shop.orders.mark_paid(SYSTEM, money_for(order))
    assert marked.accepted
    assert (marked.order.status, marked.order.payment_status, marked.order.payment_id) == ("confirmed", "paid", "pay_1")
    assert [entry.status for entry in marked.order.timeline] == ["pending", "confirmed"]
    assert (shop.catalog.shelves["var_a"].on_hand, shop.catalog.shelves["var_a"].holds) == (8, {})
    assert [(e.type, e.sequence) for e in await shop.events()] == [("order.created", 1), ("order.confirmed", 2)]


async def test_the_same_money_told_twice_is_one_payment(shop, pending):
    _, order = pending
    answers = await asyncio.gather(*(shop.orders.mark_paid(SYSTEM, money_for(order)) for _ in range(6)))
    assert all(answer.accepted for answer in answers)
    assert await shop.event_types() == ["order.created", "order.confirmed"]
    assert shop.catalog.shelves["var_a"].on_hand == 8


async def test_a_second_payment_is_not_accepted(shop, pending):
    _, order = pending
    await shop.orders.mark_paid(SYSTEM, money_for(order))
    assert not (await shop.orders.mark_paid(SYSTEM, money_for(order, "pay_2"))).accepted


async def test_another_amount_is_not_accepted(shop, pending):
    _, order = pending
    marked = await shop.orders.mark_paid(SYSTEM, money_for(order, amount=order.total.amount - 1))
    assert (marked.accepted, marked.order.status) == (False, "pending")


async def test_money_after_expiry_is_not_accepted_and_stays_off_the_order(shop, pending):
    _, order = pending
    shop.clock.advance(EXPIRY)
    assert await shop.orders.expire_due() == 1
    marked = await shop.orders.mark_paid(SYSTEM, money_for(order))
    assert (marked.accepted, marked.order.status, marked.order.payment_id) == (False, "expired", None)
    assert shop.catalog.shelves["var_a"].available == 10


async def test_money_before_the_expiry_run_wins_even_when_the_time_is_over(shop, pending):
    _, order = pending
    shop.clock.advance(EXPIRY)
    assert (await shop.orders.mark_paid(SYSTEM, money_for(order))).accepted
    assert await shop.orders.expire_due() == 0
    assert shop.catalog.shelves["var_a"].on_hand == 8


async def test_payment_and_expiry_at_once_never_both_win(shop):
    shop.catalog.stock("var_a", on_hand=40)
    orders = [await shop.place(shop.buyer(var_a=1)) for _ in range(20)]
    shop.clock.advance(EXPIRY)
    expiry = asyncio.create_task(shop.orders.expire_due())
    marked = await asyncio.gather(*(shop.orders.mark_paid(SYSTEM, money_for(order)) for order in orders))
    await expiry
    paid = sum(answer.accepted for answer in marked)
    ended = [(await shop.orders.get(SYSTEM, order.order_id)).status for order in orders]
    assert (ended.count("confirmed"), ended.count("expired")) == (paid, 20 - paid)
    assert await shop.orders.expire_due() == 0
    assert (shop.catalog.shelves["var_a"].on_hand, shop.catalog.shelves["var_a"].holds) == (40 - paid, {})


async def test_only_unpaid_orders_past_their_time_expire(shop, pending):
    who, order = pending
    shop.clock.advance(EXPIRY - timedelta(milliseconds=1))
    assert await shop.orders.expire_due() == 0
    shop.clock.advance(timedelta(milliseconds=1))
    assert await shop.orders.expire_due() == 1
    assert await shop.orders.expire_due() == 0
    view = await shop.orders.get(who, order.order_id)
    assert (view.status, view.parts[0].status) == ("expired", "cancelled")
    assert shop.catalog.shelves["var_a"].available == 10
    assert await shop.event_types() == ["order.created", "order.expired"]


async def test_stock_that_could_not_be_freed_is_freed_by_the_next_run(shop, pending):
    async def away(order_id, lines):
        raise Unavailable("the catalogue is away")

    shop.catalog.release = away
    shop.clock.advance(EXPIRY)
    assert await shop.orders.expire_due() == 1
    assert shop.catalog.shelves["var_a"].available == 8
    del shop.catalog.release
    await shop.orders.expire_due()
    assert shop.catalog.shelves["var_a"].available == 10
    assert await shop.repository.with_stock_due() == []


async def test_an_order_can_be_paid_while_it_is_open(shop, pending):
    who, order = pending
    assert (await shop.orders.payable(who, order.order_id)).order_id == order.order_id
    with pytest.raises(NotFound):
        await shop.orders.payable(shop.buyer(), order.order_id)
    shop.clock.advance(EXPIRY)
    with pytest.raises(OrderClosed) as raised:
        await shop.orders.payable(who, order.order_id)
    assert raised.value.details == {"status": "expired"}


async def test_only_the_marketplace_tells_of_money(shop, pending):
    who, order = pending
    with pytest.raises(Forbidden):
        await shop.orders.mark_paid(who, money_for(order))
    with pytest.raises(Forbidden):
        await shop.orders.mark_refunded(who, order.order_id, 1)


async def test_cancelling_a_pending_order_frees_its_stock(shop, pending):
    who, order = pending
    view = await shop.orders.cancel(who, order.order_id, CancelOrder(reason="<b>changed</b> my mind"))
    assert (view.status, view.timeline[-1].note) == ("cancelled", "changed my mind")
    assert shop.catalog.shelves["var_a"].available == 10
    assert (await shop.events())[-1].data["reason"] == "buyer"
    assert not (await shop.orders.mark_paid(SYSTEM, money_for(order))).accepted


async def test_cancelling_a_paid_order_restocks_it_once(shop, pending):
    who, order = pending
    await shop.orders.mark_paid(SYSTEM, money_for(order))
    await shop.orders.cancel(who, order.order_id, CancelOrder())
    await shop.orders.expire_due()
    assert (shop.catalog.shelves["var_a"].on_hand, shop.catalog.shelves["var_a"].available) == (10, 10)
    [*_, envelope] = await shop.events()
    assert (envelope.type, envelope.data["paymentStatus"], envelope.sequence) == ("order.cancelled", "paid", 3)


async def test_cancelling_while_the_sold_stock_was_not_booked_yet_books_it_first(shop, pending):
    who, order = pending

    async def away(order_id, lines):
        raise Unavailable("the catalogue is away")

    shop.catalog.commit = away
    await shop.orders.mark_paid(SYSTEM, money_for(order))
    with pytest.raises(Unavailable):
        await shop.orders.cancel(who, order.order_id, CancelOrder())
    del shop.catalog.commit
    await shop.orders.cancel(who, order.order_id, CancelOrder())
    assert (shop.catalog.shelves["var_a"].on_hand, shop.catalog.shelves["var_a"].holds) == (10, {})


async def test_what_is_over_cannot_be_cancelled(shop, pending):
    who, order = pending
    await shop.orders.cancel(who, order.order_id, CancelOrder())
    with pytest.raises(NotCancellable) as raised:
        await shop.orders.cancel(who, order.order_id, CancelOrder())
    assert raised.value.details == {"status": "cancelled"}


async def test_a_repeated_cancellation_with_its_key_gets_the_first_answer(shop, pending):
    who, order = pending
    key = command_key(who.user_id, "k", {})
    first = await shop.orders.cancel(who, order.order_id, CancelOrder(), key)
    again = await shop.orders.cancel(who, order.order_id, CancelOrder(), key)
    assert (again.to_json(), again.replayed) == (first.to_json(), True)


async def test_somebody_elses_order_is_not_there(shop, pending):
    _, order = pending
    other = shop.buyer()
    with pytest.raises(NotFound) as foreign:
        await shop.orders.get(other, order.order_id)
    with pytest.raises(NotFound) as unknown:
        await shop.orders.get(other, "ord_x")
    assert foreign.value.problem() == unknown.value.problem()
    with pytest.raises(NotFound):
        await shop.orders.cancel(other, order.order_id, CancelOrder())


async def test_refunds_are_kept_as_the_sum_that_went_back(shop, pending):
    _, order = pending
    await shop.orders.mark_paid(SYSTEM, money_for(order))
    part = await shop.orders.mark_refunded(SYSTEM, order.order_id, 1_000)
    assert (part.payment_status, part.refunded.amount) == ("partially_refunded", 1_000)
    assert await shop.orders.mark_refunded(SYSTEM, order.order_id, 1_000) == part
    assert await shop.orders.mark_refunded(SYSTEM, order.order_id, 500) == part
    whole = await shop.orders.mark_refunded(SYSTEM, order.order_id, order.total.amount)
    assert whole.payment_status == "refunded"
    assert await shop.event_types() == ["order.created", "order.confirmed", "order.updated", "order.updated"]


async def test_my_orders_come_newest_first_in_pages(shop):
    shop.catalog.stock("var_a", on_hand=50)
    who = shop.buyer()
    placed = []
    for n in range(5):
        shop.cart.put(who, var_a=1)
        placed.append((await shop.place(who, key=f"k{n}")).order_id)
        shop.clock.advance(timedelta(seconds=1))
    await shop.place(shop.buyer(var_a=1))
    seen, cursor = [], None
    while True:
        page = await shop.orders.mine(who, limit=2, cursor=cursor)
        seen += [order.order_id for order in page.items]
        cursor = page.next_cursor
        if cursor is None:
            break
    assert seen == placed[::-1]
