"""The demo world: the same for the same seed, full enough to shop in, and never at odds with itself."""

import re
from collections import Counter
from datetime import UTC, datetime, timedelta
from statistics import median
from time import process_time

import phonenumbers
import pytest

from api.demo.calendar import IST
from api.demo.generate import generate, search_text
from api.demo.model import DemoOrder, DemoProduct, DemoWorld
from api.demo.people import gstin_check

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
SIZES = {"6", "7", "8", "9", "10", "11"}
REAL_BRANDS = {
    "adidas",
    "amazon",
    "apple",
    "asics",
    "bata",
    "boat",
    "canon",
    "casio",
    "cello",
    "crocs",
    "dabur",
    "dell",
    "fastrack",
    "fossil",
    "google",
    "himalaya",
    "hp",
    "jbl",
    "lakme",
    "lavie",
    "lego",
    "lenovo",
    "levis",
    "mamaearth",
    "milton",
    "motorola",
    "nike",
    "nivea",
    "nokia",
    "noise",
    "oneplus",
    "oppo",
    "peter",
    "england",
    "philips",
    "pigeon",
    "prestige",
    "puma",
    "raymond",
    "realme",
    "redmi",
    "reebok",
    "samsung",
    "skechers",
    "sony",
    "tata",
    "titan",
    "vivo",
    "wildcraft",
    "xiaomi",
    "yonex",
    "zara",
    "biba",
    "fabindia",
    "nykaa",
    "woodland",
    "hawkins",
}


@pytest.fixture(scope="module")
def world() -> DemoWorld:
    return generate(7, NOW)


def of(world: DemoWorld, *path: str) -> list[DemoProduct]:
    return [product for product in world.products if product.category[: len(path)] == path]


def lowest(product: DemoProduct) -> int:
    return min(variant.price for variant in product.variants)


def in_stock(product: DemoProduct) -> bool:
    return any(variant.stock for variant in product.variants)


def moments_of(order: DemoOrder) -> list[datetime]:
    """The steps an order took, in the order they must have happened."""
    steps = (
        order.created_at,
        order.confirmed_at,
        order.shipped_at,
        order.delivered_at,
        order.returned_at,
        order.cancelled_at,
        order.expired_at,
    )
    return [step for step in steps if step is not None]


def test_the_world_is_as_large_as_promised(world: DemoWorld) -> None:
    assert len(world.sellers) == 12
    assert len(world.buyers) == 200
    assert len(world.products) >= 1500
    assert len(world.orders) == 3600
    assert len(world.reviews) >= 1000


def test_same_seed_and_moment_give_the_same_world(world: DemoWorld) -> None:
    assert generate(7, NOW) == world


def test_another_moment_moves_dates_only(world: DemoWorld) -> None:
    later = generate(7, NOW + timedelta(days=40), orders=50)

    def undated(product: DemoProduct) -> tuple[object, ...]:
        return (product.product_id, product.variants, product.seller_id, product.rating_count, search_text(product))

    assert [undated(product) for product in later.products] == [undated(product) for product in world.products]
    assert [buyer.address for buyer in later.buyers] == [buyer.address for buyer in world.buyers]
    assert [seller.gstin for seller in later.sellers] == [seller.gstin for seller in world.sellers]


def test_another_seed_gives_other_ids(world: DemoWorld) -> None:
    other = generate(8, NOW, orders=10)
    assert not {product.product_id for product in other.products} & {product.product_id for product in world.products}


def test_a_moment_without_time_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="time zone"):
        generate(7, datetime(2026, 11, 22))  # noqa: DTZ001


@pytest.mark.full
def test_the_world_is_made_in_three_seconds_of_cpu() -> None:
    started = process_time()
    generate(3, NOW)
    assert process_time() - started < 3


def test_every_id_is_its_prefix_and_a_uuid_and_none_comes_twice(world: DemoWorld) -> None:
    ids = [world.admin.user_id]
    ids += [name for seller in world.sellers for name in (seller.seller_id, seller.user_id)]
    ids += [name for buyer in world.buyers for name in (buyer.user_id, buyer.address.address_id)]
    ids += [product.product_id for product in world.products]
    ids += [variant.variant_id for product in world.products for variant in product.variants]
    ids += [order.order_id for order in world.orders] + [review.review_id for review in world.reviews]
    assert all(re.fullmatch(r"(usr|sel|adr|prd|var|ord|rev)_[0-9a-f]{32}", name) for name in ids)
    assert len(ids) == len(set(ids))


def test_a_sellers_id_carries_the_uuid_of_its_user(world: DemoWorld) -> None:
    assert all(seller.seller_id[4:] == seller.user_id[4:] for seller in world.sellers)


def test_mail_addresses_phones_and_tax_numbers_are_well_formed(world: DemoWorld) -> None:
    people = [*world.sellers, *world.buyers]
    assert len({person.email for person in people}) == len(people)
    assert {"buyer1@demo.cohort.example", "seller1@demo.cohort.example"} <= {person.email for person in people}
    assert all(phonenumbers.is_valid_number(phonenumbers.parse(person.phone)) for person in people)
    for seller in world.sellers:
        assert re.fullmatch(r"\d{2}[A-Z]{5}\d{4}[A-Z][1-9A-Z]Z[0-9A-Z]", seller.gstin)
        assert gstin_check(seller.gstin[:-1]) == seller.gstin[-1]


def test_addresses_are_indian_with_a_pin_code_of_their_city(world: DemoWorld) -> None:
    first_digits: dict[str, set[str]] = {}
    for address in (buyer.address for buyer in world.buyers):
        assert address.country == "IN"
        assert re.fullmatch(r"[1-8]\d{5}", address.zip_code)
        first_digits.setdefault(address.city, set()).add(address.zip_code[:2])
    assert all(len(digits) == 1 for digits in first_digits.values())


def test_at_least_fourteen_departments_stand_on_a_two_level_path(world: DemoWorld) -> None:
    assert all(len(product.category) == 2 for product in world.products)
    assert len({product.category[0] for product in world.products}) >= 14
    assert len({product.category for product in world.products}) >= 40
    for path in (
        ("Women's Clothing", "Sarees"),
        ("Women's Clothing", "Kurtas"),
        ("Shoes", "Running Shoes"),
        ("Books", "Fiction"),
    ):
        assert len(of(world, *path)) >= 20


def test_skus_are_unique_and_prices_believable(world: DemoWorld) -> None:
    variants = [variant for product in world.products for variant in product.variants]
    assert len({variant.sku for variant in variants}) == len(variants)
    for variant in variants:
        assert variant.price > 0
        assert variant.price // 100 % 10 in {0, 9}
        assert variant.price % 100 == 0
        assert variant.stock >= 0
        assert variant.compare_at_price is None or variant.compare_at_price > variant.price


def test_options_of_one_product_never_repeat(world: DemoWorld) -> None:
    for product in world.products:
        choices = [tuple(variant.options.items()) for variant in product.variants]
        assert choices
        assert len(set(choices)) == len(choices)


def test_red_sneakers_under_two_thousand_are_there_in_every_size(world: DemoWorld) -> None:
    found = [
        product
        for product in of(world, "Shoes", "Sneakers")
        if product.attributes["colour"] == "Red"
        and all(variant.price < 2000_00 for variant in product.variants)
        and {variant.options["size"] for variant in product.variants} == SIZES
        and all(variant.stock >= 5 for variant in product.variants if variant.options["size"] == "8")
    ]
    assert len(found) >= 12
    assert len({product.brand for product in found}) >= 5


def test_phones_are_cheap_and_dear(world: DemoWorld) -> None:
    prices = [lowest(product) for product in of(world, "Phones", "Smartphones") if in_stock(product)]
    assert sum(price < 10_000_00 for price in prices) >= 5
    assert sum(price > 50_000_00 for price in prices) >= 5


def test_black_bags_come_in_leather_and_without(world: DemoWorld) -> None:
    black = [bag for bag in of(world, "Bags") if "Black" in bag.attributes["colour"] and in_stock(bag)]
    leather = [bag for bag in black if bag.attributes["material"] == "genuine leather"]
    assert len(leather) >= 5
    assert len(black) - len(leather) >= 5


def test_party_decorations_and_gifts_are_in_stock(world: DemoWorld) -> None:
    assert sum(in_stock(product) for product in of(world, "Gifts & Party", "Party Decorations")) >= 20
    assert sum(in_stock(product) for product in of(world, "Gifts & Party", "Gift Hampers")) >= 20


def test_a_few_products_are_low_or_out_of_stock(world: DemoWorld) -> None:
    gone = sum(not in_stock(product) for product in world.products)
    assert 10 <= gone <= len(world.products) // 15
    assert any(0 < sum(variant.stock for variant in product.variants) <= 5 for product in world.products)


def test_no_brand_is_a_known_real_one(world: DemoWorld) -> None:
    words = {word.lower() for product in world.products for word in product.brand.split()}
    assert not words & REAL_BRANDS


def test_titles_and_descriptions_are_filled_in_and_varied(world: DemoWorld) -> None:
    texts = [product.title for product in world.products] + [product.description for product in world.products]
    assert not [text for text in texts if re.search(r"[{}]|None|\s{2}", text) or not text]
    assert len({product.title for product in world.products}) > 0.95 * len(world.products)
    assert len({product.description for product in world.products}) > 0.95 * len(world.products)
    assert all(
        product.brand in search_text(product) and product.title in search_text(product) for product in world.products
    )


def test_nothing_points_to_what_is_not_there(world: DemoWorld) -> None:
    sellers = {seller.seller_id for seller in world.sellers}
    buyers = {buyer.user_id: buyer for buyer in world.buyers}
    offers = {
        (product.product_id, variant.variant_id, product.seller_id, product.title)
        for product in world.products
        for variant in product.variants
    }
    assert {product.seller_id for product in world.products} == sellers
    for order in world.orders:
        assert order.address == buyers[order.user_id].address
        assert 1 <= len(order.lines) <= 4
        assert len({line.variant_id for line in order.lines}) == len(order.lines)
        assert {(line.product_id, line.variant_id, line.seller_id, line.title) for line in order.lines} <= offers
        assert order.subtotal == sum(line.price * line.qty for line in order.lines) > 0


def test_no_order_is_older_than_its_products_or_its_buyer(world: DemoWorld) -> None:
    products = {product.product_id: product.created_at for product in world.products}
    buyers = {buyer.user_id: buyer.created_at for buyer in world.buyers}
    for order in world.orders:
        assert buyers[order.user_id] < order.created_at
        assert all(products[line.product_id] < order.created_at for line in order.lines)


def test_steps_of_an_order_follow_each_other_and_never_lie_ahead(world: DemoWorld) -> None:
    for order in world.orders:
        moments = moments_of(order)
        assert moments == sorted(moments)
        assert moments[-1] <= NOW
        assert NOW - timedelta(days=185) <= order.created_at
        assert order.paid_at is None or order.created_at <= order.paid_at <= NOW


def test_status_and_times_agree(world: DemoWorld) -> None:
    for order in world.orders:
        assert (order.cancelled_at is not None) == (order.status == "cancelled")
        assert (order.expired_at is not None) == (order.status == "expired")
        assert (order.returned_at is not None) == (order.status == "returned")
        assert (order.delivered_at is not None) == (order.status in {"delivered", "returned"})
        assert (order.shipped_at is not None) == (order.status in {"shipped", "delivered", "returned"})
        assert (order.paid_at is None) == (order.payment_status == "unpaid")
        if order.payment_method == "cod":
            assert order.status != "expired"
            assert order.paid_at == order.delivered_at


def test_outcomes_and_payment_methods_come_in_believable_shares(world: DemoWorld) -> None:
    status = Counter(order.status for order in world.orders)
    method = Counter(order.payment_method for order in world.orders)
    total = len(world.orders)
    assert status["delivered"] / total > 0.8
    assert 0.04 < status["cancelled"] / total < 0.08
    assert 0.025 < status["returned"] / total < 0.06
    assert 0 < status["expired"] / total < 0.03
    assert status["confirmed"]
    assert status["shipped"]
    assert method.most_common(2)[0][0] == "upi"
    assert method.most_common(2)[1][0] == "cod"
    assert len(method) == 6


def test_the_weeks_around_diwali_stand_out(world: DemoWorld) -> None:
    weeks = Counter((NOW.date() - order.created_at.astimezone(IST).date()).days // 7 for order in world.orders)
    usual = median(weeks.values())
    assert all(weeks[back] >= 1.5 * usual for back in (2, 3, 4))


def test_weekends_sell_more_than_working_days(world: DemoWorld) -> None:
    days = Counter(order.created_at.astimezone(IST).weekday() for order in world.orders)
    assert (days[5] + days[6]) / 2 > 1.1 * sum(days[day] for day in range(5)) / 5


def test_popularity_has_a_long_tail(world: DemoWorld) -> None:
    sold = Counter(line.product_id for order in world.orders for line in order.lines)
    top = sum(count for _, count in sold.most_common(len(world.products) // 10))
    assert top > 0.35 * sum(sold.values())
    assert len(sold) > 0.4 * len(world.products)


def test_reviews_follow_a_delivery_and_come_once_per_buyer_and_product(world: DemoWorld) -> None:
    orders = {order.order_id: order for order in world.orders}
    counts = {product.product_id: product.rating_count for product in world.products}
    for review in world.reviews:
        order = orders[review.order_id]
        assert order.user_id == review.user_id
        assert review.product_id in {line.product_id for line in order.lines}
        assert order.delivered_at is not None
        assert order.delivered_at < review.created_at <= NOW
        assert 1 <= review.rating <= 5
        assert review.text
    assert len({(review.user_id, review.product_id) for review in world.reviews}) == len(world.reviews)
    written = Counter(review.product_id for review in world.reviews)
    assert all(count <= counts[product_id] for product_id, count in written.items())


@pytest.mark.parametrize("day", [datetime(2026, 2, 1, tzinfo=UTC), datetime(2027, 6, 30, 23, 59, tzinfo=UTC)])
def test_any_day_of_the_year_will_do(day: datetime) -> None:
    world = generate(1, day, orders=400)
    assert len(world.orders) == 400
    assert all(moments_of(order)[-1] <= day for order in world.orders)
