import asyncio

import orjson
import pytest

from services.contracts.catalog import (
    ExternalIdTaken,
    ProductPatch,
    SellerNotApproved,
    SkuTaken,
    VariantRequired,
)
from services.kit.errors import Invalid, NotFound
from services.kit.idempotency import command_key
from tests.services.catalog.conftest import BUYER, OTHER_SELLER, PENDING_SELLER, SELLER, World, line, product_in

AS_SELLER = {"x-as": "seller"}
NEW = {"name": "<b>Red</b> shoe", "price": "1999.50", "category": "Shoes>Sneakers", "stock": 4}


async def test_a_created_product_is_shown_and_listed(world: World) -> None:
    made = await world.api.post("/products", json=NEW, headers=AS_SELLER)
    await world.settle()
    assert made.status_code == 201
    body = made.json()
    assert (body["title"], body["price"], body["category"]) == (
        "Red shoe",
        {"amount": 199950, "currency": "INR"},
        "Shoes > Sneakers",
    )
    shown = (await world.api.get(f"/products/{body['productId']}")).json()
    assert shown == body
    assert shown["seller"] == {"sellerId": SELLER.seller_id, "name": "Shop a"}
    [card] = (await world.api.get("/products", params={"maxPrice": "2000"})).json()["items"]
    assert card["productId"] == body["productId"]


async def test_list_parameters_are_rupees_and_both_spellings_of_colour(world: World) -> None:
    await world.offer(title="Cheap", price=500, attributes={"colour": "Red"})
    await world.offer(title="Dear", price=1500, attributes={"colour": "Blue"})

    async def titles(**params: object) -> list[str]:
        answer = await world.api.get("/products", params=params)
        assert answer.status_code == 200, answer.text
        return [item["title"] for item in answer.json()["items"]]

    assert await titles(maxPrice="999.99") == ["Cheap"]
    assert await titles(minPrice=1000) == ["Dear"]
    assert await titles(color="RED") == await titles(colour="red") == ["Cheap"]
    assert await titles(sort="-price") == ["Dear", "Cheap"]
    assert await titles(query="dear") == await titles(q="dear") == ["Dear"]
    assert await titles(inStock="true") == []


@pytest.mark.parametrize(
    "params",
    [{"limit": 0}, {"limit": 101}, {"minPrice": "-1"}, {"maxPrice": "1.999"}, {"sort": "magic"}, {"cursor": "zzz"},
     {"minPrice": 9, "maxPrice": 8}, {"minRating": 6}, {"q": "x" * 501}],
)  # fmt: skip
async def test_a_senseless_question_is_refused_with_a_problem(world: World, params: dict[str, object]) -> None:
    answer = await world.api.get("/products", params=params)
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"


async def test_an_unchanged_product_answers_304_and_a_changed_one_does_not(world: World) -> None:
    view = await world.offer(stock=5)
    first = await world.api.get(f"/products/{view.product_id}")
    etag = first.headers["etag"]
    again = await world.api.get(f"/products/{view.product_id}", headers={"If-None-Match": f'"other", W/{etag}'})
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", etag)
    assert "no-cache" in first.headers["cache-control"]

    await world.catalog.reserve("ord_1", [line(view.variants[0].variant_id)])
    changed = await world.api.get(f"/products/{view.product_id}", headers={"If-None-Match": etag})
    assert (changed.status_code, changed.json()["available"]) == (200, 4)


async def test_price_and_stock_are_shown_at_once_through_the_cache(world: World) -> None:
    view = await world.offer(stock=5, price=100)
    variant_id = view.variants[0].variant_id

    async def shown() -> tuple[int, int]:
        body = (await world.api.get(f"/products/{view.product_id}")).json()
        return body["price"]["amount"], body["variants"][0]["available"]

    assert await shown() == (10_000, 5)
    await world.catalog.update(SELLER, view.product_id, ProductPatch(price="150"))
    assert await shown() == (15_000, 5)
    await world.catalog.reserve("ord_1", [line(variant_id, 2)])
    assert await shown() == (15_000, 3)
    await world.catalog.release("ord_1", [line(variant_id, 2)])
    assert await shown() == (15_000, 5)
    await world.catalog.reserve("ord_2", [line(variant_id, 1)])
    await world.catalog.commit("ord_2", [line(variant_id, 1)])
    await world.catalog.restock("ord_2", [line(variant_id, 1)])
    assert await shown() == (15_000, 5)


async def test_an_archived_product_is_gone_at_once_and_stays_for_its_seller(world: World) -> None:
    view = await world.offer()
    path = f"/products/{view.product_id}"
    assert (await world.api.get(path)).status_code == 200
    assert [(await world.api.delete(path, headers=AS_SELLER)).status_code for _ in range(2)] == [204, 204]
    assert (await world.api.get(path)).status_code == 404
    assert (await world.api.get("/products")).json()["items"] == []
    assert (await world.api.get(path, headers=AS_SELLER)).json()["status"] == "archived"
    await world.settle()
    assert len(world.bus.of("product.deleted")) == 1


async def test_a_draft_is_there_for_its_seller_only(world: World) -> None:
    view = await world.offer(status="draft")
    path = f"/products/{view.product_id}"
    statuses = [
        (await world.api.get(path, headers={"x-as": who})).status_code for who in ("", "buyer", "other", "seller")
    ]
    assert statuses == [404, 404, 404, 200]


async def test_not_yours_reads_like_not_there(world: World) -> None:
    view = await world.offer()
    other = {"x-as": "other"}
    for path in (f"/products/{view.product_id}", "/products/prd_unknown"):
        refused = await world.api.patch(path, json={"price": 1}, headers=other)
        deleted = await world.api.delete(path, headers=other)
        assert (refused.status_code, deleted.status_code) == (404, 404)
        assert refused.json()["detail"] == deleted.json()["detail"] == "no such product"


async def test_only_approved_sellers_offer_products(world: World) -> None:
    statuses = {
        who: (await world.api.post("/products", json=NEW, headers={"x-as": who})).status_code
        for who in ("", "buyer", "pending", "seller")
    }
    assert statuses == {"": 401, "buyer": 403, "pending": 403, "seller": 201}
    with pytest.raises(SellerNotApproved):
        await world.catalog.create(PENDING_SELLER, product_in())
    with pytest.raises(SellerNotApproved):
        await world.catalog.create(BUYER, product_in())


async def test_own_products_are_reached_before_the_parameter_route(world: World) -> None:
    await world.offer(title="Ours")
    await world.offer(OTHER_SELLER, title="Theirs")
    answer = await world.api.get("/products/seller", headers=AS_SELLER)
    assert [item["title"] for item in answer.json()["items"]] == ["Ours"]
    assert (await world.api.get("/products/seller")).status_code == 401


@pytest.mark.parametrize(
    "broken",
    [{"price": -1}, {"price": "1.234"}, {"stock": -1}, {"title": ""}, {"title": "<i></i>"}, {"category": " > "},
     {"stock": 10**9}, {"description": "x" * 65_536}, {"images": ["javascript:alert(1)"]},
     {"variants": [{"sku": "A"}, {"sku": "A", "options": {"size": "2"}}]},
     {"variants": [{"options": {"size": "M"}}, {"options": {"Size": "m"}}]}],
)  # fmt: skip
async def test_a_broken_product_is_refused_whole(world: World, broken: dict[str, object]) -> None:
    body = {"title": "T", "price": 1, "category": "C", **broken}
    answer = await world.api.post("/products", content=orjson.dumps(body), headers=AS_SELLER)
    assert answer.status_code == 422, answer.text
    await world.settle()
    assert world.bus.seen == []


async def test_the_same_key_creates_once(world: World) -> None:
    headers = {**AS_SELLER, "Idempotency-Key": "k1"}
    answers = [await world.api.post("/products", json=NEW, headers=headers) for _ in range(2)]
    assert answers[0].content == answers[1].content
    assert answers[1].headers["idempotent-replayed"] == "true"
    other = await world.api.post("/products", json={**NEW, "stock": 5}, headers=headers)
    assert other.json()["code"] == "idempotency_conflict"
    key = command_key("s", "k2", {})
    made = [await world.catalog.create(SELLER, product_in(), key) for _ in range(2)]
    assert made[0].product_id == made[1].product_id


async def test_skus_and_external_ids_are_a_sellers_own(world: World) -> None:
    await world.offer(variants=[{"sku": "A-1", "stock": 1}], external_id="x1")
    await world.offer(OTHER_SELLER, variants=[{"sku": "A-1", "stock": 1}], external_id="x1")
    with pytest.raises(SkuTaken):
        await world.catalog.create(SELLER, product_in(variants=[{"sku": "A-1"}]))
    with pytest.raises(ExternalIdTaken):
        await world.catalog.create(SELLER, product_in(external_id="x1"))


async def test_a_patch_changes_what_it_names_and_is_told_once(world: World) -> None:
    view = await world.offer(description="old", attributes={"a": "1", "b": True, "c": 2.0})
    assert view.attributes == {"a": "1", "b": "yes", "c": "2"}
    patched = await world.catalog.update(SELLER, view.product_id, ProductPatch(description="new", price=5))
    await world.catalog.update(SELLER, view.product_id, ProductPatch(description="new", price=5))
    await world.settle()
    assert (patched.description, patched.price.amount, patched.title, patched.version) == ("new", 500, view.title, 2)
    [told] = world.bus.of("product.updated")
    assert told.data["fields"] == ["description", "price"]
    assert told.sequence == 2


async def test_price_and_stock_of_several_variants_need_the_variant_named(world: World) -> None:
    view = await world.offer(variants=[{"options": {"size": "8"}}, {"options": {"size": "9"}}])
    second = view.variants[1].variant_id
    with pytest.raises(Invalid):
        await world.catalog.update(SELLER, view.product_id, ProductPatch(price=5))
    foreign = ProductPatch.model_validate({"variants": [{"variantId": "var_other", "stock": 1}]})
    with pytest.raises(Invalid):
        await world.catalog.update(SELLER, view.product_id, foreign)
    patch = ProductPatch.model_validate({"variants": [{"variantId": second, "stock": 7, "price": 5}]})
    patched = await world.catalog.update(SELLER, view.product_id, patch)
    assert [(v.available, v.price.amount) for v in patched.variants] == [(0, 199_900), (7, 500)]


async def test_changes_at_the_same_moment_all_count(world: World) -> None:
    view = await world.offer()
    patches = [ProductPatch(title="New"), ProductPatch(description="New"), ProductPatch(stock=9)]
    await asyncio.gather(*(world.catalog.update(SELLER, view.product_id, patch) for patch in patches))
    now = await world.catalog.get(view.product_id)
    assert (now.title, now.description, now.available, now.version) == ("New", "New", 9, 4)


async def test_lines_are_priced_from_the_documents(world: World) -> None:
    view = await world.offer(price=100, stock=3, brand="Acme", images=["/media/a.svg"])
    variant_id = view.variants[0].variant_id
    priced = await world.catalog.price([variant_id, "var_unknown"])
    assert set(priced) == {variant_id}
    found = priced[variant_id]
    assert (found.price.amount, found.available, found.active, found.image) == (10_000, 3, True, "/media/a.svg")
    await world.catalog.archive(SELLER, view.product_id)
    assert (await world.catalog.price([variant_id]))[variant_id].active is False


async def test_several_variants_ask_which_one_and_offer_those_with_stock(world: World) -> None:
    single = await world.offer(stock=1)
    sizes = [("8", 2), ("9", 0), ("10", 1)]
    several = await world.offer(variants=[{"options": {"size": size}, "stock": stock} for size, stock in sizes])
    assert (await world.catalog.sole_variant(single.product_id)).variant_id == single.variants[0].variant_id
    with pytest.raises(VariantRequired) as asked:
        await world.catalog.sole_variant(several.product_id)
    assert [option["options"] for option in asked.value.details["options"]] == [{"size": "8"}, {"size": "10"}]
    with pytest.raises(NotFound):
        await world.catalog.sole_variant("prd_unknown")


async def test_the_price_to_compare_with_is_rupees_too(world: World) -> None:
    made = await world.api.post("/products", json={**NEW, "compareAtPrice": 2500}, headers=AS_SELLER)
    assert made.json()["compareAtPrice"]["amount"] == 250_000
