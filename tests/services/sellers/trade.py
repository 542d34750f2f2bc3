"""Orders that sellers hear of, and the events of their lives."""

import random
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from services.contracts.catalog import Card, CursorInvalid, ProductPage, ProductView, Rating, SellerBrief
from services.contracts.events import ORDER_EVENTS, OrderLineFact
from services.kit.clock import Clock
from services.kit.errors import NotFound
from services.kit.events import Envelope, envelope_of
from services.kit.ids import RandomIds
from services.kit.money import inr
from services.kit.principal import Principal
from tests.fakes.catalog import FakeCatalog, Shelf

ASHA = Principal(user_id="usr_asha", roles=frozenset({"customer", "seller"}))
RAVI = Principal(user_id="usr_ravi", roles=frozenset({"customer", "seller"}))
BUYER = Principal(user_id="usr_buyer", roles=frozenset({"customer"}))


def line(seller_id="sel_asha", product_id="prd_1", qty=1, price=10_000, discount=0) -> OrderLineFact:
    return OrderLineFact(
        line_id=f"ln_{product_id}",
        product_id=product_id,
        variant_id=f"var_{product_id}",
        seller_id=seller_id,
        title=f"Thing {product_id}",
        category="Toys",
        qty=qty,
        unit_price=price,
        discount=discount,
        net=qty * price - discount,
        tax=0,
    )


@dataclass
class Life:
    """One order; each step gives the envelope of its event."""

    order_id: str
    lines: tuple[OrderLineFact, ...]
    placed_at: datetime = datetime(2026, 10, 31, 6, tzinfo=UTC)
    payment_status: str = "unpaid"
    version: int = 0
    events: list[Envelope] = field(default_factory=list)

    def step(self, event_type: str, status: str, after: timedelta = timedelta(0), **changes) -> Envelope:
        self.version += 1
        self.payment_status = changes.pop("payment_status", self.payment_status)
        event = ORDER_EVENTS[event_type](
            order_id=self.order_id,
            user_id="usr_buyer",
            cart_id="crt_1",
            cart_version=1,
            status=status,
            payment_status=self.payment_status,
            payment_method="razorpay",
            total=sum(each.net for each in self.lines),
            tax=0,
            shipping=4_900,
            discount=0,
            city="Pune",
            state="Maharashtra",
            lines=self.lines,
            placed_at=self.placed_at,
            version=self.version,
            **changes,
        )
        at = self.placed_at + after
        self.events.append(envelope_of(event, ids=RandomIds(), now=at, source="orders", sequence=self.version))
        return self.events[-1]

    def placed(self) -> "Life":
        self.step("order.created", "pending")
        return self

    def confirmed(self, after: timedelta = timedelta(minutes=2)) -> "Life":
        self.step("order.confirmed", "confirmed", after, payment_status="paid")
        return self

    def then(self, status: str, after: timedelta = timedelta(days=2)) -> "Life":
        self.step(f"order.{status}", status, after)
        return self


def drawn_life(draw: random.Random, number: int) -> Life:
    """Any legal life of an order with lines of one or two sellers."""
    wanted = draw.sample([("sel_asha", "prd_1"), ("sel_asha", "prd_2"), ("sel_ravi", "prd_3")], draw.randint(1, 3))
    lines = tuple(
        line(s, p, draw.randint(1, 4), draw.randrange(100, 90_000), draw.randrange(0, 100)) for s, p in wanted
    )
    placed_at = datetime(2026, 9, 25, tzinfo=UTC) + timedelta(minutes=draw.randrange(60 * 24 * 37))
    life = Life(f"ord_{number}", lines, placed_at).placed()
    if draw.random() < 0.15:
        return life.then(draw.choice(["expired", "cancelled"]), timedelta(minutes=30))
    life.confirmed(timedelta(minutes=draw.randrange(40)))
    if draw.random() < 0.2:
        return life.then("cancelled", timedelta(hours=3))
    for step, status in enumerate(["shipped", "delivered", "returned"][: draw.randrange(4)], start=1):
        life.then(status, timedelta(days=step))
    return life


class SellersCatalog(FakeCatalog):
    """The catalogue as a seller's dashboard asks it; products are listed by id, two or three a page."""

    def __init__(self, clock: Clock) -> None:
        super().__init__(clock)
        self.refreshed: list[str] = []

    async def refresh_seller(self, seller_id):
        self.refreshed.append(seller_id)
        return 0

    def _of(self, product_id: str) -> list[Shelf]:
        return [shelf for shelf in self.shelves.values() if shelf.product_id == product_id]

    def _card(self, shelf: Shelf) -> Card:
        return Card(
            product_id=shelf.product_id,
            title=f"The {shelf.product_id}",
            price=inr(shelf.price),
            category=shelf.category,
            brand=None,
            attributes={},
            rating=Rating(),
            available=shelf.available,
            image=None,
            seller_id=shelf.seller_id,
        )

    async def many(self, product_ids):
        found = [self._of(product_id) for product_id in product_ids]
        return [self._card(shelves[0]) for shelves in found if shelves and shelves[0].active]

    async def get(self, product_id, who=None):
        shelves = self._of(product_id)
        if not shelves or not (shelves[0].active or (who and who.seller_id == shelves[0].seller_id)):
            raise NotFound.of("product")
        shelf, now = shelves[0], self._clock.now()
        return ProductView(
            **self._card(shelf).model_dump(),
            description="",
            variants=(),
            images=(),
            seller=SellerBrief(seller_id=shelf.seller_id, name=""),
            created_at=now,
            updated_at=now,
            version=1,
        )

    async def of_seller(self, who, limit, cursor, status=None):
        if cursor and not cursor.startswith("prd_"):
            raise CursorInvalid("not a cursor")
        ids = sorted({s.product_id for s in self.shelves.values() if s.seller_id == who.seller_id})
        rest = [product_id for product_id in ids if cursor is None or product_id > cursor]
        shown = rest[: min(limit, 3)]
        more = len(rest) > len(shown)
        cards = tuple(self._card(self._of(product_id)[0]) for product_id in shown)
        return ProductPage(items=cards, next_cursor=shown[-1] if more else None)
