"""Whatever happens to a product, what is shown at once afterwards is what the documents say."""

from random import Random

import orjson
import pytest

from services.catalog.models.views import product_view
from services.contracts.catalog import LineIn, ProductPatch, ReviewIn, StockChange
from services.kit.errors import CohortError
from services.kit.principal import Principal
from tests.services.catalog.conftest import SELLER, World

SIZES = [{"options": {"size": size}, "price": 100, "stock": 9} for size in "SM"]


async def _truth(world: World, product_id: str) -> dict | None:
    product = await world.products.find(product_id)
    if not product.live:
        return None
    return orjson.loads(product_view(product, "Shop a").to_json())


class _History:
    def __init__(self, world: World, product_id: str, variants: list[str], draw: Random) -> None:
        self._world, self._id, self._variants, self._draw = world, product_id, variants, draw
        self._order = 0

    async def step(self) -> None:
        steps = (self._price, self._text, self._status, self._stock, self._sale, self._review, self._archive)
        try:
            await self._draw.choice(steps)()
        except CohortError:
            return

    async def _price(self) -> None:
        changed = [{"variantId": self._draw.choice(self._variants), "price": self._draw.randint(1, 500)}]
        await self._world.catalog.update(SELLER, self._id, ProductPatch.model_validate({"variants": changed}))

    async def _text(self) -> None:
        patch = ProductPatch(title=f"Title {self._draw.random()}", images=(f"/{self._draw.random()}.png",))
        await self._world.catalog.update(SELLER, self._id, patch)

    async def _status(self) -> None:
        await self._world.catalog.update(SELLER, self._id, ProductPatch(status=self._draw.choice(["active", "draft"])))

    async def _stock(self) -> None:
        change = StockChange(
            variant_id=self._draw.choice(self._variants), change=self._draw.randint(-3, 6), reason="counted"
        )
        await self._world.catalog.change_stock(SELLER, self._id, change)

    async def _sale(self) -> None:
        self._order += 1
        order, lines = f"ord_{self._order}", [LineIn(variant_id=each, qty=1) for each in self._variants]
        await self._world.catalog.reserve(order, lines)
        if self._draw.random() < 0.6:
            await self._world.catalog.commit(order, lines)
        elif self._draw.random() < 0.5:
            await self._world.catalog.release(order, lines)

    async def _review(self) -> None:
        self._order += 1
        who = Principal(user_id=f"usr_{self._order:032x}", roles=frozenset({"customer"}))
        self._world.orders.received.add((who.user_id, self._id))
        made = await self._world.catalog.review(who, self._id, ReviewIn(rating=self._draw.randint(1, 5)))
        if self._draw.random() < 0.3:
            path = f"/products/{self._id}/reviews/{made.review_id}/moderate"
            await self._world.api.post(path, json={"action": "hide"}, headers={"x-as": "admin"})

    async def _archive(self) -> None:
        await self._world.catalog.archive(SELLER, self._id)
        await self._world.catalog.update(SELLER, self._id, ProductPatch(status="active"))


@pytest.mark.parametrize("seed", [1, 2])
async def test_after_every_change_the_shown_product_is_the_true_one(world: World, seed: int) -> None:
    view = await world.offer(variants=SIZES)
    path, etags = f"/products/{view.product_id}", {}
    history = _History(world, view.product_id, [each.variant_id for each in view.variants], Random(seed))
    for _ in range(30):
        await history.step()
        truth = await _truth(world, view.product_id)
        for _ in range(2):
            shown = await world.api.get(path)
            assert (shown.json() if shown.status_code == 200 else None) == truth
            assert shown.status_code in {200, 404}
        if truth is not None:
            etag = shown.headers["etag"]
            assert etags.setdefault(etag, truth) == truth
            assert (await world.api.get(path, headers={"If-None-Match": etag})).status_code == 304
    assert len(etags) > 10
