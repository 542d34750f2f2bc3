"""Figures are a pure function of what happened: not of the order, number or batching of the events that told it."""

import asyncio
import itertools
import random
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.contracts.events import OrderPartFact, PaymentSucceeded
from services.contracts.sellers import Figures
from services.kit.events import envelope_of
from services.kit.ids import RandomIds
from services.kit.money import inr, round_half_up
from services.kit.principal import Principal
from services.sellers.models.facts import Tally, facts_of, join_all
from services.sellers.models.figures import figures as shown
from services.sellers.models.figures import within
from services.sellers.models.ledger import day_changes
from services.sellers.models.periods import indian_day, resolve
from tests.services.sellers.trade import ASHA, BUYER, RAVI, Life, drawn_life, line

EVERYTHING = "2026-09-01..2026-11-30"


def counted(lives: list[Life], seller: Principal, period: str, now: datetime) -> Figures:
    """The direct count, from the lives themselves."""
    asked, _ = resolve(period, indian_day(now))
    sold = cancelled = units = revenue = returned = 0
    for life in lives:
        mine = [each for each in life.lines if each.seller_id == seller.seller_id]
        at = next((e.time for e in life.events if e.type == "order.confirmed"), None)
        if not mine or at is None or not asked.start <= indian_day(at) <= asked.end:
            continue
        ended = life.events[-1].data["status"]
        if ended == "cancelled":
            cancelled += 1
            continue
        sold += 1
        returned += ended == "returned"
        revenue += sum(each.net for each in mine)
        units += sum(each.qty for each in mine)
    whole = sold + cancelled
    return Figures(
        revenue=inr(revenue),
        orders=sold,
        units=units,
        average_order_value=inr(round_half_up(revenue, sold) if sold else 0),
        cancellations=cancelled,
        returns=returned,
        cancellation_rate=cancelled / whole if whole else 0.0,
        return_rate=returned / whole if whole else 0.0,
    )


async def figures(sellers, who=ASHA, period=EVERYTHING) -> Figures:
    return (await sellers.dashboard(who, period)).figures


@pytest.mark.parametrize("end", ["returned", "cancelled"])
async def test_every_order_of_four_events_gives_the_same_numbers(sellers, outbox, end):
    expected = None
    for number, order in enumerate(itertools.permutations(range(4))):
        seller = Principal(user_id=f"usr_{number}", roles=frozenset({"seller"}))
        life = Life(f"ord_{number}", (line(seller.seller_id, qty=2), line(seller.seller_id, "prd_2"))).placed()
        life.confirmed()
        if end == "cancelled":
            life.step("order.updated", "confirmed")
            life.then("cancelled")
        else:
            life.then("delivered").then("returned")
        for event in order:
            await sellers.take(life.events[event])
        dashboard = await sellers.dashboard(seller, EVERYTHING)
        listed = (await sellers.orders(seller, None)).items
        facts = (dashboard, [each.model_copy(update={"order_id": ""}) for each in listed])
        expected = expected or facts
        assert facts == expected
    assert expected[0].figures.orders == (end == "returned")


async def test_a_repeated_event_counts_once(sellers):
    life = Life("ord_1", (line(),)).placed().confirmed()
    for event in [*life.events, *life.events, life.events[0]]:
        await sellers.take(event)
    assert (await figures(sellers)).orders == 1


async def test_a_late_early_event_takes_nothing_back(sellers):
    life = Life("ord_1", (line(),)).placed().confirmed().then("cancelled")
    for event in reversed(life.events):
        await sellers.take(event)
    found = await figures(sellers)
    assert (found.orders, found.cancellations, found.revenue.amount) == (0, 1, 0)
    assert (await sellers.orders(ASHA, None)).items[0].status == "cancelled"


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], derandomize=True)
@given(seed=st.integers(0, 10**6), orders=st.integers(1, 14))
def test_any_history_in_any_order_equals_the_direct_count(seed, orders):
    """Joined and summed in memory, as the books do it in one write per event."""
    draw = random.Random(seed)
    lives = [drawn_life(draw, number) for number in range(orders)]
    events = [event for life in lives for event in life.events]
    events += draw.choices(events, k=len(events) // 3)
    draw.shuffle(events)
    facts: dict = {}
    days: dict = {}
    for event in events:
        told = join_all(facts_of(event))
        after = {key: facts[key].joined(fact) if key in facts else fact for key, fact in told.items()}
        before = {key: facts[key] for key in told if key in facts}
        for key, change in day_changes(before, after).items():
            days.setdefault(key, Tally()).add_all(change)
        facts.update(after)
    now = datetime(2026, 11, 1, 6, 30, tzinfo=UTC)
    for who, period in itertools.product((ASHA, RAVI), (EVERYTHING, "last_month", "last_7_days", "this_quarter")):
        mine = {day: tally for (seller, day), tally in days.items() if seller == who.seller_id}
        asked, _ = resolve(period, indian_day(now))
        assert shown(within(mine, asked)) == counted(lives, who, period, now)


async def test_a_shuffled_history_read_from_the_database_equals_the_direct_count(sellers, clock):
    draw = random.Random(7)
    lives = [drawn_life(draw, number) for number in range(30)]
    events = [event for life in lives for event in life.events]
    events += draw.choices(events, k=20)
    draw.shuffle(events)
    for event in events:
        await sellers.take(event)
    for who, period in itertools.product((ASHA, RAVI), (EVERYTHING, "last_month", "last_7_days", "today")):
        assert await figures(sellers, who, period) == counted(lives, who, period, clock.now())


async def test_books_rebuilt_from_the_log_are_the_same(sellers, outbox):
    draw = random.Random(11)
    lives = [drawn_life(draw, number) for number in range(25)]
    await sellers.backfill_facts([event for life in lives for event in life.events])
    before = await books(outbox)
    assert await sellers.rebuild() == sum(len(life.events) for life in lives)
    assert await books(outbox) == before
    assert await sellers.rebuild() > 0
    assert await books(outbox) == before


async def test_bulk_loading_gives_what_the_events_one_by_one_give(sellers, outbox, clock):
    draw = random.Random(3)
    lives = [drawn_life(draw, number) for number in range(25)]
    events = [event for life in lives for event in life.events]
    for event in events:
        await sellers.take(event)
    one_by_one = await books(outbox)
    assert await sellers.backfill_facts(events) == 0
    assert await books(outbox) == one_by_one
    await outbox.database.client.drop_database(outbox.database.name)
    await sellers.prepare()
    assert await sellers.backfill_facts(events) == len(events)
    assert await books(outbox) == one_by_one


async def books(outbox) -> dict[str, list]:
    return {
        name: sorted(await outbox.database[name].find().to_list(None), key=lambda row: row["_id"])
        for name in ("facts", "days", "months")
    }


async def test_two_consumers_at_once_lose_no_order(sellers):
    lives = [Life(f"ord_{n}", (line(),)).placed().confirmed() for n in range(12)]
    await asyncio.gather(*(sellers.take(event) for life in lives for event in life.events))
    assert (await figures(sellers)).orders == 12


async def test_an_unpaid_order_earns_nothing_and_a_confirmed_one_counts_on_its_indian_day(sellers):
    late = datetime(2026, 10, 31, 18, 20, tzinfo=UTC)
    await sellers.take(Life("ord_1", (line(),), late).placed().events[-1])
    assert (await figures(sellers)).orders == 0
    life = Life("ord_2", (line(),), late).placed().confirmed(timedelta(minutes=15))
    for event in life.events:
        await sellers.take(event)
    assert (await figures(sellers, period="2026-10-31..2026-10-31")).orders == 0
    assert (await figures(sellers, period="today")).orders == 1


async def test_discounts_are_taken_off_and_the_average_is_rounded_half_up(sellers):
    for number, price in enumerate([100, 101]):
        life = Life(f"ord_{number}", (line(price=price + 5, discount=5),)).placed().confirmed()
        for event in life.events:
            await sellers.take(event)
    found = await figures(sellers)
    assert (found.revenue.amount, found.average_order_value.amount) == (201, 101)


async def test_a_seller_sees_only_the_own_part_of_an_order(sellers):
    life = Life("ord_1", (line(price=500), line("sel_ravi", "prd_9", price=900))).placed().confirmed()
    for event in life.events:
        await sellers.take(event)
    assert (await figures(sellers, ASHA)).revenue.amount == 500
    assert (await figures(sellers, RAVI)).revenue.amount == 900
    nobody = Principal(user_id="usr_new", roles=frozenset({"seller"}))
    assert (await figures(sellers, nobody)).orders == 0
    assert (await sellers.orders(nobody, None)).items == []


async def test_a_part_that_was_called_off_counts_for_its_seller_alone(sellers):
    life = Life("ord_1", (line(price=10_000), line("sel_ravi", "prd_9", price=5_000))).placed().confirmed()
    parts = tuple(
        OrderPartFact(seller_id=seller_id, status=status, shipping=0)
        for seller_id, status in (("sel_asha", "confirmed"), ("sel_ravi", "cancelled"))
    )
    life.step("order.updated", "confirmed", timedelta(days=1), parts=parts)
    for event in life.events:
        await sellers.take(event)
    asha, ravi = await figures(sellers), await figures(sellers, RAVI)
    assert (asha.revenue.amount, asha.cancellations) == (10_000, 0)
    assert (ravi.revenue.amount, ravi.orders, ravi.cancellations) == (0, 0, 1)


async def test_the_dashboard_shows_series_and_best_sellers(sellers, catalog):
    catalog.stock("var_prd_1", product_id="prd_1", seller_id="sel_asha")
    catalog.stock("var_prd_2", product_id="prd_2", seller_id="sel_asha", active=False)
    for number, day in enumerate((29, 30, 30)):
        placed_at = datetime(2026, 10, day, 6, tzinfo=UTC)
        lines = (line(price=100), line(product_id="prd_2", qty=2, price=300))
        for event in Life(f"ord_{number}", lines, placed_at).placed().confirmed().events:
            await sellers.take(event)
    dashboard = await sellers.dashboard(ASHA, "2026-10-28..2026-10-31")
    assert [point.orders for point in dashboard.series] == [0, 1, 2, 0]
    assert [(best.title, best.units) for best in dashboard.top_products] == [("The prd_2", 6), ("The prd_1", 3)]
    assert dashboard.previous.orders == 0
    weekly = await sellers.dashboard(ASHA, "last_30_days", "month", None)
    assert [(point.start.isoformat(), point.orders) for point in weekly.series] == [
        ("2026-10-03", 3),
        ("2026-11-01", 0),
    ]
    assert weekly.previous is None


async def test_payments_and_reviews_are_logged_and_change_no_figure(sellers, outbox):
    paid = PaymentSucceeded(payment_id="pay_1", order_id="ord_1", user_id=BUYER.user_id, amount=1, method="upi")
    envelope = envelope_of(paid, ids=RandomIds(), now=datetime(2026, 11, 1, tzinfo=UTC), source="payments")
    await sellers.take(envelope)
    await sellers.take(envelope)
    assert await outbox.database["events"].count_documents({}) == 1
    assert (await figures(sellers)).orders == 0
