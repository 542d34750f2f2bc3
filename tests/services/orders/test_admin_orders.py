from datetime import timedelta

from services.kit.principal import SYSTEM, Principal
from tests.services.orders.conftest import money_for, seller

ADMIN = Principal(user_id="usr_admin", roles=frozenset({"customer", "admin"}))


async def placed(shop, days: int, a_day: int) -> list[str]:
    shop.catalog.stock("var_a", on_hand=1_000)
    found = []
    for _ in range(days):
        for _ in range(a_day):
            found.append((await shop.place(shop.buyer(var_a=1))).order_id)
            shop.clock.advance(timedelta(seconds=1))
        shop.clock.advance(timedelta(days=1))
    return found[::-1]


async def walked(desk, limit: int, query: str = "") -> list[str]:
    seen, cursor = [], ""
    while True:
        page = (await desk(ADMIN, "GET", f"/admin/orders?limit={limit}{query}{cursor}")).json()
        seen += [order["orderId"] for order in page["items"]]
        assert len(page["items"]) <= limit
        if page["nextCursor"] is None:
            return seen
        cursor = f"&cursor={page['nextCursor']}"


async def test_all_orders_come_newest_first_in_pages(desk, shop):
    orders = await placed(shop, days=3, a_day=3)
    assert await walked(desk, 2) == orders
    assert await walked(desk, 9) == orders


async def test_a_status_is_found_on_whatever_day(desk, shop):
    orders = await placed(shop, days=70, a_day=1)
    order = await shop.orders.get(SYSTEM, orders[-1])
    await shop.orders.mark_paid(SYSTEM, money_for(order))
    assert await walked(desk, 5, "&status=confirmed") == [order.order_id]
    assert await walked(desk, 50, "&status=pending") == orders[:-1]


async def test_only_operators_see_them(desk, shop):
    for who in (shop.buyer(), seller("a")):
        assert (await desk(who, "GET", "/admin/orders")).status_code == 403


async def test_a_cursor_of_another_list_is_refused(desk, shop):
    await placed(shop, days=1, a_day=1)
    answer = await desk(ADMIN, "GET", "/admin/orders?cursor=ord_x")
    assert (answer.status_code, answer.json()["field"]) == (422, "cursor")
