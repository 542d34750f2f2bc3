"""Lines of JSON out of a stream of bytes, as products or the reason why not."""

from collections.abc import AsyncIterator

import orjson
from pydantic import ValidationError

from services.contracts.catalog import ProductIn

LONGEST_LINE = 256 * 1024
TOO_LONG = f"the line is longer than {LONGEST_LINE // 1024} KiB"


async def product_lines(chunks: AsyncIterator[bytes]) -> AsyncIterator[tuple[int, ProductIn | str]]:
    """Line number and content; empty lines are passed over. Holds one line at a time."""
    async for number, line in raw_lines(chunks):
        if line is None:
            yield number, TOO_LONG
        elif line.strip():
            yield number, product_of(line)


def product_of(line: bytes) -> ProductIn | str:
    try:
        return ProductIn.model_validate(orjson.loads(line))
    except orjson.JSONDecodeError as error:
        return f"not JSON: {error}"
    except ValidationError as error:
        return reason_of(error)


def reason_of(error: ValidationError) -> str:
    """The first rule that is broken, in one sentence."""
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    where = ".".join(str(part) for part in first["loc"])
    message = first["msg"].removeprefix("Value error, ")
    return f"{where}: {message}" if where else message


async def raw_lines(chunks: AsyncIterator[bytes]) -> AsyncIterator[tuple[int, bytes | None]]:
    """None stands for a line that is too long, which is read past."""
    number, rest, overlong = 1, b"", False
    async for chunk in chunks:
        *whole, rest = (rest + chunk).split(b"\n")
        for line in whole:
            yield number, None if overlong or len(line) > LONGEST_LINE else line
            number, overlong = number + 1, False
        if len(rest) > LONGEST_LINE:
            rest, overlong = b"", True
    if rest or overlong:
        yield number, None if overlong else rest
