import gzip
from pathlib import Path

import pytest

from services.catalog.adapters.import_mapping import mapped, mapping_from
from services.catalog.adapters.product_file import ProductFile
from services.contracts.catalog import ProductIn
from services.kit.errors import Invalid

ROOT = Path(__file__).parents[3]
EXAMPLE = ROOT / "docs" / "import-mapping-example.yaml"
ELECTRONICS = ROOT.parent / "shared" / "data" / "search_electronics" / "products.jsonl.gz"
RECORD = {
    "id": "81",
    "title": "Notebook <b>X</b>",
    "brand": "Acme",
    "price_usd_cents": 4995,
    "attrs": {"t_product_type": "Notebook", "t_product_colour": "Silver", "n_weight": 2.0, "b_wi_fi": True, "odd": []},
}


def test_the_example_mapping_reads_a_record_in_dollars() -> None:
    product = mapped(mapping_from(EXAMPLE.read_text()), RECORD)
    assert isinstance(product, ProductIn)
    assert (product.external_id, product.title, product.price) == ("81", "Notebook X", 419_580)
    assert (product.category, product.stock) == ("Electronics > Notebook", 25)
    assert product.attributes == {
        "product type": "Notebook",
        "product colour": "Silver",
        "weight": 2.0,
        "wi fi": True,
        "colour": "Silver",
    }


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        ([], "not a JSON object"),
        ({**RECORD, "price_usd_cents": "dear"}, "price_usd_cents: 'dear' is no number"),
        ({**RECORD, "price_usd_cents": None}, "price: Field required"),
        ({**RECORD, "price_usd_cents": -5}, "price: a price is a number of rupees"),
        ({**RECORD, "title": ""}, "title: Field required"),
        ({**RECORD, "attrs": "none"}, "attrs: not an object of attributes"),
    ],
)
def test_a_record_that_is_no_product_says_why(record: object, reason: str) -> None:
    found = mapped(mapping_from(EXAMPLE.read_text()), record)
    assert isinstance(found, str)
    assert found.startswith(reason)


@pytest.mark.parametrize(
    "text",
    ["{", "[]", "title: t", "external_id: a\ntitle: b\nprice: {field: c, currency: USD}\ncategory: d",
     "external_id: a\ntitle: {}\nprice: c\ncategory: d", "external_id: a\ntitle: b\nprice: c\ncategory: d\ncolor: e"],
)  # fmt: skip
def test_a_mapping_that_is_not_understood_is_refused(text: str) -> None:
    with pytest.raises(Invalid):
        mapping_from(text)


async def test_a_plain_file_and_a_packed_one_are_read_with_line_numbers(tmp_path: Path) -> None:
    body = b'{"title": "A", "price": 1, "category": "C"}\n\n{broken\n'
    plain, packed = tmp_path / "a.jsonl", tmp_path / "a.jsonl.gz"
    plain.write_bytes(body)
    packed.write_bytes(gzip.compress(body))
    for path in (plain, packed):
        file = ProductFile(path)
        found = [(number, isinstance(content, ProductIn)) async for number, content in file.lines()]
        assert found == [(1, True), (3, False)]
        assert file.position == file.size


@pytest.mark.skipif(not ELECTRONICS.exists(), reason="the folder of real data is not here")
async def test_the_example_mapping_reads_real_electronics() -> None:
    file = ProductFile(ELECTRONICS, mapping_from(EXAMPLE.read_text()))
    first = []
    async for number, content in file.lines():
        first.append(content)
        if number == 500:
            break
    assert all(isinstance(product, ProductIn) for product in first), [c for c in first if isinstance(c, str)]
    assert first[1].category == "Electronics > Notebook"
