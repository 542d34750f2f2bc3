"""What every index promises, run on each of them."""

import random
from collections.abc import Sequence

import numpy as np
import pytest

from tests.vectorstore.conftest import DIM, FIELDS
from vectorstore.edge import EdgeIndex
from vectorstore.index import (
    All,
    Any,
    BadCursor,
    Condition,
    Hit,
    Match,
    Nested,
    Not,
    OrderBy,
    Point,
    Range,
    UnindexedField,
    VectorIndex,
    WrongDimension,
)
from vectorstore.memory import MemoryIndex


def vector(*numbers: float) -> np.ndarray:
    return np.array(numbers, dtype=np.float32)


def ids_of(hits: Sequence[Hit]) -> list[str]:
    return [hit.id for hit in hits]


SHOES = [
    Point(
        "shoe",
        {
            "brand": "Acme",
            "tags": ["running", "sport"],
            "price": 199900,
            "active": True,
            "rating": 4.5,
            "variants": [
                {"colour": "red", "price": 199900, "available": 0},
                {"colour": "blue", "price": 249900, "available": 3},
            ],
        },
        "Red running shoe\nlight and fast",
        vector(1, 0, 0, 0),
    ),
    Point(
        "boot",
        {
            "brand": "Bolt",
            "tags": ["leather"],
            "price": 499900,
            "active": False,
            "rating": 3.9,
            "variants": [{"colour": "blue", "price": 499900, "available": 1}],
        },
        "Leather boots\nfor a long winter, with running-in guarantee",
        vector(0.9, 0.1, 0, 0),
    ),
    Point(
        "pc", {"brand": "HP", "price": 10995, "active": True}, "Notebook dv7-1211ea\n16 GB memory", vector(0, 1, 0, 0)
    ),
]


@pytest.fixture
async def shop(index: VectorIndex) -> VectorIndex:
    await index.upsert(SHOES)
    return index


async def test_the_heading_counts_more_than_the_text_below(shop: VectorIndex) -> None:
    assert ids_of(await shop.search("running", None, None, 10)) == ["shoe", "boot"]


@pytest.mark.parametrize("query", ["dv7-1211ea", "DV7 1211EA", "dv71211ea", "1211ea", "16gb", "16 GB", "notebooks"])
async def test_model_numbers_and_sizes_are_found_whole_and_in_parts(shop: VectorIndex, query: str) -> None:
    assert ids_of(await shop.search(query, None, None, 10)) == ["pc"]


async def test_a_vector_finds_what_shares_no_word(shop: VectorIndex) -> None:
    assert ids_of(await shop.search("sneaker", vector(1, 0, 0, 0), None, 10)) == ["shoe", "boot"]


async def test_words_and_vector_together_beat_either_alone(shop: VectorIndex) -> None:
    hits = await shop.search("leather", vector(1, 0, 0, 0), None, 10)
    assert ids_of(hits) == ["boot", "shoe"]
    assert hits[0].score > hits[1].score


async def test_a_search_without_words_and_vector_finds_nothing(shop: VectorIndex) -> None:
    assert await shop.search("  !?", None, None, 10) == []


async def test_pages_of_a_search_join_without_gap_or_repeat(index: VectorIndex) -> None:
    await index.upsert([Point(str(n), {"price": n}, f"lamp number {n}", vector(1, n / 100, 0, 0)) for n in range(60)])
    whole = ids_of(await index.search("lamp", vector(1, 0, 0, 0), None, 60))
    parts = [ids_of(await index.search("lamp", vector(1, 0, 0, 0), None, 20, offset)) for offset in (0, 20, 40)]
    assert whole == parts[0] + parts[1] + parts[2]
    assert len(set(whole)) == 60


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        (None, {"shoe", "boot", "pc"}),
        (Match("brand", ["Acme", "HP"]), {"shoe", "pc"}),
        (Match("brand", []), set()),
        (Match("tags", ["sport"]), {"shoe"}),
        (Match("active", [True]), {"shoe", "pc"}),
        (Match("active", [False]), {"boot"}),
        (Range("price", gte=10995, lte=199900), {"shoe", "pc"}),
        (Range("rating", gte=4.5), {"shoe"}),
        (Range("rating", lte=3.9), {"boot"}),
        (Not(Match("brand", ["HP"])), {"shoe", "boot"}),
        (All([]), {"shoe", "boot", "pc"}),
        (Any([]), set()),
        (Any([Match("brand", ["HP"]), Range("price", gte=400000)]), {"boot", "pc"}),
        (All([Match("brand", ["Acme"]), Range("price", gte=400000)]), set()),
        (Match("variants[].colour", ["red"]), {"shoe"}),
        (Range("variants[].price", lte=200000), {"shoe"}),
        (Nested("variants", [Match("colour", ["blue"]), Range("price", lte=300000)]), {"shoe"}),
        (Nested("variants", [Match("colour", ["red"]), Range("available", gte=1)]), set()),
        (Not(Nested("variants", [Match("colour", ["blue"])])), {"pc"}),
        (Nested("variants", [Not(Match("colour", ["blue"]))]), {"shoe"}),
        (All([Any([Match("brand", ["Bolt"]), Match("brand", ["HP"])]), Not(Match("active", [1]))]), {"boot"}),
    ],
)
async def test_a_filter_chooses(shop: VectorIndex, where: Condition | None, expected: set[str]) -> None:
    assert await shop.ids(where) == expected
    assert await shop.count(where) == len(expected)
    assert set(ids_of((await shop.scroll(where, None, 10)).hits)) == expected
    found = await shop.search("shoe boot notebook", vector(1, 1, 0, 0), where, 10)
    assert set(ids_of(found)) == expected


async def test_hits_carry_the_payload_with_numbers_for_booleans(shop: VectorIndex) -> None:
    (hit,) = await shop.search("boots", None, None, 10)
    assert hit.payload == {**SHOES[1].payload, "active": 0}


async def test_similar_points_come_nearest_first_without_the_point_itself(shop: VectorIndex) -> None:
    assert ids_of(await shop.similar("shoe", None, 10)) == ["boot", "pc"]
    assert ids_of(await shop.similar("shoe", Match("brand", ["HP"]), 10)) == ["pc"]
    assert await shop.similar("unknown", None, 10) == []


async def test_similar_goes_by_words_while_there_is_no_vector(index: VectorIndex) -> None:
    await index.upsert([Point("a", {}, "blue lamp"), Point("b", {}, "lamp shade"), Point("c", {}, "chair")])
    assert ids_of(await index.similar("a", None, 10)) == ["b"]


async def test_facets_count_points_most_frequent_first(shop: VectorIndex) -> None:
    counted = await shop.facets(["brand", "variants[].colour", "active"], Not(Match("brand", ["HP"])), 5)
    assert counted == {
        "brand": [("Acme", 1), ("Bolt", 1)],
        "variants[].colour": [("blue", 2), ("red", 1)],
        "active": [(0, 1), (1, 1)],
    }


async def test_facets_are_bounded(shop: VectorIndex) -> None:
    assert (await shop.facets(["variants[].colour"], None, 1))["variants[].colour"] == [("blue", 2)]


async def test_sorting_and_counting_by_an_unknown_field_is_refused(shop: VectorIndex) -> None:
    with pytest.raises(UnindexedField):
        await shop.facets(["weight"], None, 5)
    with pytest.raises(UnindexedField):
        await shop.scroll(None, ("brand", "asc"), 5)


async def listed(index: VectorIndex, order_by: OrderBy | None, page: int, where: Condition | None = None) -> list[str]:
    found: list[str] = []
    cursor: str | None = None
    while True:
        hits, cursor = await index.scroll(where, order_by, page, cursor)
        assert len(hits) <= page
        found += ids_of(hits)
        if cursor is None:
            return found


def many_points() -> list[Point]:
    dice = random.Random(7)
    return [
        Point(f"p{n}", {"price": dice.choice([100, 100, 100, 250, 400]), "brand": dice.choice("ab")})
        if n % 10
        else Point(f"p{n}", {"brand": "a"})
        for n in range(120)
    ]


@pytest.mark.parametrize("page", [1, 7, 50, 500])
@pytest.mark.parametrize("direction", ["asc", "desc"])
async def test_sorted_pages_hold_every_point_once_whatever_their_size(
    index: VectorIndex, page: int, direction: str
) -> None:
    points = many_points()
    await index.upsert(points)
    order_by: OrderBy = ("price", "asc" if direction == "asc" else "desc")
    found = await listed(index, order_by, page)
    prices = {point.id: point.payload.get("price") for point in points}
    known = [price for each in found if (price := prices[each]) is not None]
    assert sorted(found) == sorted(prices)
    assert known == sorted(known, reverse=direction == "desc")
    assert all(prices[each] is None for each in found[len(known) :])


async def test_both_indexes_give_one_order(tmp_path) -> None:
    edge, memory = await EdgeIndex.open(tmp_path, DIM, FIELDS), MemoryIndex(DIM, FIELDS)
    for each in (edge, memory):
        await each.upsert(many_points())
    for order_by in (None, ("price", "asc"), ("price", "desc")):
        where = Match("brand", ["a"])
        assert await listed(edge, order_by, 9, where) == await listed(memory, order_by, 9, where)
    await edge.close()


async def test_a_point_removed_between_two_pages_moves_no_other(index: VectorIndex) -> None:
    await index.upsert([Point(str(n), {"price": 5}) for n in range(9)])
    whole = await listed(index, ("price", "asc"), 9)
    first, cursor = await index.scroll(None, ("price", "asc"), 3)
    await index.delete([whole[0], whole[3]])
    second, _ = await index.scroll(None, ("price", "asc"), 3, cursor)
    assert ids_of(first) + ids_of(second) == whole[:3] + whole[4:7]


@pytest.mark.parametrize("cursor", ["x", "!!", "bnVsbA", "W10", "é", "WzEsMiwzXQ"])
async def test_an_invented_cursor_is_refused(shop: VectorIndex, cursor: str) -> None:
    with pytest.raises(BadCursor):
        await shop.scroll(None, None, 5, cursor)


async def test_a_cursor_of_another_sort_is_refused(shop: VectorIndex) -> None:
    _, cursor = await shop.scroll(None, ("price", "asc"), 1)
    with pytest.raises(BadCursor):
        await shop.scroll(None, ("price", "desc"), 1, cursor)


async def test_vectors_may_follow_later(index: VectorIndex) -> None:
    await index.upsert([Point("a", {}, "blue lamp"), Point("b", {}, "red lamp"), Point("mute", {})])
    assert sorted(await index.missing_dense(10)) == [("a", "blue lamp"), ("b", "red lamp")]
    assert len(await index.missing_dense(1)) == 1
    assert ids_of(await index.search("azure", vector(0, 1, 0, 0), None, 5)) == []
    await index.set_vectors({"a": vector(0, 1, 0, 0), "gone": vector(0, 1, 0, 0)})
    assert await index.missing_dense(10) == [("b", "red lamp")]
    assert ids_of(await index.search("azure", vector(0, 1, 0, 0), None, 5)) == ["a"]
    assert await index.ids() == {"a", "b", "mute"}


async def test_a_vector_is_kept_while_the_text_stays_and_dropped_when_it_changes(shop: VectorIndex) -> None:
    await shop.upsert([Point("pc", {"brand": "HP", "price": 1}, SHOES[2].text)])
    assert await shop.missing_dense(10) == []
    await shop.upsert([Point("pc", {"brand": "HP", "price": 1}, "Desk")])
    assert await shop.missing_dense(10) == [("pc", "Desk")]
    assert ids_of(await shop.search("notebook", None, None, 5)) == []


async def test_a_vector_made_from_an_older_text_is_passed_over(index: VectorIndex) -> None:
    await index.upsert([Point("a", {}, "new text"), Point("b", {}, "same text")])
    vectors = {"a": vector(1, 0, 0, 0), "b": vector(1, 0, 0, 0)}
    await index.set_vectors(vectors, made_from={"a": "old text", "b": "same text"})
    assert await index.missing_dense(10) == [("a", "new text")]


async def test_a_partial_payload_replaces_only_its_fields(shop: VectorIndex) -> None:
    await shop.set_payload("shoe", {"price": 99900, "active": False})
    await shop.set_payload("unknown", {"price": 1})
    (hit,) = (await shop.scroll(Range("price", lte=100000, gte=90000), None, 5)).hits
    assert hit.payload == {**SHOES[0].payload, "price": 99900, "active": 0}
    assert ids_of(await shop.search("running shoe", vector(1, 0, 0, 0), None, 1)) == ["shoe"]


async def test_deleted_points_are_gone_and_may_be_deleted_again(shop: VectorIndex) -> None:
    await shop.delete(["shoe", "unknown"])
    await shop.delete(["shoe"])
    assert await shop.ids() == {"boot", "pc"}


async def test_a_vector_of_another_length_is_refused(shop: VectorIndex) -> None:
    with pytest.raises(WrongDimension):
        await shop.search("shoe", vector(1, 0), None, 5)
    with pytest.raises(WrongDimension):
        await shop.upsert([Point("x", {}, "x", vector(1, 0))])
    with pytest.raises(WrongDimension):
        await shop.set_vectors({"shoe": vector(1, 0)})
