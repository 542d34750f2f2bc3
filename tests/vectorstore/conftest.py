from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from vectorstore.edge import EdgeIndex
from vectorstore.index import Fields, VectorIndex
from vectorstore.memory import MemoryIndex

FIELDS: Fields = {
    "brand": "keyword",
    "tags": "keyword",
    "price": "integer",
    "active": "integer",
    "created": "integer",
    "rating": "float",
    "variants[].colour": "keyword",
    "variants[].price": "integer",
    "variants[].available": "integer",
}
DIM = 4


@pytest.fixture(params=["memory", "edge"])
async def index(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[VectorIndex]:
    opened: VectorIndex
    opened = MemoryIndex(DIM, FIELDS) if request.param == "memory" else await EdgeIndex.open(tmp_path, DIM, FIELDS)
    yield opened
    await opened.close()
