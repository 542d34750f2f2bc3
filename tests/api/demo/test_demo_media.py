"""Every image that a demo product names is a file in the repository."""

from datetime import UTC, datetime
from importlib.resources import files
from xml.etree import ElementTree as ET

from api.demo.generate import generate

MEDIA = files("api.demo") / "media"


def test_every_image_named_by_a_product_is_a_small_svg() -> None:
    world = generate(7, datetime(2026, 11, 22, tzinfo=UTC), orders=0)
    names = {image.removeprefix("/media/demo/") for product in world.products for image in product.images}
    assert names == {page.name for page in MEDIA.iterdir()}
    for name in names:
        drawing = (MEDIA / name).read_text("utf-8")
        assert ET.fromstring(drawing).tag.endswith("svg")
        assert len(drawing) < 2000
