import asyncio
from datetime import UTC, datetime

import pytest

from services.cart.consumers import subscription
from services.contracts.cart import AddItem
from services.contracts.events import (
    OrderCancelled,
    OrderConfirmed,
    OrderCreated,
    OrderEvent,
    OrderExpired,
    OrderLineFact,
    UserCreated,
)
from services.kit.events import envelope_of
from services.kit.ids import RandomIds
from services.kit.inbox import Inbox

NOW = datetime(2026, 11, 1, tzinfo=UTC)


@pytest.fixture
async def deliver(cart, outbox, clock):
    inbox = Inbox(outbox, "cart-queue", clock)
    await inbox.prepare()
    consumer = subscription(cart, inbox)

    async def deliver(event, times=1):
        envelope = envelope_of(event, ids=RandomIds(), now=NOW, source="orders")
        for _ in range(times):
            await consumer.handle(envelope)

    return deliver


def order(kind: type[OrderEvent], view, who, order_id="ord_1", payment_status="unpaid") -> OrderEvent:
    """The event of an order placed from the cart as `view` shows it."""
    lines = tuple(
        OrderLineFact(
            line_id=f"ln_{n}",
            product_id=item.product_id,
            variant_id=item.variant_id,
            seller_id=item.seller_id,
            title=item.title,
            category="Toys",
            qty=item.qty,
            unit_price=item.price.amount,
            net=item.line_total.amount,
            tax=0,
        )
        for n, item in enumerate(view.items)
    )
    return kind(
        order_id=order_id,
        user_id=who.user_id,
        cart_id=view.cart_id,
        cart_version=view.version,
        status="pending",
        payment_status=payment_status,
        payment_method="razorpay",
        total=0,
        tax=0,
        shipping=0,
        discount=0,
        city="Pune",
        state="Maharashtra",
        lines=lines,
        placed_at=NOW,
        version=1,
    )


def quantities(view) -> dict[str, int]:
    return {item.variant_id: item.qty for item in view.items}


@pytest.fixture
async def full(cart, catalog, asha):
    catalog.stock("var_a")
    catalog.stock("var_b")
    await cart.add(asha, AddItem(variant_id="var_a", qty=2))
    return await cart.add(asha, AddItem(variant_id="var_b", qty=1))


async def test_a_new_account_gets_its_cart_once(cart, deliver, asha):
    event = UserCreated(user_id=asha.user_id, roles=("customer",))
    await deliver(event, times=2)
    assert (await cart.get(asha)).version == 0


async def test_the_cart_of_a_new_account_takes_its_first_line(cart, catalog, deliver, asha):
    await deliver(UserCreated(user_id=asha.user_id, roles=("customer",)))
    catalog.stock("var_a")
    assert (await cart.add(asha, AddItem(variant_id="var_a"))).version == 1


async def test_an_order_takes_its_lines_out_of_the_cart_once(cart, deliver, asha, full):
    await deliver(order(OrderCreated, full, asha), times=3)
    assert quantities(await cart.get(asha)) == {}


async def test_what_was_added_after_ordering_stays(cart, catalog, deliver, asha, full):
    catalog.stock("var_c")
    await cart.add(asha, AddItem(variant_id="var_a", qty=3))
    await cart.add(asha, AddItem(variant_id="var_c"))
    await deliver(order(OrderCreated, full, asha))
    assert quantities(await cart.get(asha)) == {"var_a": 3, "var_c": 1}


async def test_a_line_put_in_anew_after_ordering_is_not_the_ordered_one(cart, deliver, asha, full):
    await cart.clear(asha)
    await cart.add(asha, AddItem(variant_id="var_a", qty=1))
    await deliver(order(OrderCreated, full, asha))
    assert quantities(await cart.get(asha)) == {"var_a": 1}


@pytest.mark.parametrize("end", [OrderExpired, OrderCancelled])
async def test_an_order_that_ends_unpaid_gives_its_lines_back_once(cart, deliver, asha, full, end):
    await deliver(order(OrderCreated, full, asha))
    await deliver(order(end, full, asha), times=2)
    await deliver(order(end, full, asha))
    assert quantities(await cart.get(asha)) == {"var_a": 2, "var_b": 1}


async def test_a_cancelled_order_that_was_paid_gives_nothing_back(cart, deliver, asha, full):
    await deliver(order(OrderCreated, full, asha))
    await deliver(order(OrderCancelled, full, asha, payment_status="paid"))
    assert quantities(await cart.get(asha)) == {}


async def test_an_end_that_arrives_before_the_beginning_leaves_the_cart_alone(cart, deliver, asha, full):
    await deliver(order(OrderExpired, full, asha))
    await deliver(order(OrderCreated, full, asha))
    assert quantities(await cart.get(asha)) == {"var_a": 2, "var_b": 1}


async def test_other_order_events_change_nothing(cart, deliver, asha, full):
    await deliver(order(OrderConfirmed, full, asha))
    assert await cart.get(asha) == full


async def test_an_order_from_another_cart_changes_nothing(cart, deliver, asha, full):
    await deliver(order(OrderCreated, full.model_copy(update={"cart_id": "crt_other"}), asha))
    assert await cart.get(asha) == full


async def test_adding_while_an_order_takes_its_lines_loses_nothing(cart, catalog, deliver, asha, full):
    catalog.stock("var_c", on_hand=100)
    adds = (cart.add(asha, AddItem(variant_id="var_c"), key=f"k{n}") for n in range(10))
    await asyncio.gather(deliver(order(OrderCreated, full, asha)), *adds)
    assert quantities(await cart.get(asha)) == {"var_c": 10}
