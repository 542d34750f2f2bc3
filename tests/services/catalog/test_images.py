import asyncio
import struct
import zlib

import pytest

from services.catalog.models.image import image_of
from services.contracts.catalog import ProductPatch
from services.kit.errors import Invalid
from tests.services.catalog.conftest import SELLER, World


def png(width: int = 2, height: int = 1, filling: bytes = b"") -> bytes:
    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    rows = zlib.compress(b"".join(b"\0" + bytes(width) for _ in range(height)) if width * height < 100 else b"")
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + chunk(b"IDAT", rows)
        + chunk(b"tEXt", filling)
        + chunk(b"IEND", b"")
    )


def jpeg(width: int, height: int) -> bytes:
    frame = struct.pack(">BHHB", 8, height, width, 1) + b"\x01\x11\x00"
    comment = b"\xff\xfe\x00\x04hi"
    return (
        b"\xff\xd8" + comment + b"\xff\xc0" + struct.pack(">H", len(frame) + 2) + frame + b"\xff\xda\x00\x02x\xff\xd9"
    )


def webp(form: bytes, body: bytes) -> bytes:
    return b"RIFF" + struct.pack("<I", len(body) + 12) + b"WEBP" + form + struct.pack("<I", len(body)) + body


WEBP_LOSSY = webp(b"VP8 ", b"\0\0\0\x9d\x01\x2a" + struct.pack("<HH", 640, 480))
WEBP_LOSSLESS = webp(b"VP8L", b"\x2f" + struct.pack("<I", 639 | 479 << 14))
WEBP_EXTENDED = webp(b"VP8X", b"\0\0\0\0" + (639).to_bytes(3, "little") + (479).to_bytes(3, "little"))


async def _upload(world: World, product_id: str, content: bytes, who: str = "seller", field: str = "file"):
    files = {field: ("../../evil.svg", content, "image/svg+xml")}
    return await world.api.post(f"/products/{product_id}/images", files=files, headers={"x-as": who})


@pytest.mark.parametrize(
    ("content", "kind", "size"),
    [(png(3, 2), "png", (3, 2)), (jpeg(640, 480), "jpg", (640, 480)), (WEBP_LOSSY, "webp", (640, 480)),
     (WEBP_LOSSLESS, "webp", (640, 480)), (WEBP_EXTENDED, "webp", (640, 480))],
)  # fmt: skip
def test_an_image_is_known_by_its_content(content: bytes, kind: str, size: tuple[int, int]) -> None:
    found = image_of(content)
    assert (found.kind, (found.width, found.height)) == (kind, size)
    with pytest.raises(Invalid):
        image_of(content[:-9])


async def test_an_uploaded_image_is_served_and_can_be_taken_off(world: World) -> None:
    view = await world.offer(images=["https://cdn.example/a.png"])
    assert (await world.api.get(f"/products/{view.product_id}")).json()["images"] == ["https://cdn.example/a.png"]
    for _ in range(2):
        made = await _upload(world, view.product_id, png())
        assert made.status_code == 201, made.text
    shown = (await world.api.get(f"/products/{view.product_id}")).json()["images"]
    assert shown == made.json()["images"]
    assert shown[0] == "https://cdn.example/a.png"
    assert shown[1].startswith(f"/media/products/{view.product_id}/")
    served = await world.api.get(shown[1])
    assert (served.content, served.headers["content-type"]) == (png(), "image/png")

    path, own = f"/products/{view.product_id}/images", {"x-as": "seller"}
    assert (await world.api.delete(path, params={"url": shown[1]}, headers={"x-as": "other"})).status_code == 404
    assert (await world.api.delete(path, params={"url": shown[1]}, headers=own)).json()["images"] == shown[:1]
    assert (await world.api.get(shown[1])).status_code == 404
    assert (await world.api.delete(path, params={"url": shown[1]}, headers=own)).status_code == 404


async def test_an_image_that_orders_may_show_stays_on_disk(world: World) -> None:
    view = await world.offer()
    [url] = (await _upload(world, view.product_id, png())).json()["images"]
    world.orders.ordered.add(view.product_id)
    await world.api.delete(f"/products/{view.product_id}/images", params={"url": url}, headers={"x-as": "seller"})
    assert (await world.api.get(url)).status_code == 200


async def test_what_is_no_image_is_refused(world: World) -> None:
    view = await world.offer()
    refused = {
        "script": (b"<svg onload=alert(1)>", 415),
        "empty": (b"", 415),
        "cut off": (png()[:-6], 422),
        "wide": (png(9_000, 10), 422),
        "large": (png(filling=bytes(5 * 1_048_576)), 413),
    }
    for content, status in refused.values():
        assert (await _upload(world, view.product_id, content)).status_code == status
    assert (await _upload(world, view.product_id, png(), field="other")).status_code == 422
    path, own = f"/products/{view.product_id}/images", {"x-as": "seller"}
    assert (await world.api.post(path, content=png(), headers=own)).status_code == 415
    broken = {**own, "content-type": "multipart/form-data"}
    assert (await world.api.post(path, content=b"x", headers=broken)).status_code == 422
    assert (await world.catalog.get(view.product_id)).images == ()


async def test_only_the_products_seller_uploads_and_twenty_images_are_enough(world: World) -> None:
    view = await world.offer()
    statuses = [(await _upload(world, view.product_id, png(), who)).status_code for who in ("", "buyer", "other")]
    assert statuses == [401, 403, 404]
    await asyncio.gather(*(_upload(world, view.product_id, png(filling=bytes([n]))) for n in range(3)))
    assert len((await world.catalog.get(view.product_id)).images) == 3
    full = ProductPatch(images=tuple(f"/a/{n}.png" for n in range(20)))
    await world.catalog.update(SELLER, view.product_id, full)
    assert (await _upload(world, view.product_id, png())).json()["code"] == "too_many_images"
