import asyncio
import io
import re

import pytest
from pypdf import PdfReader

from services.kit.principal import SYSTEM, Principal
from tests.services.orders.conftest import money_for, seller

A, C = seller("a"), seller("c")
ADMIN = Principal(user_id="usr_admin", roles=frozenset({"customer", "admin"}))


@pytest.fixture
def buyer(shop):
    shop.catalog.stock("var_a", seller_id="sel_a", price=12_345)
    shop.catalog.stock("var_b", seller_id="sel_b", price=60_000, category="Phones")
    shop.sellers.states["sel_b"] = "Kerala"
    return shop.buyer()


def pages(answer) -> list[str]:
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/pdf")
    return [page.extract_text() for page in PdfReader(io.BytesIO(answer.content)).pages]


def paise(text: str, name: str) -> int:
    rupees, _, rest = re.search(rf"^{name}: ₹([\d,.]+)$", text, re.MULTILINE)[1].replace(",", "").partition(".")
    return int(rupees) * 100 + int(rest or 0)


async def test_each_part_has_its_page_and_the_amounts_add_up(desk, buyer):
    order = await desk.paid(buyer, var_a=2, var_b=1)
    found = pages(await desk(buyer, "GET", f"/orders/{order['orderId']}/invoice"))
    assert len(found) == 2
    for page, part in zip(found, order["parts"], strict=True):
        names = ("Taxable value", "CGST", "SGST", "IGST", "Shipping")
        assert sum(paise(page, name) for name in names) == paise(page, "Total")
        assert paise(page, "Total") == part["subtotal"]["amount"] + part["shipping"]["amount"]
        assert f"Invoice {part['invoiceNumber']} of 01 November 2026" in page
        assert "Asha Rao" in page
    assert sum(paise(page, "Total") for page in found) == order["total"]["amount"]
    assert (paise(found[0], "IGST"), paise(found[1], "CGST")) == (0, 0)
    assert paise(found[0], "SGST") - paise(found[0], "CGST") in {0, 1}
    assert "Thing var_a" in found[0]
    assert "Thing var_a" not in found[1]


async def test_the_same_invoice_has_the_same_bytes(desk, buyer):
    order = await desk.paid(buyer, var_a=1)
    first, again = [await desk(buyer, "GET", f"/orders/{order['orderId']}/invoice") for _ in range(2)]
    assert first.content == again.content


async def test_a_seller_sees_the_own_page_an_admin_all_of_them_others_none(desk, buyer):
    order = await desk.paid(buyer, var_a=1, var_b=1)
    path = f"/orders/{order['orderId']}/invoice"
    [own] = pages(await desk(A, "GET", path))
    assert "Thing var_a" in own
    assert len(pages(await desk(ADMIN, "GET", path))) == 2
    for other in (C, seller("usr_x")):
        assert (await desk(other, "GET", path)).status_code == 404


async def test_there_is_no_invoice_before_the_order_is_confirmed(desk, shop, buyer):
    shop.cart.put(buyer, var_a=1)
    order = await shop.place(buyer)
    answer = await desk(buyer, "GET", f"/orders/{order.order_id}/invoice")
    assert (answer.status_code, answer.json()["code"]) == (409, "no_invoice")


async def test_numbers_of_a_seller_have_no_gap_however_many_confirm_at_once(shop):
    """Two processes at work: each has its own turns."""
    shop.catalog.stock("var_a", on_hand=100)
    other = shop.service()
    orders = [await shop.place(shop.buyer(var_a=1)) for _ in range(16)]
    cash = [shop.buyer(var_a=1) for _ in range(8)]
    await asyncio.gather(
        *((shop.orders if n % 2 else other).mark_paid(SYSTEM, money_for(o)) for n, o in enumerate(orders)),
        *(shop.place(who, payment_method="cod") for who in cash),
    )
    placed = [(await shop.orders.mine(who)).items[0] for who in cash]
    confirmed = [*placed, *[await shop.orders.get(SYSTEM, order.order_id) for order in orders]]
    numbers = sorted(order.parts[0].invoice_number for order in confirmed)
    assert numbers == [f"2026-27/{n:06d}" for n in range(1, 25)]
