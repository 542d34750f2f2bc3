"""Six months of orders: who bought what and when, and how each order ended."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from itertools import accumulate
from random import Random

from api.demo.calendar import TradeCalendar
from api.demo.fates import Fate
from api.demo.model import DemoBuyer, DemoOrder, DemoOrderLine, DemoProduct, PaymentMethod
from api.demo.pricing import believable
from api.demo.seeds import Seed
from api.demo.words import Trade

_COD_LIMIT = 20_000_00
_FESTIVE_BOOST = 2.5


def orders(
    seed: Seed, calendar: TradeCalendar, buyers: Sequence[DemoBuyer], products: Sequence[DemoProduct], count: int
) -> tuple[DemoOrder, ...]:
    """`count` orders of the calendar's months, earliest first."""
    draw, words = seed.random("orders"), calendar.words
    shelves = {festive: _Shelves(products, words.festive_categories if festive else []) for festive in (True, False)}
    loyalty = list(accumulate(draw.paretovariate(1.3) for _ in buyers))
    made = []
    for number, created_at in enumerate(calendar.moments(count, draw)):
        buyer = draw.choices(buyers, cum_weights=loyalty)[0]
        lines = _lines(words, shelves[calendar.is_festive(created_at)], created_at, draw)
        method = _method(words, sum(line.qty * line.price for line in lines), draw)
        fate = Fate.drawn(created_at, method, calendar.now, draw)
        made.append(
            DemoOrder(
                order_id=seed.id("ord", number),
                user_id=buyer.user_id,
                address=buyer.address,
                payment_method=method,
                status=fate.status,
                payment_status=fate.payment_status,
                lines=lines,
                created_at=created_at,
                confirmed_at=fate.confirmed_at,
                paid_at=fate.paid_at,
                shipped_at=fate.shipped_at,
                delivered_at=fate.delivered_at,
                cancelled_at=fate.cancelled_at,
                expired_at=fate.expired_at,
                returned_at=fate.returned_at,
            )
        )
    return tuple(made)


class _Shelves:
    """Products by popularity, as a whole and per department."""

    def __init__(self, products: Sequence[DemoProduct], festive_categories: Sequence[str]) -> None:
        self._all: list[DemoProduct] = list(products)
        self._weights: list[float] = []
        departments: dict[str, tuple[list[DemoProduct], list[float]]] = defaultdict(lambda: ([], []))
        for product in products:
            weight = product.popularity * (_FESTIVE_BOOST if product.category[1] in festive_categories else 1.0)
            self._weights.append(weight)
            shelf, weights = departments[product.category[0]]
            shelf.append(product)
            weights.append(weight)
        self._all_cumulative = list(accumulate(self._weights))
        self._departments = {name: (shelf, list(accumulate(weights))) for name, (shelf, weights) in departments.items()}

    def pick(self, at: datetime, beside: DemoProduct | None, draw: Random) -> DemoProduct:
        """A product that was on sale then; often of the same department as the one it goes with."""
        shelf, weights = self._all, self._all_cumulative
        if beside and draw.random() < 0.45:
            shelf, weights = self._departments[beside.category[0]]
        while True:
            product = draw.choices(shelf, cum_weights=weights)[0]
            if product.created_at < at:
                return product


def _lines(words: Trade, shelves: _Shelves, at: datetime, draw: Random) -> tuple[DemoOrderLine, ...]:
    wanted = draw.choices(range(1, len(words.line_counts) + 1), words.line_counts)[0]
    found: dict[str, DemoOrderLine] = {}
    beside = None
    for _ in range(wanted):
        beside = shelves.pick(at, beside, draw)
        line = _line(beside, draw)
        found[line.variant_id] = line
    return tuple(found.values())


def _line(product: DemoProduct, draw: Random) -> DemoOrderLine:
    variant = draw.choice(product.variants)
    price = variant.price
    if variant.compare_at_price and draw.random() < 0.15:
        price = believable((variant.price + variant.compare_at_price) / 200)
    qty = draw.choices([1, 2, 3, 4], [80, 14, 4, 2])[0] if price < 1_500_00 else 1
    return DemoOrderLine(product.product_id, variant.variant_id, product.seller_id, product.title, qty, price)


def _method(words: Trade, subtotal: int, draw: Random) -> PaymentMethod:
    method: PaymentMethod = draw.choices(list(words.payment_methods), list(words.payment_methods.values()))[0]
    return "upi" if method == "cod" and subtotal > _COD_LIMIT else method
