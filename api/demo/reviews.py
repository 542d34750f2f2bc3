"""Reviews that buyers left on what was delivered to them."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from random import Random

from api.demo.model import DemoOrder, DemoProduct, DemoReview
from api.demo.seeds import Seed
from api.demo.words import ReviewWords

_SHARE = 0.4


def reviews(
    seed: Seed, words: ReviewWords, products: Sequence[DemoProduct], orders: Sequence[DemoOrder], now: datetime
) -> tuple[DemoReview, ...]:
    """One per buyer and product at most, never more for a product than its rating count."""
    catalogue = {product.product_id: product for product in products}
    draw = seed.random("reviews")
    written: Counter[str] = Counter()
    seen: set[tuple[str, str]] = set()
    made = []
    for order in orders:
        for line in order.lines:
            product = catalogue[line.product_id]
            created_at = _written_at(order, now, draw)
            pair = (order.user_id, line.product_id)
            if created_at is None or pair in seen or written[line.product_id] >= product.rating_count:
                continue
            seen.add(pair)
            written[line.product_id] += 1
            rating = _rating(product.rating_average, draw)
            text = _text(words, rating, product.category[0], draw)
            review_id = seed.id("rev", order.order_id, product.product_id)
            made.append(
                DemoReview(review_id, product.product_id, order.user_id, order.order_id, rating, text, created_at)
            )
    return tuple(made)


def _written_at(order: DemoOrder, now: datetime, draw: Random) -> datetime | None:
    after = timedelta(hours=draw.uniform(5, 300))
    if draw.random() >= _SHARE or order.status != "delivered" or order.delivered_at is None:
        return None
    at = order.delivered_at + after
    return at if at <= now else None


def _rating(average: float, draw: Random) -> int:
    return min(5, max(1, round(draw.gauss(average + 0.15, 1.15))))


def _text(words: ReviewWords, rating: int, department: str, draw: Random) -> str:
    praise = [*words.good[department], *words.good["general"]]
    complaint = [*words.bad[department], *words.bad["general"]]
    parts = [draw.choice(words.opening[rating])]
    if rating >= 4:
        parts += draw.sample(praise, draw.choice([0, 1, 1, 2]))
    if rating == 3:
        parts += [draw.choice(praise), draw.choice(complaint)]
    if rating <= 2:
        parts += draw.sample(complaint, draw.choice([1, 1, 2]))
    return " ".join(parts)
