import asyncio

import pytest

from services.contracts.catalog import CursorInvalid, ProductPatch, ProductQuery
from tests.services.catalog.conftest import OTHER_SELLER, SELLER, World, line


def _shoe(title: str, *variants: tuple[str, str, int, int], **fields: object) -> dict[str, object]:
    """Variants as (colour, size, rupees, stock)."""
    return {
        "title": title,
        "variants": [
            {"options": {"Color": colour, "Size": size}, "price": price, "stock": stock}
            for colour, size, price, stock in variants
        ],
        **fields,
    }


async def _titles(world: World, **query: object) -> list[str]:
    page = await world.catalog.search(ProductQuery(**query))
    return [card.title for card in page.items]


async def _all(world: World, limit: int, **query: object) -> list[str]:
    """Every product id, page by page."""
    found: list[str] = []
    cursor = None
    while True:
        page = await world.catalog.search(ProductQuery(limit=limit, cursor=cursor, **query))
        found += [card.product_id for card in page.items]
        cursor = page.next_cursor
        if cursor is None:
            return found
        assert len(page.items) == limit


async def test_colour_size_price_and_stock_hold_for_one_variant(world: World) -> None:
    await world.offer(**_shoe("Mixed", ("Red", "8", 2500, 3), ("Blue", "8", 1500, 3), ("Red", "9", 1500, 0)))
    await world.offer(**_shoe("Right", ("Red", "8", 1800, 3), ("Blue", "9", 900, 3)))
    assert set(await _titles(world, in_stock=False)) == {"Mixed", "Right"}

    assert await _titles(world, colour=("red",), size=("8",), max_price=200_000, in_stock=True) == ["Right"]
    assert set(await _titles(world, colour=("RED",), size=("8",))) == {"Mixed", "Right"}
    assert await _titles(world, colour=("red",), size=("9",), in_stock=True) == []


async def test_the_price_of_a_card_is_the_lowest_that_matches(world: World) -> None:
    await world.offer(**_shoe("Mixed", ("Red", "8", 2500, 3), ("Red", "9", 2200, 4), ("Blue", "8", 1500, 3)))
    [red] = (await world.catalog.search(ProductQuery(colour=("red",)))).items
    [any_colour] = (await world.catalog.search(ProductQuery())).items
    assert (red.price.amount, red.available) == (220_000, 7)
    assert (any_colour.price.amount, any_colour.available) == (150_000, 10)
    assert any_colour.colours == ("Red", "Blue")


@pytest.mark.parametrize("asked", ["sneakers", "Sneaker", "SHOES", "shoes > sneakers", "Shoes>Sneakers"])
async def test_a_category_is_found_by_its_name_and_its_path(world: World, asked: str) -> None:
    await world.offer(title="Runner", category="Shoes > Sneakers")
    await world.offer(title="Kettle", category="Kitchen > Kettles")
    assert await _titles(world, category=asked) == ["Runner"]


async def test_colours_are_found_by_their_words_and_both_spellings(world: World) -> None:
    await world.offer(title="Shirt", attributes={"colour": "Navy Blue"})
    await world.offer(title="Coat", attributes={"Color": "Gray"})
    assert await _titles(world, colour=("blue",)) == ["Shirt"]
    assert await _titles(world, colour=("grey",)) == ["Coat"]


async def test_what_is_excluded_stays_out(world: World) -> None:
    await world.offer(**_shoe("Both", ("Red", "8", 2500, 3), ("Blue", "8", 1500, 3), brand="Acme"))
    await world.offer(**_shoe("Red only", ("Red", "8", 2500, 3), brand="Zeta"))
    assert await _titles(world, exclude={"colour": ("red",)}) == ["Both"]
    assert await _titles(world, exclude={"brand": ("ACME",)}) == ["Red only"]


async def test_an_excluded_attribute_stays_out(world: World) -> None:
    await world.offer(title="Boot", attributes={"Material": "Genuine Leather"})
    await world.offer(title="Clog", attributes={"Material": "Rubber"})
    await world.offer(title="Sock")
    assert set(await _titles(world, exclude={"material": ("leather",)})) == {"Clog", "Sock"}


async def test_brand_seller_and_rating_narrow_the_list(world: World) -> None:
    await world.offer(title="Ours", brand="Acme")
    await world.offer(OTHER_SELLER, title="Theirs", brand="Zeta")
    assert await _titles(world, brand=("acme",)) == ["Ours"]
    assert await _titles(world, seller_id=OTHER_SELLER.seller_id) == ["Theirs"]
    assert await _titles(world, min_rating=4.0) == []


async def test_prices_sort_by_the_variant_that_answers(world: World) -> None:
    await world.offer(**_shoe("A", ("Red", "8", 3000, 1), ("Blue", "8", 100, 1)))
    await world.offer(**_shoe("B", ("Red", "8", 1000, 1), ("Blue", "8", 9000, 1)))
    await world.offer(**_shoe("C", ("Red", "8", 2000, 1)))
    for limit in (1, 2, 20):
        pages = {}
        for sort in ("price_asc", "price_desc"):
            ids = await _all(world, limit, sort=sort, colour=("red",))
            pages[sort] = [card.title for card in await world.catalog.many(ids)]
        assert pages == {"price_asc": ["B", "C", "A"], "price_desc": ["A", "C", "B"]}


@pytest.mark.parametrize("sort", ["relevance", "price_asc", "price_desc", "rating", "newest"])
@pytest.mark.parametrize("q", ["", "shoe"])
async def test_paging_reaches_every_product_once(world: World, sort: str, q: str) -> None:
    made = [await world.catalog.create(SELLER, _product(number)) for number in range(23)]
    await world.settle()
    found = await _all(world, 5, sort=sort, q=q)
    assert sorted(found) == sorted(view.product_id for view in made)


def _product(number: int):
    from tests.services.catalog.conftest import product_in

    return product_in(title=f"Shoe {number}", price=100 * (number % 4 + 1), stock=number % 3)


async def test_pages_by_number_are_the_pages_by_cursor(world: World) -> None:
    for number in range(7):
        await world.catalog.create(SELLER, _product(number))
    await world.settle()
    by_cursor = await _all(world, 3, sort="price_asc")
    by_number = [
        card.product_id
        for page in (1, 2, 3)
        for card in (await world.catalog.search(ProductQuery(limit=3, page=page, sort="price_asc"))).items
    ]
    assert by_number == by_cursor
    assert (await world.catalog.search(ProductQuery(limit=3, page=4, sort="price_asc"))).items == ()


@pytest.mark.parametrize("cursor", ["x", "!!", "W10", "WyJwcmljZV9hc2MiLDEsMl0", "e30"])
async def test_a_foreign_cursor_is_refused(world: World, cursor: str) -> None:
    for query in (ProductQuery(cursor=cursor), ProductQuery(cursor=cursor, q="shoe", sort="rating")):
        with pytest.raises(CursorInvalid):
            await world.catalog.search(query)


async def test_a_cursor_of_another_sort_is_refused(world: World) -> None:
    for number in range(3):
        await world.catalog.create(SELLER, _product(number))
    await world.settle()
    cursor = (await world.catalog.search(ProductQuery(limit=1, sort="newest"))).next_cursor
    with pytest.raises(CursorInvalid):
        await world.catalog.search(ProductQuery(limit=1, sort="price_asc", cursor=cursor))


async def test_words_find_titles_and_the_best_match_comes_first(world: World) -> None:
    await world.offer(title="Steel kettle", category="Kitchen > Kettles")
    await world.offer(title="Red trail shoe")
    assert (await _titles(world, q="red trail shoe"))[0] == "Red trail shoe"
    assert await _titles(world, q="kettle", category="shoes") == []


async def test_what_the_index_does_not_know_yet_is_checked_in_the_documents(world: World) -> None:
    dear, sold_out, gone, kept = [await world.offer(title=title, price=100, stock=1) for title in "ABCD"]
    await world.catalog.update(SELLER, dear.product_id, ProductPatch(price=900))
    await world.catalog.reserve("ord_1", [line(sold_out.variants[0].variant_id)])
    await world.catalog.archive(SELLER, gone.product_id)

    page = await world.catalog.search(ProductQuery(max_price=50_000, in_stock=True, limit=2, sort="price_asc"))

    assert [card.product_id for card in page.items] == [kept.product_id]
    assert page.next_cursor is None


async def test_after_its_events_the_index_lists_what_the_documents_say(world: World) -> None:
    view = await world.offer(title="Shoe", price=100, stock=1)
    await world.catalog.reserve("ord_1", [line(view.variants[0].variant_id)])
    await world.catalog.flush_inventory()
    await world.settle()
    assert await _titles(world, in_stock=True) == []
    await world.catalog.release("ord_1", [line(view.variants[0].variant_id)])
    await world.catalog.flush_inventory()
    await world.settle()
    assert await _titles(world, in_stock=True) == ["Shoe"]


async def test_drafts_and_archived_products_are_not_listed(world: World) -> None:
    await world.offer(title="Draft", status="draft")
    view = await world.offer(title="Archived")
    await world.catalog.archive(SELLER, view.product_id)
    await world.settle()
    assert await _titles(world) == []
    own = await world.catalog.of_seller(SELLER, 20, None)
    archived = await world.catalog.of_seller(SELLER, 20, None, "archived")
    assert [card.title for card in own.items] == ["Draft"]
    assert [card.title for card in archived.items] == ["Archived"]
    assert (await world.catalog.of_seller(OTHER_SELLER, 20, None)).items == ()


async def test_facets_count_products_under_one_spelling(world: World) -> None:
    await world.offer(title="A", brand="Acme", attributes={"colour": "Red"})
    await world.offer(title="B", brand="acme", attributes={"colour": "Blue"})
    await world.offer(title="C", brand="ACME", attributes={"colour": "red"}, category="Kitchen")
    for q in ("", "acme"):
        page = await world.catalog.search(ProductQuery(q=q, facets=True))
        [brand] = page.facets["brand"]
        assert (brand.value.lower(), brand.count) == ("acme", 3)
        assert {(f.value.lower(), f.count) for f in page.facets["colour"]} == {("red", 2), ("blue", 1)}
        assert page.facets["category"][0].value == "Shoes > Sneakers"


async def test_the_vocabulary_holds_the_words_of_live_products(world: World) -> None:
    await world.offer(brand="Acme", attributes={"colour": "Red", "size": "8"})
    await world.offer(brand="Hidden", status="draft")
    words = await world.catalog.vocabulary()
    assert (words.brands, words.colours, words.sizes) == (("Acme",), ("Red",), ("8",))
    assert words.categories == ("Shoes > Sneakers",)


async def test_similar_products_are_live_and_leave_out_the_one_asked_about(world: World) -> None:
    first, _, gone = [await world.offer(title=f"Red shoe {name}") for name in "ABC"]
    await world.catalog.archive(SELLER, gone.product_id)
    assert [card.title for card in await world.catalog.similar(first.product_id)] == ["Red shoe B"]


async def test_cards_come_in_the_order_asked_without_what_is_gone(world: World) -> None:
    first, second = await world.offer(title="A"), await world.offer(title="B")
    cards = await world.catalog.many([second.product_id, "prd_unknown", first.product_id])
    assert [card.title for card in cards] == ["B", "A"]


async def test_an_empty_index_is_made_again_from_the_documents(world: World) -> None:
    views = [await world.offer(title=title) for title in "ABC"]
    await world.index.delete([view.product_id for view in views])
    assert await _titles(world) == []
    assert await world.catalog.repair_index() == 3
    assert sorted(await _titles(world)) == ["A", "B", "C"]
    assert await world.catalog.repair_index() == 0


async def test_the_inventory_loop_tells_each_change_without_being_asked(world: World) -> None:
    view = await world.offer(stock=5)
    loop = asyncio.create_task(world.catalog.inventory_loop(poll_seconds=60, gather_seconds=0))
    await world.catalog.reserve("ord_1", [line(view.variants[0].variant_id)])
    async with asyncio.timeout(10):
        while not world.bus.of("inventory.updated"):
            await world.settle()
            await asyncio.sleep(0.01)
    loop.cancel()
    assert world.bus.of("inventory.updated")[0].data["available"] == 4


async def test_each_facet_counts_what_asking_for_it_too_gives(world: World) -> None:
    await world.offer(**_shoe("A", ("Red", "8", 450, 1), ("Blue", "9", 1200, 1)), brand="Acme")
    await world.offer(**_shoe("B", ("Red", "9", 1200, 0), ("Green", "8", 450, 4)), brand="Zeta")
    await world.offer(**_shoe("C", ("Blue", "8", 30_000, 2)), brand="Acme", category="Shoes > Boots")
    asked: list[dict[str, object]] = [
        {}, {"size": "8"}, {"inStock": True}, {"maxPrice": 1000}, {"colour": "red", "size": "9"}, {"q": "shoes"},
        {"q": "shoes", "size": "8"}, {"q": "shoes", "maxPrice": 1000}, {"brand": "acme", "minPrice": "500"},
    ]  # fmt: skip
    for params in asked:
        page = (await world.api.get("/products", params={**params, "facets": True})).json()
        assert set(page["facets"]) == {"category", "brand", "colour", "size", "price"}
        for name, values in page["facets"].items():
            if name not in params and not (name == "price" and {"minPrice", "maxPrice"} & set(params)):
                for facet in values:
                    narrowed = await world.api.get("/products", params={**params, **_asking_for(name, facet["value"])})
                    assert facet["count"] == len(narrowed.json()["items"]), (params, name, facet)


def _asking_for(facet: str, value: str) -> dict[str, str]:
    if facet != "price":
        return {facet: value}
    low, _, high = value.partition("-")
    return {"minPrice": low, **({"maxPrice": high} if high else {})}


async def test_facets_come_only_when_asked_for(world: World) -> None:
    await world.offer()
    assert (await world.api.get("/products")).json()["facets"] is None
