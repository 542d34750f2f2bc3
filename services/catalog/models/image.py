"""What an uploaded image is, by its content alone: PNG, JPEG or WebP of a sensible size. Pure."""

import hashlib
import struct
import zlib
from dataclasses import dataclass
from typing import Literal

from services.kit.errors import Invalid, TooLarge, Unsupported

Kind = Literal["png", "jpg", "webp"]

LARGEST_BYTES = 5 * 1_048_576
_LONGEST_SIDE = 8_000
_MOST_PIXELS = 40_000_000
_PNG = b"\x89PNG\r\n\x1a\n"
_NO_LENGTH = {0x01, *range(0xD0, 0xD8)}
_NO_FRAME = {0xC4, 0xC8, 0xCC}


@dataclass(frozen=True, slots=True)
class Image:
    kind: Kind
    width: int
    height: int
    content: bytes

    @property
    def name(self) -> str:
        """The same for the same content."""
        return f"{hashlib.sha256(self.content).hexdigest()[:32]}.{self.kind}"


def image_of(content: bytes) -> Image:
    """Raises TooLarge, Unsupported (another type), Invalid (broken, or of a size that no screen shows)."""
    if len(content) > LARGEST_BYTES:
        raise TooLarge(f"an image has at most {LARGEST_BYTES // 1_048_576} MB", field="file")
    kind = _kind_of(content)
    try:
        width, height = {"png": _png_size, "jpg": _jpeg_size, "webp": _webp_size}[kind](content)
    except (struct.error, IndexError, ValueError) as error:
        raise Invalid(f"the {kind} image is broken or cut off", field="file") from error
    if not (0 < width <= _LONGEST_SIDE and 0 < height <= _LONGEST_SIDE) or width * height > _MOST_PIXELS:
        raise Invalid(
            f"the image is {width} x {height}; at most {_LONGEST_SIDE} pixels a side and 40 megapixels", field="file"
        )
    return Image(kind, width, height, content)


def _kind_of(content: bytes) -> Kind:
    if content.startswith(_PNG):
        return "png"
    if content.startswith(b"\xff\xd8\xff"):
        return "jpg"
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "webp"
    raise Unsupported("images are PNG, JPEG or WebP", field="file")


def _png_size(content: bytes) -> tuple[int, int]:
    """Every chunk with its checksum, from IHDR to IEND."""
    at, size, name = len(_PNG), (0, 0), b""
    while name != b"IEND":
        length, name = struct.unpack_from(">I4s", content, at)
        body = content[at + 4 : at + 8 + length]
        if struct.unpack_from(">I", content, at + 8 + length)[0] != zlib.crc32(body):
            raise ValueError("a chunk with another checksum")
        if at == len(_PNG):
            size = struct.unpack_from(">II", body, 4) if name == b"IHDR" else (0, 0)
        at += 12 + length
    return size


def _jpeg_size(content: bytes) -> tuple[int, int]:
    """The frame header; the end of the image must be there too."""
    if content.rfind(b"\xff\xd9") < len(content) // 2:
        raise ValueError("no end of image")
    at = 2
    while True:
        mark, marker = struct.unpack_from(">BB", content, at)
        if mark != 0xFF:
            raise ValueError("no marker where one must be")
        if marker == 0xFF:
            at += 1
        elif marker in _NO_LENGTH:
            at += 2
        elif 0xC0 <= marker <= 0xCF and marker not in _NO_FRAME:
            height, width = struct.unpack_from(">HH", content, at + 5)
            return width, height
        else:
            at += 2 + struct.unpack_from(">H", content, at + 2)[0]


def _webp_size(content: bytes) -> tuple[int, int]:
    if struct.unpack_from("<I", content, 4)[0] + 8 > len(content):
        raise ValueError("cut off")
    form = content[12:16]
    if form == b"VP8 " and content[23:26] == b"\x9d\x01\x2a":
        width, height = struct.unpack_from("<HH", content, 26)
        return width & 0x3FFF, height & 0x3FFF
    if form == b"VP8L" and content[20] == 0x2F:
        bits = struct.unpack_from("<I", content, 21)[0]
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    if form == b"VP8X":
        width, height = (int.from_bytes(content[at : at + 3], "little") for at in (24, 27))
        return width + 1, height + 1
    raise ValueError("no frame of WebP")
