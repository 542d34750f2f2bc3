from datetime import timedelta

import pytest

from services.contracts.catalog import OutOfStock, ProductGone
from services.contracts.orders import (
    AddressRequired,
    CartEmpty,
    MethodNotAvailable,
    QuoteChanged,
    QuoteRequest,
    SellerUnavailable,
)
from services.kit.errors import NotFound, Unauthenticated
from services.kit.principal import Principal

ONLINE = QuoteRequest()


async def test_a_quote_names_lines_tax_shipping_and_total(shop):
    shop.catalog.stock("var_a", price=20_000, category="Toys > Dolls")
    quote = await shop.orders.quote(shop.buyer(var_a=2), ONLINE)
    assert [(line.variant_id, line.qty, line.line_total.amount) for line in quote.lines] == [("var_a", 2, 40_000)]
    assert quote.subtotal.amount == 40_000
    assert quote.shipping.amount == 4_900
    assert quote.total.amount == 44_900
    assert quote.tax.amount == 1_905  # 40000 · 5 / 105 = 1904.76
    assert (quote.lines[0].tax.cgst, quote.lines[0].tax.sgst, quote.lines[0].tax.igst) == (952, 953, 0)


async def test_shipping_is_per_seller_and_free_from_the_threshold(shop):
    shop.catalog.stock("var_a", price=49_900, seller_id="sel_a")
    shop.catalog.stock("var_b", price=49_899, seller_id="sel_b")
    quote = await shop.orders.quote(shop.buyer(var_a=1, var_b=1), ONLINE)
    assert quote.shipping.amount == 4_900


async def test_goods_from_another_state_bear_igst(shop):
    shop.catalog.stock("var_a")
    shop.sellers.states["sel_a"] = "Kerala"
    tax = (await shop.orders.quote(shop.buyer(var_a=1), ONLINE)).lines[0].tax
    assert (tax.cgst, tax.sgst, tax.igst) == (0, 0, 476)


async def test_the_default_address_is_meant_when_none_is_named(shop):
    shop.catalog.stock("var_a")
    who = shop.buyer(var_a=1)
    shop.addresses.give(who, "adr_2", default=False, city="Goa")
    assert (await shop.orders.quote(who, ONLINE)).address.city == "Pune"
    assert (await shop.orders.quote(who, QuoteRequest(address_id="adr_2"))).address.city == "Goa"
    with pytest.raises(NotFound):
        await shop.orders.quote(who, QuoteRequest(address_id="adr_9"))


async def test_what_cannot_be_ordered_is_refused_with_its_reason(shop):
    shop.catalog.stock("var_a", on_hand=1)
    with pytest.raises(CartEmpty):
        await shop.orders.quote(shop.buyer(), ONLINE)
    with pytest.raises(OutOfStock) as raised:
        await shop.orders.quote(shop.buyer(var_a=2), ONLINE)
    assert raised.value.details["available"] == 1
    homeless = Principal(user_id="usr_homeless")
    shop.cart.put(homeless, var_a=1)
    with pytest.raises(AddressRequired):
        await shop.orders.quote(homeless, ONLINE)
    with pytest.raises(Unauthenticated):
        await shop.orders.quote(Principal(user_id="gst_1"), ONLINE)
    shop.sellers.suspended.add("sel_a")
    with pytest.raises(SellerUnavailable):
        await shop.orders.quote(shop.buyer(var_a=1), ONLINE)
    shop.catalog.shelves["var_a"].active = False
    with pytest.raises(ProductGone):
        await shop.orders.quote(shop.buyer(var_a=1), ONLINE)


async def test_methods_can_be_off_and_cash_has_a_limit(shop):
    shop.catalog.stock("var_a", price=100_000)
    cod = QuoteRequest(payment_method="cod")
    with pytest.raises(MethodNotAvailable):
        await shop.service(cod_enabled=False).quote(shop.buyer(var_a=1), cod)
    with pytest.raises(MethodNotAvailable):
        await shop.service(cod_limit_paise=99_999).quote(shop.buyer(var_a=1), cod)
    with pytest.raises(MethodNotAvailable):
        await shop.service(razorpay_enabled=False).quote(shop.buyer(var_a=1), ONLINE)
    assert (await shop.orders.quote(shop.buyer(var_a=1), cod)).payment_method == "cod"


@pytest.fixture
async def quoted(shop):
    """A buyer and the hash of a quote over two of var_a."""
    shop.catalog.stock("var_a")
    who = shop.buyer(var_a=2)
    return who, (await shop.orders.quote(who, ONLINE)).quote_hash


async def test_an_order_by_its_quote_costs_what_was_quoted(shop, quoted):
    who, quote_hash = quoted
    quote = await shop.orders.quote(who, ONLINE)
    order = await shop.place(who, quote_hash=quote_hash)
    assert (order.total, order.tax, order.items) == (quote.total, quote.tax, quote.lines)


async def refused_changes(shop, who, quote_hash, **command) -> list[str]:
    with pytest.raises(QuoteChanged) as raised:
        await shop.place(who, quote_hash=quote_hash, **command)
    assert not any(shelf.holds for shelf in shop.catalog.shelves.values())
    fresh = raised.value.details["quote"]
    assert (await shop.place(who, key="fresh", quote_hash=fresh["quoteHash"], **command)).status in {
        "pending",
        "confirmed",
    }
    return raised.value.details["changes"]


async def test_a_price_that_moved_is_named_and_the_fresh_quote_can_be_ordered(shop, quoted):
    shop.catalog.shelves["var_a"].price += 1
    assert await refused_changes(shop, *quoted) == ["prices", "amounts"]


async def test_a_cart_that_moved_is_named(shop, quoted):
    shop.cart.put(quoted[0], var_a=3)
    assert await refused_changes(shop, *quoted) == ["cart", "amounts"]


async def test_a_cart_with_the_same_lines_but_another_version_is_named(shop, quoted):
    shop.cart.put(quoted[0], var_a=2)
    assert await refused_changes(shop, *quoted) == ["cart"]


async def test_an_address_that_moved_is_named(shop, quoted):
    shop.addresses.give(quoted[0], street="1 Hill Road")
    assert await refused_changes(shop, *quoted) == ["address"]


async def test_another_method_is_named(shop, quoted):
    assert await refused_changes(shop, *quoted, payment_method="cod") == ["payment_method"]


async def test_a_quote_ends_with_its_time(shop, quoted):
    shop.clock.advance(timedelta(minutes=15))
    assert await refused_changes(shop, *quoted) == ["expired"]


async def test_the_expiry_inside_the_hash_cannot_be_moved(shop, quoted):
    who, quote_hash = quoted
    version, expiry, rest = quote_hash.split(".", 2)
    assert await refused_changes(shop, who, f"{version}.{int(expiry, 16) + 9_999:x}.{rest}") == ["unknown"]


@pytest.mark.parametrize("forged", ["", "q1", "q1.zz.00.00", "q1." + "f" * 60, "x" * 128, "q1.1.é.ü"])
async def test_a_hash_that_is_none_of_ours_is_unknown(shop, quoted, forged):
    assert await refused_changes(shop, quoted[0], forged) == ["unknown"]


async def test_somebody_elses_quote_does_not_hold(shop, quoted):
    other = shop.buyer(var_a=2)
    assert "cart" in await refused_changes(shop, other, quoted[1])


async def test_stock_that_went_since_the_quote_stops_the_order(shop, quoted):
    shop.catalog.shelves["var_a"].on_hand = 1
    with pytest.raises(OutOfStock):
        await shop.place(quoted[0], quote_hash=quoted[1])
