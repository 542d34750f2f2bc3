import time

import pytest

from services.catalog.models.suggestions import Offered, Suggestions
from services.contracts.catalog import ProductPatch
from tests.services.catalog.conftest import SELLER, World


async def _suggested(world: World, q: str, **params: object) -> list[tuple[str, str]]:
    answer = await world.api.get("/products/suggest", params={"q": q, **params})
    assert answer.status_code == 200, answer.text
    return [(item["kind"], item["text"]) for item in answer.json()["items"]]


async def test_the_beginning_of_any_word_completes_categories_brands_and_titles(world: World) -> None:
    await world.offer(title="Trail shoe", brand="Snowline", category="Shoes > Sneakers")
    await world.offer(title="Café snack box", brand="Acme", category="Kitchen")
    assert await _suggested(world, "SN") == [
        ("brand", "Snowline"),
        ("category", "Shoes > Sneakers"),
        ("title", "Café snack box"),
    ]
    assert await _suggested(world, "trail  sh") == [("title", "Trail shoe")]
    assert await _suggested(world, "cafe") == [("title", "Café snack box")]
    assert await _suggested(world, "nothing") == await _suggested(world, " ") == []
    assert len(await _suggested(world, "s", limit=2)) == 2


async def test_completions_follow_what_happens_to_products(world: World) -> None:
    view = await world.offer(title="Kettle", brand="Acme")
    assert await _suggested(world, "ket") == [("title", "Kettle")]
    await world.catalog.update(SELLER, view.product_id, ProductPatch(title="Teapot"))
    await world.settle()
    assert (await _suggested(world, "ket"), await _suggested(world, "tea")) == ([], [("title", "Teapot")])
    other = await world.offer(title="Kettle two", brand="Acme")
    await world.catalog.archive(SELLER, view.product_id)
    await world.settle()
    assert await _suggested(world, "a") == [("brand", "Acme")]
    await world.catalog.archive(SELLER, other.product_id)
    await world.settle()
    assert await _suggested(world, "a") == []


async def test_drafts_are_never_suggested_and_a_title_names_its_product(world: World) -> None:
    await world.offer(title="Lamp in the works", status="draft")
    view = await world.offer(title="Lamp")
    answer = await world.api.get("/products/suggest", params={"q": "lamp"})
    assert answer.json()["items"] == [{"text": "Lamp", "kind": "title", "productId": view.product_id}]


async def test_what_another_process_changed_is_there_after_a_refresh(world: World) -> None:
    await world.catalog.suggest("a")
    await world.catalog.create(SELLER, _kettle())
    await world.catalog.refresh_suggestions()
    assert await _suggested(world, "ket") == [("title", "Kettle")]


def _kettle():
    from tests.services.catalog.conftest import product_in

    return product_in(title="Kettle")


async def test_a_senseless_limit_is_refused(world: World) -> None:
    assert (await world.api.get("/products/suggest", params={"limit": 21})).status_code == 422
    assert (await world.api.get("/products/suggest", params={"q": "x" * 101})).status_code == 422


@pytest.mark.full
def test_twenty_thousand_products_are_completed_within_five_milliseconds() -> None:
    offered = [Offered(f"prd_{n}", f"Running shoe {n % 997} of colour {n}", f"Brand {n % 300}", f"Shoes > Kind {n % 80}", n % 7) for n in range(20_000)]  # fmt: skip  # noqa: E501
    suggestions = Suggestions()
    suggestions.put(offered)
    times = []
    for typed in ("r", "running sh", "bra", "shoe 99", "k") * 5:
        started = time.thread_time()
        assert suggestions.complete(typed, 10)
        times.append(time.thread_time() - started)
    assert sorted(times)[len(times) // 2] < 0.005
