import pytest

from services.contracts.catalog import ProductGone, ProductPatch
from tests.services.catalog.conftest import SELLER, World, line

AS_SELLER = {"x-as": "seller"}


async def _delete(world: World, product_id: str, who: str = "seller"):
    return await world.api.delete(f"/products/{product_id}", params={"hard": True}, headers={"x-as": who})


async def test_a_product_nobody_ordered_can_be_deleted_for_good(world: World) -> None:
    view = await world.offer(stock=3, variants=[{"sku": "A", "stock": 1}])
    assert (await _delete(world, view.product_id)).status_code == 204
    assert (await world.api.get(f"/products/{view.product_id}", headers=AS_SELLER)).status_code == 404
    assert await world.catalog.price([view.variants[0].variant_id]) == {}
    await world.settle()
    assert (await world.catalog.of_seller(SELLER, 5, None, "archived")).items == ()
    assert (await world.catalog.index_status()).points == 0
    await world.offer(variants=[{"sku": "A", "stock": 1}])
    assert (await _delete(world, view.product_id)).status_code == 404


async def test_an_ordered_product_is_kept(world: World) -> None:
    view = await world.offer()
    world.orders.ordered.add(view.product_id)
    refused = await _delete(world, view.product_id)
    assert (refused.status_code, refused.json()["code"]) == (409, "product_ordered")
    assert (await world.api.get(f"/products/{view.product_id}")).status_code == 200


async def test_a_product_that_is_being_ordered_is_archived_at_most(world: World) -> None:
    view = await world.offer(stock=3)
    held = [line(view.variants[0].variant_id)]
    await world.catalog.reserve("ord_1", held)
    assert (await _delete(world, view.product_id)).json()["code"] == "product_ordered"
    assert (await world.api.get(f"/products/{view.product_id}", headers=AS_SELLER)).json()["status"] == "archived"
    await world.catalog.release("ord_1", held)
    assert (await _delete(world, view.product_id, "other")).status_code == 404
    assert (await _delete(world, view.product_id)).status_code == 204


async def test_products_of_a_suspended_seller_are_hidden_until_it_is_approved_again(world: World) -> None:
    view = await world.offer(title="Kettle", stock=3)
    draft = await world.offer(title="Draft", status="draft", stock=3)
    path, bought = f"/products/{view.product_id}", [line(view.variants[0].variant_id)]
    assert (await world.api.get(path)).status_code == 200
    world.sellers.special[SELLER.seller_id] = "suspended"
    assert await world.catalog.refresh_seller(SELLER.seller_id) == 2
    await world.settle()

    assert (await world.api.get(path)).status_code == 404
    assert (await world.api.get("/products")).json()["items"] == []
    assert (await world.api.get("/products/suggest", params={"q": "ket"})).json()["items"] == []
    with pytest.raises(ProductGone):
        await world.catalog.reserve("ord_1", bought)
    for status in ("draft", "active"):
        await world.catalog.update(SELLER, view.product_id, ProductPatch(status=status))
    with pytest.raises(ProductGone):
        await world.catalog.reserve("ord_1", bought)
    own = (await world.api.get("/products/seller", params={"status": "active"}, headers=AS_SELLER)).json()["items"]
    assert [item["title"] for item in own] == ["Kettle"]

    world.sellers.special[SELLER.seller_id] = "approved"
    assert await world.catalog.refresh_seller(SELLER.seller_id) == 2
    assert await world.catalog.refresh_seller(SELLER.seller_id) == 0
    await world.settle()
    assert [item["title"] for item in (await world.api.get("/products")).json()["items"]] == ["Kettle"]
    await world.catalog.reserve("ord_1", bought)
    with pytest.raises(ProductGone):
        await world.catalog.reserve("ord_2", [line(draft.variants[0].variant_id)])


async def test_a_new_name_of_the_shop_is_shown_after_a_refresh(world: World) -> None:
    view = await world.offer()
    path = f"/products/{view.product_id}"
    assert (await world.api.get(path)).json()["seller"]["name"] == "Shop a"
    world.sellers.renamed = "Bazaar"
    await world.catalog.refresh_seller(SELLER.seller_id)
    assert (await world.api.get(path)).json()["seller"]["name"] == "Bazaar"
