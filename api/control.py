"""The control socket: commands run inside the server of their home and stream what happens as JSON lines."""

from collections.abc import AsyncIterator
from typing import Any

import orjson
from fastapi import FastAPI
from pydantic import BaseModel
from starlette.responses import StreamingResponse

from api import commands
from api.container import Container
from services.kit.errors import CohortError


class Verb(BaseModel):
    """A command by name and its arguments."""

    name: str
    arguments: dict[str, Any] = {}


def create_control_app(container: Container) -> FastAPI:
    app = FastAPI(openapi_url=None)

    @app.post("/run")
    async def run(verb: Verb) -> StreamingResponse:
        return StreamingResponse(_lines(container, verb), media_type="application/x-ndjson")

    return app


async def _lines(container: Container, verb: Verb) -> AsyncIterator[bytes]:
    """Each step on a line; a refusal is the last line."""
    try:
        async for step in commands.run(container, verb.name, verb.arguments):
            yield orjson.dumps(step) + b"\n"
    except CohortError as error:
        yield orjson.dumps({"error": error.message}) + b"\n"
