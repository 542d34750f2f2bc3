import asyncio

import pytest

from services.contracts.cart import MAX_LINES, AddItem, AmbiguousItem, CartFull, ChangeItem, QtyInvalid
from services.contracts.catalog import OutOfStock, ProductGone, VariantRequired
from services.kit.errors import Invalid, NotFound


def two(variant_id: str) -> AddItem:
    return AddItem(variant_id=variant_id, qty=2)


async def test_a_cart_nobody_wrote_to_is_empty_and_has_version_0(cart, asha):
    view = await cart.get(asha)
    assert (view.version, view.items, view.total.amount) == (0, (), 0)


async def test_adding_answers_with_the_line_its_price_and_the_total(cart, catalog, asha):
    catalog.stock("var_a", price=149_900)
    view = await cart.add(asha, two("var_a"))
    assert [(i.variant_id, i.qty, i.price.amount, i.line_total.amount) for i in view.items] == [
        ("var_a", 2, 149_900, 299_800)
    ]
    assert (view.total.amount, view.version) == (299_800, 1)
    assert await cart.get(asha) == view


async def test_the_same_variant_again_raises_its_line(cart, catalog, asha):
    catalog.stock("var_a")
    await cart.add(asha, two("var_a"))
    view = await cart.add(asha, AddItem(variant_id="var_a"))
    assert [i.qty for i in view.items] == [3]


async def test_a_product_with_one_variant_can_be_named_by_its_product(cart, catalog, asha):
    catalog.stock("var_a", product_id="prd_p")
    assert (await cart.add(asha, AddItem(product_id="prd_p"))).items[0].variant_id == "var_a"


async def test_a_product_with_several_variants_asks_which_and_names_those_in_stock(cart, catalog, asha):
    catalog.stock("var_8", product_id="prd_p", options={"size": "8"})
    catalog.stock("var_9", product_id="prd_p", options={"size": "9"}, on_hand=0)
    with pytest.raises(VariantRequired) as raised:
        await cart.add(asha, AddItem(product_id="prd_p"))
    assert [o["variantId"] for o in raised.value.details["options"]] == ["var_8"]


async def test_what_is_not_there_cannot_be_added(cart, catalog, asha):
    catalog.stock("var_a", product_id="prd_p")
    catalog.stock("var_gone", active=False)
    with pytest.raises(NotFound):
        await cart.add(asha, AddItem(variant_id="var_x"))
    with pytest.raises(NotFound):
        await cart.add(asha, AddItem(product_id="prd_other", variant_id="var_a"))
    with pytest.raises(ProductGone):
        await cart.add(asha, AddItem(variant_id="var_gone"))
    with pytest.raises(Invalid):
        await cart.add(asha, AddItem())
    assert (await cart.get(asha)).version == 0


async def test_more_than_the_stock_is_refused_with_what_is_left(cart, catalog, asha):
    catalog.stock("var_a", on_hand=3)
    await cart.add(asha, two("var_a"))
    with pytest.raises(OutOfStock) as raised:
        await cart.add(asha, two("var_a"))
    assert raised.value.details == {"variantId": "var_a", "title": "Thing var_a", "available": 3}


async def test_more_than_a_hundred_of_one_item_is_refused(cart, catalog, asha):
    catalog.stock("var_a", on_hand=1_000)
    await cart.add(asha, AddItem(variant_id="var_a", qty=100))
    with pytest.raises(QtyInvalid):
        await cart.add(asha, AddItem(variant_id="var_a"))


async def test_a_cart_takes_fifty_lines_and_no_more(cart, catalog, asha):
    for n in range(MAX_LINES + 1):
        catalog.stock(f"var_{n}")
    for n in range(MAX_LINES):
        await cart.add(asha, AddItem(variant_id=f"var_{n}"))
    with pytest.raises(CartFull):
        await cart.add(asha, AddItem(variant_id=f"var_{MAX_LINES}"))


@pytest.mark.parametrize("by", ["item_id", "variant_id", "product_id"])
async def test_a_line_can_be_named_by_item_variant_or_product(cart, catalog, asha, by):
    catalog.stock("var_a")
    line = (await cart.add(asha, two("var_a"))).items[0]
    view = await cart.change(asha, getattr(line, by), ChangeItem(qty=5))
    assert view.items[0].qty == 5
    assert (await cart.remove(asha, getattr(line, by))).items == ()


async def test_a_product_in_two_lines_must_be_named_more_closely(cart, catalog, asha):
    for size in ("8", "9"):
        catalog.stock(f"var_{size}", product_id="prd_p", options={"size": size})
        await cart.add(asha, AddItem(variant_id=f"var_{size}"))
    with pytest.raises(AmbiguousItem) as raised:
        await cart.remove(asha, "prd_p")
    assert {i["options"]["size"] for i in raised.value.details["items"]} == {"8", "9"}


@pytest.mark.parametrize("qty", [0, -1])
async def test_a_quantity_of_nothing_removes_the_line(cart, catalog, asha, qty):
    catalog.stock("var_a")
    await cart.add(asha, two("var_a"))
    assert (await cart.change(asha, "var_a", ChangeItem(qty=qty))).items == ()


async def test_a_line_that_is_not_in_the_cart_is_not_found(cart, asha, catalog):
    with pytest.raises(NotFound):
        await cart.change(asha, "var_a", ChangeItem(qty=1))
    with pytest.raises(NotFound):
        await cart.remove(asha, "var_a")


async def test_a_repeated_key_does_nothing_twice(cart, catalog, asha):
    catalog.stock("var_a")
    first = await cart.add(asha, two("var_a"), key="k1")
    again = await cart.add(asha, two("var_a"), key="k1")
    assert again == first
    await cart.add(asha, two("var_a"), key="k2")
    assert (await cart.add(asha, two("var_a"), key="k1")).items[0].qty == 4


async def test_the_same_key_twenty_times_at_once_adds_once(cart, catalog, asha):
    catalog.stock("var_a")
    views = await asyncio.gather(*(cart.add(asha, AddItem(variant_id="var_a"), key="k") for _ in range(20)))
    assert {v.items[0].qty for v in views} == {1}


async def test_concurrent_adds_lose_nothing(cart, catalog, asha):
    for n in range(4):
        catalog.stock(f"var_{n}", on_hand=100)
    await asyncio.gather(*(cart.add(asha, AddItem(variant_id=f"var_{n % 4}"), key=f"k{n}") for n in range(20)))
    view = await cart.get(asha)
    assert [i.qty for i in view.items] == [5, 5, 5, 5]
    assert view.version == 20


async def test_reading_tells_what_changed_until_the_cart_is_written_to(cart, catalog, asha):
    shelf = catalog.stock("var_a", price=10_000, on_hand=5)
    catalog.stock("var_b")
    await cart.add(asha, AddItem(variant_id="var_a", qty=4))
    shelf.price, shelf.on_hand = 12_000, 2
    for _ in range(2):
        view = await cart.get(asha)
        assert [n.code for n in view.notices] == ["price_changed", "qty_over_stock"]
        assert "₹100" in view.notices[0].message
        assert "₹120" in view.notices[0].message
        assert (view.items[0].price.amount, view.total.amount) == (12_000, 0)
    written = await cart.add(asha, AddItem(variant_id="var_b"))
    assert [n.code for n in written.notices] == ["price_changed", "qty_over_stock"]
    assert [n.code for n in (await cart.get(asha)).notices] == ["qty_over_stock"]


async def test_what_can_no_longer_be_bought_stays_visible_and_is_not_in_the_total(cart, catalog, asha):
    for name in ("var_a", "var_b", "var_c"):
        catalog.stock(name)
        await cart.add(asha, AddItem(variant_id=name))
    catalog.shelves["var_a"].active = False
    catalog.shelves["var_b"].on_hand = 0
    view = await cart.get(asha)
    assert [n.code for n in view.notices] == ["unavailable", "out_of_stock"]
    assert view.total.amount == 10_000
    del catalog.shelves["var_a"]
    assert (await cart.get(asha)).items[0].title == "Thing var_a"
    with pytest.raises(ProductGone):
        await cart.change(asha, "var_a", ChangeItem(qty=2))
    assert len((await cart.remove(asha, "var_a")).items) == 2


async def test_a_read_and_a_write_ask_the_catalogue_once(cart, catalog, asha):
    for n in range(5):
        catalog.stock(f"var_{n}")
        catalog.price_calls = 0
        await cart.add(asha, AddItem(variant_id=f"var_{n}"))
        assert catalog.price_calls == 1
    catalog.price_calls = 0
    await cart.get(asha)
    assert catalog.price_calls == 1


async def test_clearing_leaves_an_empty_cart_with_a_new_version(cart, catalog, asha):
    catalog.stock("var_a")
    await cart.add(asha, two("var_a"))
    view = await cart.clear(asha)
    assert (view.items, view.version) == ((), 2)


async def test_carts_of_two_people_are_apart(cart, catalog, asha, guest):
    catalog.stock("var_a")
    await cart.add(asha, two("var_a"))
    assert (await cart.get(guest)).items == ()


async def test_a_guests_lines_move_to_the_account_once(cart, catalog, asha, guest):
    catalog.stock("var_a", on_hand=500)
    catalog.stock("var_b")
    await cart.add(asha, AddItem(variant_id="var_a", qty=60))
    await cart.add(guest, AddItem(variant_id="var_a", qty=60))
    await cart.add(guest, two("var_b"))
    for _ in range(2):
        view = await cart.merge_guest(asha, guest)
        assert [(i.variant_id, i.qty) for i in view.items] == [("var_a", 100), ("var_b", 2)]
    assert (await cart.get(guest)).items == ()


async def test_merging_at_once_from_two_devices_adds_once(cart, catalog, asha, guest):
    catalog.stock("var_a")
    await cart.add(guest, two("var_a"))
    await asyncio.gather(*(cart.merge_guest(asha, guest) for _ in range(4)))
    assert [i.qty for i in (await cart.get(asha)).items] == [2]


async def test_an_accounts_cart_is_never_merged_away(cart, asha):
    with pytest.raises(Invalid):
        await cart.merge_guest(asha, asha)
