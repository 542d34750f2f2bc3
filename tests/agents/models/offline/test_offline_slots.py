import pytest

from agents.models.offline.slots.grammar import Slots, read_slots
from agents.models.offline.slots.lexicon import Lexicon
from agents.models.offline.slots.purchase import read_address


def searched(text: str, lexicon: Lexicon) -> Slots:
    return read_slots(text, lexicon, "search")


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [
        ("shoes under ₹2,000", None, 2000),
        ("shoes under 2000", None, 2000),
        ("phone below 2k", None, 2000),
        ("laptop under 1.5 lakh", None, 150000),
        ("laptop under 1,50,000", None, 150000),
        ("kurta between 500 and 900", 500, 900),
        ("kurta 500-900", 500, 900),
        ("kurta from 500 to 900", 500, 900),
        ("phone 5-10k", 5000, 10000),
        ("phone 10k to 15k", 10000, 15000),
        ("watch around 1500", 1200, 1800),
        ("below rs 999/-", None, 999),
        ("bag upto 1200", None, 1200),
        ("bag up to Rs. 1,200", None, 1200),
        ("2000 se kam ke joote", None, 2000),
        ("500 ke andar gift", None, 500),
        ("15 hazar tak phone", None, 15000),
        ("do hazar tak", None, 2000),
        ("dhai hazar tak", None, 2500),
        ("paanch sau ke andar", None, 500),
        ("dedh lakh ke andar laptop", None, 150000),
        ("500 se 900 tak", 500, 900),
        ("headphones above 3000", 3000, None),
        ("saree more than 5000 rupees", 5000, None),
        ("5000 se zyada", 5000, None),
        ("gift for 2000 rs", None, 2000),
        ("my budget is 4000", None, 4000),
        ("not more than 700", None, 700),
        ("between 2 and 3 thousand", 2000, 3000),
    ],
)
def test_a_price_is_understood(text: str, low: float | None, high: float | None, lexicon: Lexicon) -> None:
    prices = searched(text, lexicon).prices
    assert (prices.low, prices.high) == (low, high)


@pytest.mark.parametrize(
    "text",
    [
        "a 30 foot hdmi cable",
        "rice under 10 kg",
        "tv above 40 inch",
        "pack of 4",
        "bottle up to 2 litre",
        "speaker with 20 watts",
        "toy for 5 year old",
        "iphone 12 case",
        "size 8 shoes",
        "above 4 stars",
        "under 40 dollars",
    ],
)
def test_a_number_with_another_meaning_is_no_price(text: str, lexicon: Lexicon) -> None:
    assert not searched(text, lexicon).prices.any


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("shoes size 8", "8"),
        ("shoes in uk 9", "9"),
        ("joote 8 number", "8"),
        ("shirt XL", "XL"),
        ("shirt in size medium", "M"),
        ("size m shirt", "M"),
        ("t-shirt double xl", "XXL"),
        ("jeans size 32", "32"),
        ("size 7.5 sandals", "7.5"),
        ("size 14.9 ounce syrup", None),
        ("small table", None),
        ("for my mother's kitchen", None),
    ],
)
def test_a_size_is_understood(text: str, size: str | None, lexicon: Lexicon) -> None:
    assert searched(text, lexicon).size == size


@pytest.mark.parametrize(
    ("text", "category", "brand", "colour", "query"),
    [
        ("red sneakers", "Sneakers", None, "Red", "sneakers"),
        ("sneekers", "Sneakers", None, None, "sneekers"),
        ("tshirt", "T-Shirts", None, None, "tshirt"),
        ("t shirts for men", "T-Shirts", None, None, "t shirts for men"),
        ("kestrovl running shoes", "Running Shoes", "Kestroval", None, "running shoes"),
        ("sky blue kurta", "Kurtas", None, "Sky Blue", "kurta"),
        ("lal joote", "Shoes", None, "Red", "shoes"),
        ("gray jeans", "Jeans", None, "Grey", "jeans"),
        ("charger for my phone", None, None, None, "charger for my phone"),
        ("phone case", None, None, None, "phone case"),
        ("green tea", None, None, None, "green tea"),
        ("bag of coffee beans", None, None, None, "bag of coffee beans"),
        ("can you please show me some watches", "Watches", None, None, "watches"),
        ("i am looking for a dress in black color", "Dresses", None, "Black", "dress"),
        ("mujhe ek phone chahiye", "Phones", None, None, "phone"),
    ],
)
def test_catalogue_words_are_found_with_typos(
    text: str, category: str | None, brand: str | None, colour: str | None, query: str, lexicon: Lexicon
) -> None:
    slots = searched(text, lexicon)
    assert (slots.categories[:1] or (None,))[0] == category
    assert (slots.brands[:1] or (None,))[0] == brand
    assert (slots.colours[:1] or (None,))[0] == colour
    assert slots.query == query


@pytest.mark.parametrize(
    ("text", "exclude"),
    [
        ("handbags not leather", {"material": ["leather"]}),
        ("handbags without leather", {"material": ["leather"]}),
        ("shoes but no red", {"colour": ["Red"]}),
        ("shoes except kestroval", {"brand": ["Kestroval"]}),
        ("anything but black", {"colour": ["Black"]}),
        ("not red or blue", {"colour": ["Red", "Blue"]}),
        ("leather nahi chahiye", {"material": ["leather"]}),
        ("tea without sugar", {}),
        ("not more than 500", {}),
    ],
)
def test_what_is_not_wanted_is_excluded(text: str, exclude: dict[str, list[str]], lexicon: Lexicon) -> None:
    assert searched(text, lexicon).exclude == exclude


@pytest.mark.parametrize(
    ("text", "sort", "rating"),
    [
        ("cheapest phones", "price_asc", None),
        ("sort by price low to high", "price_asc", None),
        ("most expensive watch", "price_desc", None),
        ("best rated headphones", "rating", None),
        ("newest first", "newest", None),
        ("4 stars and up", None, 4.0),
        ("rated above 4.5", None, 4.5),
        ("earbuds 4+ rating", None, 4.0),
        ("sabse sasta pehle", "price_asc", None),
    ],
)
def test_order_and_rating_are_understood(text: str, sort: str | None, rating: float | None, lexicon: Lexicon) -> None:
    slots = searched(text, lexicon)
    assert (slots.sort, slots.rating) == (sort, rating)


@pytest.mark.parametrize(
    ("text", "ordinals", "qty"),
    [
        ("add the second one, two of them", (2,), 2),
        ("add 2 pcs of the third", (3,), 2),
        ("a pair of the first", (1,), 1),
        ("two of the second", (2,), 2),
        ("dusra wala daal do", (2,), None),
        ("teesra wala do piece add kar do", (3,), 2),
        ("add the last one to my cart", (-1,), None),
        ("first and third", (1, 3), None),
        ("the first two", (1, 2), None),
        ("add number 4", (4,), None),
        ("add option 2 x3", (2,), 3),
        ("add a dozen of the first", (1,), 12),
        ("add -1 of the first", (1,), -1),
        ("add 1000000000 of the first", (1,), 1000000000),
    ],
)
def test_places_and_quantities_are_understood(
    text: str, ordinals: tuple[int, ...], qty: int | None, lexicon: Lexicon
) -> None:
    slots = read_slots(text, lexicon, "add")
    assert slots.reference.ordinals == ordinals
    assert slots.quantity.qty == qty


@pytest.mark.parametrize(
    ("text", "qty", "delta"),
    [
        ("make it 3", 3, None),
        ("change the quantity of the bottle to 4", 4, None),
        ("one more of the bottle", None, 1),
        ("increase it by two", None, 2),
        ("one less", None, -1),
        ("2 kar do", 2, None),
        ("ek aur", None, 1),
    ],
)
def test_changes_of_quantity_are_understood(text: str, qty: int | None, delta: int | None, lexicon: Lexicon) -> None:
    quantity = read_slots(text, lexicon, "change").quantity
    assert (quantity.qty, quantity.delta) == (qty, delta)


@pytest.mark.parametrize(
    ("text", "method"),
    [
        ("order with cash on delivery", "cod"),
        ("checkout cod", "cod"),
        ("pay by upi", "razorpay"),
        ("pay online", "razorpay"),
        ("checkout", None),
    ],
)
def test_the_payment_method_is_understood(text: str, method: str | None, lexicon: Lexicon) -> None:
    assert read_slots(text, lexicon).method == method


def test_the_parts_of_an_address_are_told_apart() -> None:
    parts = read_address("Asha Rao, 12 MG Road, Camp, Pune, Maharashtra 411001, <phone:1>")
    assert parts == {
        "name": "Asha Rao",
        "street": "12 MG Road, Camp",
        "city": "Pune",
        "state": "Maharashtra",
        "zip_code": "411001",
        "phone": "<phone:1>",
    }
