import asyncio

from services.contracts.catalog import ProductQuery, ReviewIn
from services.kit.principal import Principal
from tests.services.catalog.conftest import BUYER, SECOND_BUYER, World
from tools.catalogue import tools
from tools.kinds import Call


async def _write(world: World, product_id: str, who: str = "buyer", key: str | None = None, **body: object):
    headers = {"x-as": who, **({"Idempotency-Key": key} if key else {})}
    return await world.api.post(f"/products/{product_id}/reviews", json={"rating": 4, **body}, headers=headers)


async def _reviews(world: World, product_id: str, who: str = "", **params: object) -> dict:
    answer = await world.api.get(f"/products/{product_id}/reviews", params=params, headers={"x-as": who})
    assert answer.status_code == 200, answer.text
    return answer.json()


async def _received(world: World, *buyers: Principal, **fields: object) -> str:
    """A product that was delivered to these."""
    view = await world.offer(**fields)
    world.orders.received |= {(who.user_id, view.product_id) for who in buyers}
    return view.product_id


async def _rating(world: World, product_id: str) -> dict:
    return (await world.api.get(f"/products/{product_id}")).json()["rating"]


async def test_a_review_is_shown_without_markup_and_counts_at_once(world: World) -> None:
    product_id = await _received(world, BUYER, SECOND_BUYER)
    assert await _rating(world, product_id) == {"average": 0.0, "count": 0}
    made = await _write(world, product_id, rating=5, text="<b>Fits</b> <script>alert(1)</script>well")
    assert made.status_code == 201
    assert BUYER.user_id not in made.text
    await _write(world, product_id, "second", rating=2)
    assert await _rating(world, product_id) == {"average": 3.5, "count": 2}
    found = await _reviews(world, product_id)
    assert [(each["rating"], each["text"], each["verified"]) for each in found["items"]] == [
        (2, "", True),
        (5, "Fits well", True),
    ]
    assert found["summary"] == {"average": 3.5, "count": 2}
    await world.settle()
    [told, _] = world.bus.of("review.created")
    assert (told.data["rating"], told.data["productId"]) == (5, product_id)
    assert "text" not in told.data
    assert len((await world.catalog.search(ProductQuery(min_rating=3.4))).items) == 1


async def test_only_buyers_who_got_it_review_and_only_once(world: World) -> None:
    product_id = await _received(world, BUYER)
    refused = {who: (await _write(world, product_id, who)).status_code for who in ("", "second", "seller")}
    assert refused == {"": 401, "second": 403, "seller": 403}
    answers = [await _write(world, product_id, key="k") for _ in range(2)]
    assert answers[0].content == answers[1].content
    again = await _write(world, product_id)
    assert (again.status_code, again.json()["code"]) == (409, "already_reviewed")
    assert (await _write(world, "prd_unknown")).status_code == 404
    draft = await world.offer(status="draft")
    assert (await _write(world, draft.product_id)).status_code == 404
    for rating in (0, 6, 3.5, None):
        assert (await _write(world, product_id, rating=rating)).status_code == 422


async def test_reviews_at_the_same_moment_all_count(world: World) -> None:
    buyers = [Principal(user_id=f"usr_{n:032x}", roles=frozenset({"customer"})) for n in range(8)]
    product_id = await _received(world, *buyers)
    await asyncio.gather(
        *(world.catalog.review(who, product_id, ReviewIn(rating=n % 5 + 1)) for n, who in enumerate(buyers))
    )
    assert await _rating(world, product_id) == {"average": 2.62, "count": 8}
    first = await _reviews(world, product_id, limit=5)
    second = await _reviews(world, product_id, limit=5, cursor=first["nextCursor"])
    ids = [each["reviewId"] for each in [*first["items"], *second["items"]]]
    assert (len(set(ids)), second["nextCursor"]) == (8, None)


async def test_an_admin_hides_a_review_and_the_rating_follows(world: World) -> None:
    product_id = await _received(world, BUYER, SECOND_BUYER)
    rude = (await _write(world, product_id, rating=1, text="rude")).json()["reviewId"]
    await _write(world, product_id, "second", rating=4)
    path = f"/products/{product_id}/reviews/{rude}/moderate"

    async def moderate(action: str, who: str = "admin") -> int:
        return (await world.api.post(path, json={"action": action}, headers={"x-as": who})).status_code

    assert [await moderate("hide", who) for who in ("", "buyer", "seller", "admin", "admin")] == [
        401,
        403,
        403,
        200,
        200,
    ]
    assert await _rating(world, product_id) == {"average": 4.0, "count": 1}
    assert [each["rating"] for each in (await _reviews(world, product_id))["items"]] == [4]
    assert [each["hidden"] for each in (await _reviews(world, product_id, "admin"))["items"]] == [False, True]
    assert await moderate("show") == 200
    assert await _rating(world, product_id) == {"average": 2.5, "count": 2}
    assert await moderate("burn") == 422
    path = path.replace(rude, "rev_unknown")
    assert await moderate("hide") == 404


async def test_the_products_seller_replies(world: World) -> None:
    product_id = await _received(world, BUYER)
    review_id = (await _write(world, product_id)).json()["reviewId"]
    path = f"/products/{product_id}/reviews/{review_id}/reply"

    async def reply(who: str, text: str) -> int:
        return (await world.api.post(path, json={"text": text}, headers={"x-as": who})).status_code

    assert [await reply(who, "Thanks") for who in ("", "buyer", "other")] == [401, 403, 404]
    assert [await reply("seller", text) for text in ("Thanks", "<i>Thank</i> you", "<i></i>")] == [200, 200, 422]
    [shown] = (await _reviews(world, product_id))["items"]
    assert shown["reply"]["text"] == "Thank you"


async def test_the_assistant_reads_reviews(world: World) -> None:
    product_id = await _received(world, BUYER)
    await _write(world, product_id, rating=5, text="Good")
    [tool] = [each for each in tools(world.catalog) if each.name == "get_reviews"]
    result = await tool.run(Call(BUYER, "c"), tool.arguments(product_id=product_id))
    assert result.data["summary"] == {"average": 5.0, "count": 1}
    assert [each["text"] for each in result.data["items"]] == ["Good"]
