from datetime import UTC, datetime, timedelta

import pytest

from services.contracts.catalog import CursorInvalid
from services.contracts.events import InventoryLow, InventoryUpdated, ProductCreated, ProductDeleted, UserCreated
from services.contracts.sellers import ProfilePatch
from services.kit.errors import Forbidden, Invalid, NotFound
from services.kit.events import envelope_of
from services.kit.ids import RandomIds
from services.kit.principal import Principal
from services.sellers.consumers import subscription
from services.sellers.service import SellersService
from tests.services.sellers.trade import ASHA, BUYER, RAVI, Life, line

START = datetime(2026, 8, 1, 6, tzinfo=UTC)


@pytest.fixture
def deliver(sellers):
    consumer = subscription(sellers)

    async def deliver(event) -> None:
        assert consumer.wants(event.TYPE)
        await consumer.handle(envelope_of(event, ids=RandomIds(), now=START, source="test"))

    return deliver


async def all_pages(read, limit):
    items, cursor = [], None
    while True:
        page = await read(limit, cursor)
        assert len(page.items) <= limit
        items += page.items
        if page.next_cursor is None:
            return items
        cursor = page.next_cursor


async def test_orders_come_newest_first_over_all_pages(sellers):
    lives = [Life(f"ord_{n:02}", (line(),), START + timedelta(days=5 * (n // 2), hours=n)).placed() for n in range(23)]
    await sellers.backfill_facts([life.events[0] for life in lives])
    newest_first = [f"ord_{n:02}" for n in reversed(range(23))]
    for limit in (1, 4, 23, 100):
        found = await all_pages(lambda limit, cursor: sellers.orders(ASHA, None, limit, cursor), limit)
        assert [order.order_id for order in found] == newest_first


async def test_orders_can_be_asked_for_by_status(sellers):
    for n in range(6):
        life = Life(f"ord_{n}", (line(),), START + timedelta(days=n)).placed()
        if n % 3 == 0:
            life.confirmed()
        for event in life.events:
            await sellers.take(event)
    found = await all_pages(lambda limit, cursor: sellers.orders(ASHA, "confirmed", limit, cursor), 1)
    assert [order.order_id for order in found] == ["ord_3", "ord_0"]
    assert (await sellers.orders(ASHA, "shipped")).items == []
    with pytest.raises(Invalid):
        await sellers.orders(ASHA, "lost")


async def test_an_order_tells_the_seller_where_it_goes_and_not_to_whom(sellers):
    await sellers.take(Life("ord_1", (line(qty=2), line("sel_ravi", "prd_2"))).placed().events[0])
    [order] = (await sellers.orders(ASHA, None)).items
    told = order.to_wire()
    assert (told["city"], told["state"], told["total"]["amount"]) == ("Pune", "Maharashtra", 20_000)
    assert [each["productId"] for each in told["lines"]] == ["prd_1"]
    assert "usr_buyer" not in str(told)


@pytest.mark.parametrize("cursor", ["x", "", "W10", "WyIxIiwyXQ", "WyJub3ciLCJvcmRfMSJd", "é"])
async def test_a_made_up_cursor_is_refused(sellers, cursor):
    with pytest.raises(CursorInvalid):
        await sellers.orders(ASHA, None, 5, cursor)
    with pytest.raises(CursorInvalid):
        await sellers.products(ASHA, low_stock=True, cursor=cursor)
    with pytest.raises(CursorInvalid):
        await sellers.products(ASHA, low_stock=False, cursor=cursor)


async def test_inventory_lists_every_variant_once_over_all_pages(sellers, catalog):
    for n in range(17):
        catalog.stock(f"var_{n:02}", product_id=f"prd_{n // 3}", seller_id="sel_asha", on_hand=n)
    catalog.stock("var_x", product_id="prd_x", seller_id="sel_ravi")
    for limit in (1, 2, 5, 50):
        found = await all_pages(lambda limit, cursor: sellers.products(ASHA, False, limit, cursor), limit)
        assert [each.variant_id for each in found] == [f"var_{n:02}" for n in range(17)]
    assert [each.low_stock for each in found] == [n <= 5 for n in range(17)]


async def test_low_stock_shows_what_is_low_now(sellers, catalog, deliver):
    for n in range(20):
        catalog.stock(f"var_{n}", product_id=f"prd_{n}", seller_id="sel_asha", on_hand=3 if n % 2 else 30)
    await deliver(ProductCreated(seller_id="sel_asha", product_ids=tuple(f"prd_{n}" for n in range(20))))
    low = {f"var_{n}" for n in range(1, 20, 2)}
    for limit in (1, 3, 50):
        found = await all_pages(lambda limit, cursor: sellers.products(ASHA, True, limit, cursor), limit)
        assert {each.variant_id for each in found} == low
        assert len(found) == len(low)
    catalog.shelves["var_1"].on_hand = 40
    assert "var_1" not in {each.variant_id for each in (await sellers.products(ASHA, True, 50)).items}
    assert (await sellers.products(RAVI, True, 50)).items == []


async def test_stock_that_falls_and_rises_is_followed(sellers, catalog, deliver):
    shelf = catalog.stock("var_1", product_id="prd_1", seller_id="sel_asha", on_hand=2)
    low = InventoryLow(
        product_id="prd_1", seller_id="sel_asha", variant_id="var_1", sku="A", title="Thing", available=2
    )
    await deliver(low)
    await deliver(low)
    assert len((await sellers.products(ASHA, True)).items) == 1
    shelf.on_hand = 50
    await deliver(InventoryUpdated(product_id="prd_1", seller_id="sel_asha", available=50))
    shelf.on_hand = 2
    assert (await sellers.products(ASHA, True)).items == []
    await sellers.check_stock(["prd_1"])
    shelf.active = False
    await deliver(ProductDeleted(product_id="prd_1", seller_id="sel_asha"))
    assert (await sellers.products(ASHA, True)).items == []


async def test_a_new_seller_account_gets_a_profile(sellers, deliver):
    await deliver(UserCreated(user_id="usr_asha", roles=("customer", "seller"), seller_id="sel_asha"))
    await deliver(UserCreated(user_id="usr_buyer", roles=("customer",)))
    found = await sellers.profiles(["sel_asha", "sel_nobody"])
    assert {seller_id: (each.name, each.status) for seller_id, each in found.items()} == {
        "sel_asha": ("Asha Stores", "approved")
    }


async def test_a_seller_is_known_before_the_event_arrives(sellers):
    assert (await sellers.profile(RAVI)).name == "Ravi Traders"


async def test_without_automatic_approval_a_seller_waits(outbox, accounts, catalog, clock):
    strict = SellersService(outbox, auth=accounts, catalog=catalog, clock=clock)
    assert (await strict.profile(ASHA)).status == "pending"


async def test_a_profile_changes_only_in_what_was_said(sellers):
    changed = await sellers.update_profile(ASHA, ProfilePatch(state="Kerala", gstin="32ABCDE1234F1Z5"))
    assert (changed.name, changed.state, changed.gstin) == ("Asha Stores", "Kerala", "32ABCDE1234F1Z5")
    assert await sellers.update_profile(ASHA, ProfilePatch(name="Asha & Co")) == changed.model_copy(
        update={"name": "Asha & Co"}
    )
    assert await sellers.update_profile(ASHA, ProfilePatch()) == await sellers.profile(ASHA)


async def test_profiles_of_the_demo_are_kept_once(sellers):
    profile = (await sellers.profile(ASHA)).model_copy(update={"seller_id": "sel_demo", "name": "Demo"})
    assert await sellers.backfill_profiles([profile]) == 1
    assert await sellers.backfill_profiles([profile]) == 0
    assert (await sellers.profiles(["sel_demo"]))["sel_demo"].name == "Demo"


async def test_only_sellers_have_a_dashboard(sellers):
    asks = [
        sellers.profile(BUYER),
        sellers.update_profile(BUYER, ProfilePatch(name="Mine")),
        sellers.dashboard(BUYER),
        sellers.orders(BUYER, None),
        sellers.products(BUYER, low_stock=False),
    ]
    for ask in asks:
        with pytest.raises(Forbidden):
            await ask
    with pytest.raises(NotFound):
        await sellers.profile(Principal(user_id="usr_gone", roles=frozenset({"seller"})))
