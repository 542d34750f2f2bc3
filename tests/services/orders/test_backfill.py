from datetime import timedelta

import pytest

from services.contracts.orders import SeedLine, SeedOrder
from services.kit.principal import SYSTEM


def seed(shop, who, number: int, **changes) -> SeedOrder:
    placed_at = shop.clock.now() - timedelta(days=30, minutes=number)
    line = SeedLine(
        product_id="prd_1",
        variant_id="var_1",
        seller_id="sel_a",
        title="Kurta",
        category="Women's Clothing > Kurtas",
        qty=2,
        unit_price=99_900,
    )
    [address] = shop.addresses._by_user[who.user_id]
    whole = {
        "order_id": f"ord_{number}",
        "user_id": who.user_id,
        "status": "delivered",
        "payment_status": "paid",
        "payment_method": "razorpay",
        "address": address,
        "lines": (line,),
        "placed_at": placed_at,
        "confirmed_at": placed_at + timedelta(minutes=2),
        "shipped_at": placed_at + timedelta(days=1),
        "delivered_at": placed_at + timedelta(days=3),
        "payment_id": f"pay_{number}",
    }
    return SeedOrder(**{**whole, **changes})


async def test_orders_of_the_past_obey_the_rules_of_new_ones(shop):
    who = shop.buyer()
    [fact] = await shop.orders.backfill([seed(shop, who, 1)])
    order = await shop.orders.get(who, "ord_1")
    assert [entry.status for entry in order.timeline] == ["pending", "confirmed", "shipped", "delivered"]
    assert (order.total.amount, order.tax.amount, order.shipping.amount) == (199_800, 9_514, 0)
    assert order.created_at == order.timeline[0].at
    assert (fact.TYPE, fact.version, fact.lines[0].commission) == ("order.delivered", 4, 15_984)


@pytest.mark.parametrize("status", ["cancelled", "expired", "returned", "confirmed"])
async def test_the_event_of_a_past_order_is_the_last_of_its_life(shop, status):
    [fact] = await shop.orders.backfill([seed(shop, shop.buyer(), 1, status=status)])
    assert f"order.{status}" == fact.TYPE


async def test_loading_twice_changes_nothing_and_nothing_is_published(shop):
    who = shop.buyer()
    seeds = [seed(shop, who, n) for n in range(30)]
    first = await shop.orders.backfill(seeds[:20])
    again = await shop.orders.backfill(seeds)
    assert again[:20] == first
    assert len(again) == 30
    assert await shop.events() == []
    assert len((await shop.orders.mine(who, limit=100)).items) == 30


async def test_old_orders_are_never_swept(shop):
    who = shop.buyer()
    await shop.orders.backfill([seed(shop, who, 1, status="expired", payment_status="unpaid")])
    assert await shop.orders.expire_due() == 0
    assert (await shop.orders.get(SYSTEM, "ord_1")).status == "expired"
