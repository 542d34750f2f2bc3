"""A file of products on disk: JSON lines, plain or gzip, in the catalogue's own form or through a mapping."""

import gzip
from collections.abc import AsyncIterator
from pathlib import Path
from typing import IO

import orjson

from services.catalog.adapters.import_mapping import ImportMapping, mapped
from services.catalog.adapters.ndjson import product_of
from services.contracts.catalog import ProductIn


class ProductFile:
    """`position` of `size` bytes are read, for a progress bar."""

    def __init__(self, path: Path, mapping: ImportMapping | None = None) -> None:
        self.size = path.stat().st_size
        self.position = 0
        self._path = path
        self._mapping = mapping

    async def lines(self) -> AsyncIterator[tuple[int, ProductIn | str]]:
        """Line number and product, or the reason why it is none. Raises OSError."""
        with self._path.open("rb") as raw:
            content: IO[bytes] = gzip.open(raw) if self._path.suffix == ".gz" else raw  # type: ignore[assignment]  # noqa: SIM115 - closed with raw
            for number, line in enumerate(content, 1):
                self.position = raw.tell()
                if line.strip():
                    yield number, self._product(line)

    def _product(self, line: bytes) -> ProductIn | str:
        if self._mapping is None:
            return product_of(line)
        try:
            return mapped(self._mapping, orjson.loads(line))
        except orjson.JSONDecodeError as error:
            return f"not JSON: {error}"
