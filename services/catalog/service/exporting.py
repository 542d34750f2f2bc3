"""A seller's products as a file, streamed."""

from collections.abc import AsyncIterator

import orjson

from services.catalog.adapters import csv_file
from services.catalog.models.export import line_of
from services.catalog.repository import ProductRepository
from services.contracts.catalog import ExportFormat

_PRODUCTS_A_READ = 50


class Exporting:
    def __init__(self, products: ProductRepository) -> None:
        self._products = products

    async def export(self, seller_id: str, form: ExportFormat) -> AsyncIterator[bytes]:
        """Drafts and archived products too, in the order of their ids."""
        if form == "csv":
            yield csv_file.header()
        ids = await self._products.ids_of_seller(seller_id)
        for start in range(0, len(ids), _PRODUCTS_A_READ):
            products = await self._products.load(ids[start : start + _PRODUCTS_A_READ])
            lines = [line_of(products[each]) for each in sorted(products) if products[each].offered]
            yield b"".join(csv_file.row(line) if form == "csv" else orjson.dumps(line) + b"\n" for line in lines)
