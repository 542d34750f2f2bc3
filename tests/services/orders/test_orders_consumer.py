import pytest

from services.contracts.events import PaymentFailed, PaymentRefunded, PaymentSucceeded
from services.kit.events import envelope_of
from services.orders.consumers import subscription


@pytest.fixture
def deliver(shop):
    consumer = subscription(shop.orders)

    async def deliver(event, times=1):
        envelope = envelope_of(event, ids=shop.ids, now=shop.clock.now(), source="payments")
        for _ in range(times):
            await consumer.handle(envelope)

    return deliver


@pytest.fixture
async def order(shop):
    shop.catalog.stock("var_a")
    return await shop.place(shop.buyer(var_a=1))


def facts(order, payment_id="pay_1") -> dict:
    return {
        "payment_id": payment_id,
        "order_id": order.order_id,
        "user_id": order.user_id,
        "amount": order.total.amount,
        "method": "upi",
    }


async def test_a_payment_told_only_by_its_event_confirms_the_order_once(shop, deliver, order):
    await deliver(PaymentSucceeded(**facts(order)), times=3)
    assert await shop.event_types() == ["order.created", "order.confirmed"]


async def test_a_refund_told_twice_counts_once(shop, deliver, order):
    await deliver(PaymentSucceeded(**facts(order)))
    await deliver(PaymentRefunded(**facts(order), refund_id="rfd_1", refunded=order.total.amount), times=2)
    who = shop.buyer().model_copy(update={"user_id": order.user_id})
    assert (await shop.orders.get(who, order.order_id)).payment_status == "refunded"
    assert await shop.event_types() == ["order.created", "order.confirmed", "order.updated"]


async def test_a_refund_of_money_the_order_never_took_leaves_it_alone(shop, deliver, order):
    await deliver(PaymentSucceeded(**facts(order)))
    await deliver(PaymentRefunded(**facts(order, "pay_2"), refund_id="rfd_1", refunded=order.total.amount))
    assert await shop.event_types() == ["order.created", "order.confirmed"]


async def test_a_failed_attempt_leaves_the_order_open(shop, deliver, order):
    await deliver(PaymentFailed(**facts(order)))
    assert await shop.event_types() == ["order.created"]
