"""The demo world out of a seed: sellers, buyers, a catalogue and six months of trade. Pure; nothing is stored here."""

from datetime import datetime

from api.demo import people, words
from api.demo.calendar import TradeCalendar
from api.demo.model import DemoProduct, DemoWorld
from api.demo.orders import orders as place_orders
from api.demo.products import products as stock_products
from api.demo.reviews import reviews as write_reviews
from api.demo.seeds import Seed


def generate(seed: int, now: datetime, orders: int = 3600) -> DemoWorld:
    """The same world for the same seed and moment; `now` (aware) moves dates and orders, never who sells what.

    Raises ValueError if `now` has no time zone.
    """
    if now.tzinfo is None:
        raise ValueError("now must carry a time zone")
    source, names = Seed(seed), words.people()
    sellers = people.sellers(source, names, now)
    buyers = people.buyers(source, names, now)
    products = stock_products(source, words.kinds(), names, sellers, now)
    placed = place_orders(source, TradeCalendar(words.trade(), now), buyers, products, orders)
    return DemoWorld(
        seed=seed,
        now=now,
        admin=people.admin(source, now),
        sellers=sellers,
        buyers=buyers,
        products=products,
        orders=placed,
        reviews=write_reviews(source, words.review_words(), products, placed, now),
    )


def search_text(product: DemoProduct) -> str:
    """What is embedded for a product. Vectors are cached under the hash of this text: a change here makes them anew."""
    facts = "; ".join(f"{name.replace('_', ' ')}: {value}" for name, value in sorted(product.attributes.items()))
    return f"{product.title}. {product.brand}. {' > '.join(product.category)}. {facts}. {product.description}"
