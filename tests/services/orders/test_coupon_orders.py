from datetime import timedelta

import pytest

from services.contracts.cart import CouponRefused, CouponTerms
from services.contracts.orders import CancelOrder, CartAlreadyOrdered, QuoteChanged, QuoteRequest
from services.kit.money import inr
from services.kit.principal import SYSTEM
from tests.services.orders.conftest import money_for

TEN = CouponTerms(code="TEN", seller_id="sel_a", amount=inr(1_001))


@pytest.fixture
def buyer(shop):
    """Two lines of sel_a and one of sel_b in the cart, with a coupon of sel_a for 10.01 rupees."""
    shop.catalog.stock("var_a", price=10_000, seller_id="sel_a")
    shop.catalog.stock("var_c", price=20_000, seller_id="sel_a")
    shop.catalog.stock("var_b", price=5_000, seller_id="sel_b")
    who = shop.buyer(var_a=1, var_b=1, var_c=1)
    shop.cart.terms[who.user_id] = TEN
    return who


async def test_the_discount_is_split_over_the_lines_it_is_for(shop, buyer):
    quote = await shop.orders.quote(buyer, QuoteRequest())
    order = await shop.place(buyer, quote_hash=quote.quote_hash)
    assert {line.variant_id: line.discount.amount for line in order.items} == {"var_a": 334, "var_b": 0, "var_c": 667}
    assert (order.coupon, order.discount.amount, order.total) == ("TEN", 1_001, quote.total)
    assert order.total.amount == sum(line.line_total.amount for line in order.items) + order.shipping.amount
    assert (await shop.events())[0].data["coupon"] == "TEN"
    assert shop.cart.redeemed == {f"TEN:{buyer.user_id}": order.order_id}


async def test_a_quote_with_a_coupon_does_not_hold_without_it(shop, buyer):
    quote = await shop.orders.quote(buyer, QuoteRequest())
    del shop.cart.terms[buyer.user_id]
    with pytest.raises(QuoteChanged) as raised:
        await shop.place(buyer, quote_hash=quote.quote_hash)
    assert set(raised.value.details["changes"]) == {"cart", "amounts"}
    assert shop.cart.redeemed == {}


async def test_a_used_coupon_stops_the_order_and_frees_its_stock(shop, buyer):
    await shop.cart.redeem(buyer.user_id, "TEN", "ord_before")
    with pytest.raises(CouponRefused):
        await shop.place(buyer)
    assert shop.catalog.shelves["var_a"].available == 10


async def test_an_order_that_cannot_be_saved_gives_its_coupon_back(shop, buyer):
    order = await shop.place(buyer)
    shop.cart.redeemed.clear()
    with pytest.raises(CartAlreadyOrdered):
        await shop.place(buyer, key="second")
    assert (shop.cart.redeemed, shop.catalog.shelves["var_a"].available) == ({}, 9)
    assert order.coupon == "TEN"


async def test_an_order_that_ends_unpaid_gives_its_coupon_back(shop, buyer):
    await shop.place(buyer)
    shop.clock.advance(timedelta(minutes=30))
    await shop.orders.expire_due()
    assert shop.cart.redeemed == {}
    shop.cart.put(buyer, var_a=1)
    order = await shop.place(buyer, key="second", payment_method="cod")
    assert shop.cart.redeemed
    await shop.orders.cancel(buyer, order.order_id, CancelOrder())
    assert shop.cart.redeemed == {}


async def test_a_paid_order_keeps_its_coupon_even_when_it_is_cancelled(shop, buyer):
    order = await shop.place(buyer)
    await shop.orders.mark_paid(SYSTEM, money_for(order))
    await shop.orders.cancel(buyer, order.order_id, CancelOrder())
    assert shop.cart.redeemed == {f"TEN:{buyer.user_id}": order.order_id}
