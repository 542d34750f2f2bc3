"""Products as CSV (RFC 4180): columns are named as in the JSON; lists and objects are JSON in their cell."""

import csv
import io
from collections.abc import AsyncIterator, Mapping
from typing import Any

import orjson
from pydantic import ValidationError

from services.catalog.adapters.ndjson import LONGEST_LINE, TOO_LONG, raw_lines, reason_of
from services.catalog.models.export import COLUMNS, escaped, unescaped
from services.contracts.catalog import ProductIn

_NESTED = {"attributes", "images", "variants"}


async def product_rows(chunks: AsyncIterator[bytes]) -> AsyncIterator[tuple[int, ProductIn | str]]:
    """Line number where the row begins, and content; empty rows are passed over. Holds one row at a time."""
    names: list[str] | None = None
    async for number, record in _records(chunks):
        if record is None:
            yield number, TOO_LONG
            continue
        try:
            cells = _cells(record)
        except (csv.Error, UnicodeDecodeError) as error:
            yield number, f"not CSV: {error}"
            continue
        if names is None:
            names = [cell.strip().removeprefix("\ufeff") for cell in cells]
        elif any(cells):
            yield number, _product(names, cells)


def _cells(record: bytes) -> list[str]:
    return next(csv.reader(io.StringIO(record.decode("utf-8"), newline=""), strict=True), [])


def _product(names: list[str], cells: list[str]) -> ProductIn | str:
    if len(cells) > len(names):
        return f"{len(cells)} cells under {len(names)} names"
    try:
        given = {name: _value(name, cell) for name, cell in zip(names, cells, strict=False) if cell}
        return ProductIn.model_validate(given)
    except orjson.JSONDecodeError as error:
        return f"attributes, images and variants are JSON in their cell: {error}"
    except ValidationError as error:
        return reason_of(error)


def _value(name: str, cell: str) -> Any:
    return orjson.loads(cell) if name in _NESTED else unescaped(cell)


async def _records(chunks: AsyncIterator[bytes]) -> AsyncIterator[tuple[int, bytes | None]]:
    """A record goes on over lines while a quote is open. None stands for one that is too long."""
    begun, record = 0, b""
    async for number, line in raw_lines(chunks):
        if line is None or len(record) > LONGEST_LINE:
            yield begun or number, None
            begun, record = 0, b""
            continue
        begun, record = begun or number, record + line + b"\n"
        if record.count(b'"') % 2 == 0:
            yield begun, record.rstrip(b"\r\n")
            begun, record = 0, b""
    if record:
        yield begun, record.rstrip(b"\r\n")


def header() -> bytes:
    return _written(COLUMNS)


def row(line: Mapping[str, Any]) -> bytes:
    return _written([_cell(name, line.get(name)) for name in COLUMNS])


def _cell(name: str, value: Any) -> str:
    if value is None:
        return ""
    return orjson.dumps(value).decode() if name in _NESTED else escaped(str(value))


def _written(cells: Any) -> bytes:
    out = io.StringIO()
    csv.writer(out, lineterminator="\r\n").writerow(cells)
    return out.getvalue().encode()
