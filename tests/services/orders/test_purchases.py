import pytest

from tests.services.orders.test_backfill import seed


@pytest.mark.parametrize(
    ("status", "received"),
    [("confirmed", False), ("shipped", False), ("delivered", True), ("returned", True), ("cancelled", False)],
)
async def test_only_who_got_the_goods_has_received_them(shop, status, received):
    who = shop.buyer()
    await shop.orders.backfill([seed(shop, who, 1, status=status)])
    assert await shop.orders.has_received(who.user_id, "prd_1") is received
    assert not await shop.orders.has_received(who.user_id, "prd_2")
    assert not await shop.orders.has_received(shop.buyer().user_id, "prd_1")


async def test_a_product_was_ordered_even_when_the_order_came_to_nothing(shop):
    assert not await shop.orders.was_ordered("prd_1")
    await shop.orders.backfill([seed(shop, shop.buyer(), 1, status="expired", payment_status="unpaid")])
    assert await shop.orders.was_ordered("prd_1")
    assert not await shop.orders.was_ordered("prd_2")
