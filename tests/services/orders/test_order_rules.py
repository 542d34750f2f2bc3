from datetime import UTC, date, datetime
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.contracts.auth import Address
from services.contracts.orders import OrderStatus, PaymentFact, SeedLine
from services.orders.models.billing import Terms, bill, tax_inside
from services.orders.models.gst import GST_TABLES, gst_rate
from services.orders.models.order import LEGAL_MOVES, Order
from services.orders.models.parts import IllegalMove

TODAY = date(2026, 11, 1)
NOW = datetime(2026, 11, 1, tzinfo=UTC)
TERMS = Terms(shipping_flat=4_900, free_shipping_from=49_900, commission_bps=800)
ADDRESS = Address(
    address_id="adr_1",
    name="Asha",
    phone="+919800000001",
    street="12 MG Road",
    city="Pune",
    state="Maharashtra",
    country="IN",
    zip_code="411001",
)
STATUSES = get_args(OrderStatus)


@pytest.mark.parametrize(
    ("category", "price", "rate"),
    [
        ("Women's Clothing > Dresses", 2_500_00, 5),
        ("Women's Clothing > Dresses", 2_500_01, 18),
        ("Women's Clothing > Sarees", 9_999_00, 5),
        ("Shoes > Sneakers", 1_999_00, 5),
        ("Shoes > Running Shoes", 2_501_00, 18),
        ("Books > Fiction", 499_00, 0),
        ("Books > Cooking & Self-Help", 499_00, 0),
        ("Groceries > Tea & Coffee", 499_00, 5),
        ("Phones > Smartphones", 24_990_00, 18),
        ("Beauty > Skincare", 499_00, 18),
        ("Toys > Soft Toys & Dolls", 999_00, 5),
        ("Something else", 1, 18),
        ("", 1, 18),
    ],
)
def test_gst_follows_category_and_price_of_a_piece(category, price, rate):
    assert gst_rate(category, price, TODAY) == rate


def test_gst_of_a_day_comes_from_the_table_of_that_day():
    assert gst_rate("Toys", 1, date(2025, 9, 21)) == 12
    assert gst_rate("Toys", 1, date(2025, 9, 22)) == 5
    assert gst_rate("Toys", 1, date(2001, 1, 1)) == 12
    assert [table.since for table in GST_TABLES] == sorted((table.since for table in GST_TABLES), reverse=True)


@given(net=st.integers(0, 10**12), rate=st.sampled_from([0, 5, 12, 18]), within=st.booleans())
def test_tax_inside_a_price_is_split_without_loss(net, rate, within):
    tax = tax_inside(net, rate, within_state=within)
    assert abs(tax.total * (100 + rate) - net * rate) * 2 <= 100 + rate
    assert tax.total == tax.cgst + tax.sgst + tax.igst
    assert 0 <= tax.sgst - tax.cgst <= 1
    assert (tax.igst == 0) if within else (tax.cgst == tax.sgst == 0)


def seed_line(seller_id: str, category: str, qty: int, unit_price: int) -> SeedLine:
    return SeedLine(
        product_id="prd_1",
        variant_id="var_1",
        seller_id=seller_id,
        title="Thing",
        category=category,
        qty=qty,
        unit_price=unit_price,
    )


lines = st.lists(
    st.builds(
        seed_line,
        st.sampled_from(["sel_a", "sel_b", "sel_c"]),
        st.sampled_from(["Books", "Shoes", "Phones", "Toys"]),
        st.integers(1, 100),
        st.integers(1, 10**8),
    ),
    min_size=1,
    max_size=12,
)


@given(lines=lines, share=st.fractions(0, 1))
def test_a_bill_adds_up_to_the_paisa(lines, share):
    goods = sum(line.unit_price * line.qty for line in lines)
    discount = int(goods * share)
    made = bill(
        [(f"lin_{n}", line) for n, line in enumerate(lines)],
        states={"sel_a": "Maharashtra", "sel_b": " maharashtra ", "sel_c": "Kerala"},
        address=ADDRESS,
        terms=TERMS,
        day=TODAY,
        discount=discount,
    )
    assert made.subtotal == goods
    assert sum(line.discount.amount for line in made.lines) == discount
    assert made.total == sum(line.line_total.amount for line in made.lines) + made.shipping
    assert made.tax == sum(line.tax.cgst + line.tax.sgst + line.tax.igst for line in made.lines)
    assert sum(part.subtotal.amount for part in made.parts) == goods - discount
    assert sorted(i for part in made.parts for i in part.line_ids) == sorted(line.line_id for line in made.lines)
    assert all(line.line_total.amount >= line.tax.total >= 0 for line in made.lines)
    assert all((line.tax.igst == 0) == (line.seller_id != "sel_c") for line in made.lines if line.tax.total)


def order_at(status: OrderStatus) -> Order:
    seed = seed_line("sel_a", "Toys", 1, 100)
    made = bill([("lin_1", seed)], states={}, address=ADDRESS, terms=TERMS, day=TODAY)
    order = Order.placed(
        "ord_1",
        made,
        user_id="usr_1",
        address=ADDRESS,
        payment_method="razorpay",
        cart_id="crt_1",
        cart_version=1,
        now=NOW,
        expires_at=NOW,
    )
    return order.model_copy(update={"status": status})


def test_every_status_has_its_row_and_leads_only_to_statuses():
    assert set(LEGAL_MOVES) == set(STATUSES)
    assert set().union(*LEGAL_MOVES.values()) <= set(STATUSES)


def test_an_order_only_moves_forward():
    def reachable(status):
        return {status}.union(*(reachable(then) for then in LEGAL_MOVES[status]))

    assert all(status not in reachable(then) for status in STATUSES for then in LEGAL_MOVES[status])


@pytest.mark.parametrize("status", STATUSES)
def test_no_step_leaves_the_table(status):
    fact = PaymentFact(payment_id="pay_1", order_id="ord_1", amount=1, method="upi")
    steps = {
        "confirmed": lambda order: order.paid_by(fact, NOW),
        "expired": lambda order: order.expired(NOW),
        "cancelled": lambda order: order.cancelled(NOW, ""),
    }
    for target, step in steps.items():
        if target in LEGAL_MOVES[status]:
            moved = step(order_at(status))
            assert (moved.status, moved.version) == (target, 2)
        else:
            with pytest.raises(IllegalMove):
                step(order_at(status))
