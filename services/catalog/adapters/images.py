"""Where uploaded images lie: a port, and the folder behind it."""

import asyncio
import os
from pathlib import Path
from typing import Protocol

from services.catalog.models.image import Image


class ImageStore(Protocol):
    async def put(self, product_id: str, image: Image) -> str:
        """Keep the image and return the address it is served at; repeatable."""

    async def remove(self, product_id: str, url: str) -> None:
        """Forget an image of this product; addresses of other places are passed over."""


class ImageFolder:
    """`folder/<product id>/<hash of the content>.<type>`, served at `address` by whoever serves the folder."""

    def __init__(self, folder: Path, address: str = "/media/products") -> None:
        self._folder = folder
        self._address = address

    async def put(self, product_id: str, image: Image) -> str:
        await asyncio.to_thread(self._write, self._folder / product_id, image)
        return f"{self._address}/{product_id}/{image.name}"

    async def remove(self, product_id: str, url: str) -> None:
        own, _, name = url.rpartition("/")
        if own == f"{self._address}/{product_id}" and name not in {"", ".", ".."}:
            await asyncio.to_thread((self._folder / product_id / name).unlink, missing_ok=True)

    def _write(self, folder: Path, image: Image) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        half = folder / f".{image.name}.{os.getpid()}"
        half.write_bytes(image.content)
        half.replace(folder / image.name)
