"""M6: whatever buyers and sellers do, in any order and with every event told again, the shop's laws hold."""

import asyncio
import contextlib
import uuid
from collections import Counter
from collections.abc import Coroutine
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any, TypeVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from services.contracts.cart import AddItem, ApplyCoupon, ChangeItem, CouponRefused, CouponTerms, NewCoupon
from services.contracts.catalog import ProductPatch
from services.contracts.orders import (
    CancelOrder,
    CancelPart,
    DecideReturn,
    OrderView,
    PlaceOrder,
    QuoteRequest,
    RequestReturn,
    ReturnLineIn,
    ShipPart,
)
from services.contracts.payments import OpenPayment, VerifyPayment
from services.kit.clock import ManualClock
from services.kit.errors import CohortError
from services.kit.idempotency import command_key
from services.kit.ids import RandomIds
from services.kit.mongo import open_mongo
from services.kit.principal import SYSTEM, Principal
from services.orders.models.order import LEGAL_MOVES, SMALLEST_REFUND
from services.orders.models.parts import PART_MOVES
from tests.bars.bar import measured
from tests.bars.shop_world import ShopWorld
from tests.fakes.cart import FakeCart
from tests.fakes.catalog import FakeCatalog

START = datetime(2026, 11, 1, 6, 30, tzinfo=UTC)
SEED = 20261101
STOCK = 6
GATEWAY_LEAST = SMALLEST_REFUND
Result = TypeVar("Result")
two, three = st.integers(0, 1), st.integers(0, 2)


def reach(table: dict[str, frozenset[str]], start: str) -> set[str]:
    return {start}.union(*(reach(table, then) for then in table[start]))


class ShopLaws(RuleBasedStateMachine):
    """Two buyers, two sellers, three variants, one single-use coupon. Refused steps are part of the history."""

    runner: asyncio.Runner
    mongo_url: str
    redis_url: str
    folder: Path
    steps: Counter[str]

    def __init__(self) -> None:
        super().__init__()
        self.consented: dict[str, int] = {}
        self.last: dict[str, OrderView] = {}
        self.quotes: dict[int, tuple[str, int]] = {}
        self.terms: CouponTerms | None = None

    def do(self, work: Coroutine[Any, Any, Result]) -> Result:
        return self.runner.run(work)

    def tries(self, work: Coroutine[Any, Any, Result]) -> Result | None:
        """None when the shop refuses; then everything that follows has happened."""
        self.steps["steps"] += 1
        try:
            return self.do(work)
        except CohortError as refusal:
            if refusal.status >= 500:
                raise
            return None
        finally:
            self.do(self.world.settle())

    @initialize()
    def opens(self) -> None:
        self.do(self._open())

    async def _open(self) -> None:
        mongo = open_mongo(self.mongo_url, prefix=f"m{uuid.uuid4().hex[:10]}")
        self.world = await ShopWorld(mongo, self.redis_url, ManualClock(START), RandomIds(), self.folder).prepare()
        self.buyers = [self.world.buyer() for _ in range(2)]
        self.sellers = [self.world.seller() for _ in range(2)]
        offers = [(self.sellers[0], 199), (self.sellers[0], 333), (self.sellers[1], 749)]
        self.variants = [await self.world.offers(who, rupees, STOCK) for who, rupees in offers]
        coupon = NewCoupon(code="ONCE", percent=33, cap=30_01, single_use=True)
        self.terms = (await self.world.cart.create_coupon(self.sellers[0], coupon)).terms()
        await self.world.settle()

    def teardown(self) -> None:
        if hasattr(self, "world"):
            self.steps.update(event.type.partition(".")[2] for event in self.world.bus.seen if "order." in event.type)
            self.do(self.world.close())

    # what buyers do

    @rule(buyer=two, sku=three, qty=st.integers(1, 3))
    def fills_cart(self, buyer: int, sku: int, qty: int) -> None:
        item = AddItem(variant_id=self.variants[sku][1], qty=qty)
        self.tries(self.world.cart.add(self.buyers[buyer], item))

    @rule(buyer=two, sku=three, qty=st.integers(0, 2))
    def edits_cart(self, buyer: int, sku: int, qty: int) -> None:
        self.tries(self.world.cart.change(self.buyers[buyer], self.variants[sku][1], ChangeItem(qty=qty)))

    @rule(buyer=two)
    def applies_coupon(self, buyer: int) -> None:
        self.tries(self.world.cart.apply_coupon(self.buyers[buyer], ApplyCoupon(code="ONCE")))

    @rule(buyer=two)
    def asks_quote(self, buyer: int) -> None:
        quote = self.tries(self.world.orders.quote(self.buyers[buyer], QuoteRequest()))
        if quote:
            self.quotes[buyer] = quote.quote_hash, quote.total.amount

    @rule(buyer=two)
    def orders_what_was_quoted(self, buyer: int) -> None:
        """Whatever happened since: the order costs what was quoted, or there is none."""
        if buyer in self.quotes:
            quote_hash, total = self.quotes[buyer]
            self._place(buyer, PlaceOrder(quote_hash=quote_hash), total)

    @rule(buyer=two, sku=three, cash=st.booleans(), coupon=st.booleans())
    def buys(self, buyer: int, sku: int, cash: bool, coupon: bool) -> None:
        """A straight way to an order, so that the later steps have something to work on."""
        who = self.buyers[buyer]
        self.fills_cart(buyer, sku, 1)
        if coupon:
            self.applies_coupon(buyer)
        method = "cod" if cash else "razorpay"
        quote = self.tries(self.world.orders.quote(who, QuoteRequest(payment_method=method)))
        if quote:
            command = PlaceOrder(quote_hash=quote.quote_hash, payment_method=method)
            self._place(buyer, command, quote.total.amount)

    @rule(buyer=two, skus=st.sets(three, min_size=1), coupon=st.booleans(), cash=st.booleans())
    def buys_and_receives(self, buyer: int, skus: set[int], coupon: bool, cash: bool) -> None:
        """All the way to the door."""
        for sku in sorted(skus):
            self.fills_cart(buyer, sku, 2)
        self.buys(buyer, min(skus), cash, coupon)
        newest = next(reversed(self.consented), None)
        order = self.do(self.world.orders.get(SYSTEM, newest)) if newest else None
        if order and order.status == "pending":
            self.tries(self._pay(order, "verify"))
        for part in order.parts if order else ():
            seller = next(who for who in self.sellers if who.seller_id == part.seller_id)
            self.tries(self._fulfil(order.order_id, seller, "all"))

    def _place(self, buyer: int, command: PlaceOrder, total: int) -> None:
        who = self.buyers[buyer]
        order = self.tries(self.world.orders.place(who, command, self.world.key(who, command.to_wire())))
        if order:
            self.consented[order.order_id] = total

    def _any_order(self, pick: int, *statuses: str) -> OrderView | None:
        found = [order for order in self.last.values() if order.status in statuses]
        return found[pick % len(found)] if found else None

    def _who(self, order: OrderView) -> Principal:
        return next(who for who in self.buyers if who.user_id == order.user_id)

    @rule(pick=st.integers(0, 20), how=st.sampled_from(["verify", "webhook", "both", "twice", "late"]))
    def pays(self, pick: int, how: str) -> None:
        order = self._any_order(pick, "pending")
        if order and order.payment_method != "cod":
            self.tries(self._pay(order, how))

    async def _pay(self, order: OrderView, how: str) -> None:
        who = self._who(order)
        opened = await self.world.payments.open(who, OpenPayment(order_id=order.order_id), self.world.key(who))
        payments = [self.world.gateway.attempt(opened.razorpay_order_id) for _ in range(2 if how == "twice" else 1)]
        if how == "late":
            self.world.clock.advance(timedelta(minutes=31))
            await self.world.orders.expire_due()
        for payment in payments:
            if how != "webhook":
                command = VerifyPayment(
                    order_id=payment["order_id"],
                    payment_id=payment["id"],
                    signature=self.world.gateway.signature(payment),
                )
                with contextlib.suppress(CohortError):
                    await self.world.payments.verify(who, command, command_key(who.user_id, payment["id"], {}))
            if how != "verify":
                await self.world.payments.webhook(*self.world.gateway.notice("payment.captured", payment))

    @rule(pick=st.integers(0, 20))
    def fails_to_pay(self, pick: int) -> None:
        order = self._any_order(pick, "pending")
        if order and order.payment_method != "cod":
            self.tries(self._fail(order))

    async def _fail(self, order: OrderView) -> None:
        who = self._who(order)
        opened = await self.world.payments.open(who, OpenPayment(order_id=order.order_id), self.world.key(who))
        payment = self.world.gateway.attempt(opened.razorpay_order_id, "failed")
        await self.world.payments.webhook(*self.world.gateway.notice("payment.failed", payment))

    @rule(pick=st.integers(0, 20))
    def cancels(self, pick: int) -> None:
        order = self._any_order(pick, "pending", "confirmed", "shipped")
        if order:
            self.tries(self.world.orders.cancel(self._who(order), order.order_id, CancelOrder()))

    @rule(pick=st.integers(0, 20), line=three, qty=st.sampled_from([None, 1, 2]), restock=st.booleans())
    def returns(self, pick: int, line: int, qty: int | None, restock: bool) -> None:
        order = self._any_order(pick, "delivered", "confirmed", "shipped")
        if order:
            wanted = ReturnLineIn(line_id=order.items[line % len(order.items)].line_id, qty=qty)
            self.tries(self._return(order, wanted, restock=restock))

    async def _return(self, order: OrderView, wanted: ReturnLineIn, *, restock: bool) -> None:
        who, command = self._who(order), RequestReturn(lines=(wanted,))
        asked = (await self.world.orders.request_return(who, order.order_id, command, self.world.key(who))).returns[-1]
        seller = next(seller for seller in self.sellers if seller.seller_id == asked.seller_id)
        await self.world.orders.approve_return(seller, asked.return_id, DecideReturn(restock=restock))

    # what sellers do

    @rule(sku=three, rupees=st.integers(100, 900))
    def changes_price(self, sku: int, rupees: int) -> None:
        product_id, _ = self.variants[sku]
        seller = self.sellers[sku // 2]
        self.tries(self.world.catalog.update(seller, product_id, ProductPatch(price=rupees)))

    @rule(pick=st.integers(0, 20), seller=two, step=st.sampled_from(["send", "deliver", "collect", "all", "cancel"]))
    def fulfils(self, pick: int, seller: int, step: str) -> None:
        order = self._any_order(pick, "confirmed", "shipped", "delivered")
        if order:
            self.tries(self._fulfil(order.order_id, self.sellers[seller], step))

    async def _fulfil(self, order_id: str, who: Principal, step: str) -> None:
        orders = self.world.orders
        if step in {"send", "all"}:
            await orders.ship(who, order_id, ShipPart())
        if step in {"deliver", "all"}:
            await orders.deliver(who, order_id)
        if step in {"collect", "all"}:
            await orders.cod_collected(who, order_id)
        if step == "cancel":
            await orders.cancel_part(who, order_id, CancelPart())

    # what time and the wires do

    @rule(minutes=st.sampled_from([1, 29, 31, 60 * 24 * 11]))
    def time_passes(self, minutes: int) -> None:
        self.world.clock.advance(timedelta(minutes=minutes))
        self.tries(self.world.orders.expire_due())

    @rule(pick=st.integers(0, 10_000))
    def an_event_comes_again(self, pick: int) -> None:
        seen = self.world.bus.seen
        self.tries(self.world.bus.deliver(seen[pick % len(seen)]))

    # the laws

    @invariant()
    def laws_hold(self) -> None:
        if hasattr(self, "variants"):
            self.do(self._check())

    async def _check(self) -> None:
        found = [page for who in self.buyers for page in (await self.world.orders.mine(who, 100)).items]
        orders = {order.order_id: order for order in found}
        await self._stock_is_conserved(orders)
        self._money_is_conserved(orders)
        self._coupon_is_used_once(orders)
        for order in orders.values():
            self._moved_legally(order)
            assert order.total.amount == self.consented[order.order_id]
            assert order.total.amount == sum(i.line_total.amount for i in order.items) + order.shipping.amount
            assert order.tax.amount == sum(i.tax.total for i in order.items)
        self.last = orders

    async def _stock_is_conserved(self, orders: dict[str, OrderView]) -> None:
        for _, variant_id in self.variants:
            on_hand, reserved, held = await self.world.levels(variant_id)
            waiting = sum(
                line.qty
                for order in orders.values() if order.status == "pending"
                for line in order.items if line.variant_id == variant_id
            )  # fmt: skip
            gone = sum(_gone(order, variant_id) for order in orders.values())
            assert (on_hand, reserved, held) == (STOCK - gone, waiting, waiting)
            assert on_hand >= reserved >= 0

    def _money_is_conserved(self, orders: dict[str, OrderView]) -> None:
        online = [order for order in orders.values() if order.payment_method != "cod" and order.payment_id]
        kept = sum(order.total.amount - order.refunded.amount for order in online)
        assert self.world.gateway.captured == kept
        for order in online:
            due = sum(part.shipping_refund_due.amount for part in order.parts)
            due += sum(line.refund_due.amount for line in order.items)
            assert 0 <= due - order.refunded.amount < GATEWAY_LEAST
        paid = {order.order_id for order in online}
        assert all(order_id in paid or orders[order_id].refunded.amount == 0 for order_id in orders)

    def _coupon_is_used_once(self, orders: dict[str, OrderView]) -> None:
        for who in self.buyers:
            using = [
                order for order in orders.values()
                if order.user_id == who.user_id and order.coupon
                and not (order.status in {"expired", "cancelled"} and order.payment_status == "unpaid")
            ]  # fmt: skip
            assert len(using) <= 1
        for order in orders.values():
            lines = [(line.seller_id, line.price.amount * line.qty) for line in order.items]
            expected = self.terms.discounts(lines) if order.coupon else [0] * len(lines)
            assert [line.discount.amount for line in order.items] == expected

    def _moved_legally(self, order: OrderView) -> None:
        before = self.last.get(order.order_id)
        if before is None:
            return
        assert order.version >= before.version
        assert order.status in reach(LEGAL_MOVES, before.status)
        for was, now in zip(before.parts, order.parts, strict=True):
            assert now.status in reach(PART_MOVES, was.status)
        assert order.timeline[: len(before.timeline)] == before.timeline
        assert all(first.at <= then.at for first, then in pairwise(order.timeline))


def _gone(order: OrderView, variant_id: str) -> int:
    """Pieces of this variant that left the shelf with the order and are not back on it."""
    if order.confirmed_at is None:
        return 0
    cancelled = {part.seller_id for part in order.parts if part.status == "cancelled"}
    lines = {line.line_id: line for line in order.items if line.variant_id == variant_id}
    sold = sum(line.qty for line in lines.values() if line.seller_id not in cancelled)
    back = sum(
        line.qty
        for each in order.returns if each.status == "approved" and each.restocked
        for line in each.lines if line.line_id in lines
    )  # fmt: skip
    return sold - back


class EachTimeAnotherCart(FakeCart):
    """One buyer's carts, a new version each time it is read; redemptions are the cart service's own."""

    def __init__(self, world: ShopWorld) -> None:
        super().__init__(FakeCatalog(world.clock))
        self._world = world
        self.redeem = world.cart.redeem
        self.release_coupon = world.cart.release_coupon

    async def get(self, who: Principal):
        seen = await self._world.cart.get(who)
        self._versions[who.user_id] = self._versions.get(who.user_id, 0) + 1
        return seen.model_copy(update={"version": self._versions[who.user_id]})


async def test_a_single_use_coupon_is_used_once_by_fifty_orders_at_once(mongo, redis_url, clock, ids, tmp_path):
    world = await ShopWorld(mongo, redis_url, clock, ids, tmp_path).prepare()
    seller, buyer = world.seller(), world.buyer()
    _, variant_id = await world.offers(seller, 199, 100)
    await world.cart.create_coupon(seller, NewCoupon(code="ONCE", percent=10))
    await world.cart.add(buyer, AddItem(variant_id=variant_id))
    await world.cart.apply_coupon(buyer, ApplyCoupon(code="ONCE"))
    orders = world.orders_with(EachTimeAnotherCart(world))
    placing = (orders.place(buyer, PlaceOrder(payment_method="cod"), world.key(buyer)) for _ in range(50))
    answers = await asyncio.gather(*placing, return_exceptions=True)
    used = [answer.coupon for answer in answers if isinstance(answer, OrderView)]
    refused = [answer for answer in answers if isinstance(answer, CouponRefused)]
    await world.redis.aclose()
    assert (used.count("ONCE"), used.count(None) + len(refused)) == (1, 49)
    assert await world.levels(variant_id) == (100 - len(used), 0, 0)


def run(mongo_url: str, redis_url: str, folder: Path, examples: int, steps: int) -> None:
    ShopLaws.mongo_url, ShopLaws.redis_url, ShopLaws.folder, ShopLaws.steps = mongo_url, redis_url, folder, Counter()
    sizes = settings(
        max_examples=examples, stateful_step_count=steps, deadline=None, derandomize=True, database=None,
        suppress_health_check=list(HealthCheck), print_blob=False,
    )  # fmt: skip
    with asyncio.Runner() as runner:
        ShopLaws.runner = runner
        run_state_machine_as_test(ShopLaws, settings=sizes)
    measured("M6", examples, [], SEED, **ShopLaws.steps)


def test_the_laws_hold_for_any_history(mongo_url, redis_url, tmp_path):
    run(mongo_url, redis_url, tmp_path, examples=16, steps=30)


@pytest.mark.full
@pytest.mark.timeout(1_800)
def test_the_laws_hold_for_many_histories(mongo_url, redis_url, tmp_path):
    run(mongo_url, redis_url, tmp_path, examples=500, steps=50)
