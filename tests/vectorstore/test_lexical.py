import pytest

from vectorstore.lexical import document_weights, query_weights, terms


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Running Shoes", ["running", "shoe"]),
        ("batteries boxes glasses watches", ["battery", "box", "glass", "watch"]),
        ("glass bus tennis gps", ["glass", "bus", "tennis", "gps"]),
        ("dv7-1211ea", ["dv71211ea", "dv7", "1211ea"]),
        ("USB-C", ["usbc", "usb"]),
        ("16 GB", ["16", "16gb", "gb"]),
        ("Café Crème", ["cafe", "creme"]),
        ("the shoes for me", ["shoe"]),
        ("the who", ["who"]),
        ("is it", ["is", "it"]),
        ("लाल जूते", ["लाल", "जूते"]),
        ("  --  ", []),
    ],
)
def test_text_becomes_terms(text: str, expected: list[str]) -> None:
    assert terms(text) == expected


def test_a_term_in_the_heading_weighs_more_than_one_below() -> None:
    weights = document_weights("lamp\nshade")
    by_term = dict(zip(weights.indices, weights.values, strict=True))
    (lamp,), (shade,) = query_weights("lamp").indices, query_weights("shade").indices
    assert by_term[lamp] > by_term[shade] > 0


def test_a_repeated_term_gains_less_each_time() -> None:
    once, twice, often = (document_weights("\n" + "lamp " * times).values[0] for times in (1, 2, 40))
    assert once < twice < often < 2.2


def test_a_query_counts_a_repeated_term_once() -> None:
    assert query_weights("lamp lamp lamps") == query_weights("lamp")
