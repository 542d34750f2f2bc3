"""The index in this process: Qdrant's engine in a folder, one process at a time.

Writes are in the engine's log when they return and survive a kill. Every call runs in one thread of its own; writes
go in small batches because the engine holds the interpreter's lock while it writes, so searches slip in between.
"""

import asyncio
import json
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path
from typing import TypeVar

from vectorstore.edge_shard import Shard
from vectorstore.embeddings import Vector
from vectorstore.index import (
    Condition,
    Facets,
    Fields,
    Hit,
    IndexOutdated,
    IndexUnavailable,
    OrderBy,
    Page,
    Payload,
    Point,
    WrongDimension,
)
from vectorstore.position import Position

Result = TypeVar("Result")
Item = TypeVar("Item")

_FORMAT = 1
"""Raised when stored points would no longer fit the code, e.g. when terms are cut differently."""
_BATCH = 64


class EdgeIndex:
    """VectorIndex in a folder of this machine. Open it with `open`; it must be closed."""

    def __init__(self, shard: Shard, thread: ThreadPoolExecutor) -> None:
        self._shard = shard
        self._thread = thread
        self._closed = False

    @classmethod
    async def open(cls, path: Path, dim: int, fields: Fields) -> "EdgeIndex":
        """Load or create the index.

        Raises WrongDimension or IndexOutdated when the folder was made for another model or by another version
        (`erase` it and index again), IndexUnavailable when it cannot be read or another process holds it.
        """
        thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="vectorstore")
        try:
            shard = await asyncio.get_running_loop().run_in_executor(thread, _open, path, dim, fields)
        except BaseException:
            thread.shutdown(wait=False)
            raise
        return cls(shard, thread)

    async def upsert(self, points: Sequence[Point]) -> None:
        for batch in _batches(points):
            await self._run(self._shard.upsert, batch)

    async def set_vectors(self, vectors: Mapping[str, Vector], made_from: Mapping[str, str] | None = None) -> None:
        texts = made_from or {}
        rows = [(point_id, vector, texts.get(point_id)) for point_id, vector in vectors.items()]
        for batch in _batches(rows):
            await self._run(self._shard.set_vectors, batch)

    async def set_payload(self, point_id: str, partial: Payload) -> None:
        await self._run(self._shard.set_payload, point_id, partial)

    async def delete(self, ids: Iterable[str]) -> None:
        for batch in _batches(ids):
            await self._run(self._shard.delete, batch)

    async def search(
        self, text: str, vector: Vector | None, where: Condition | None, limit: int, offset: int = 0
    ) -> list[Hit]:
        return await self._run(self._shard.search, text, vector, where, limit, offset)

    async def similar(self, point_id: str, where: Condition | None, limit: int) -> list[Hit]:
        return await self._run(self._shard.similar, point_id, where, limit)

    async def scroll(
        self, where: Condition | None, order_by: OrderBy | None, limit: int, cursor: str | None = None
    ) -> Page:
        start = Position.of(cursor, order_by) if cursor else None
        return await self._run(self._shard.scroll, where, order_by, limit, start)

    async def facets(self, fields: Sequence[str], where: Condition | None, limit: int) -> Facets:
        return await self._run(self._shard.facets, fields, where, limit)

    async def count(self, where: Condition | None = None) -> int:
        return await self._run(self._shard.count, where)

    async def missing_dense(self, limit: int) -> list[tuple[str, str]]:
        return await self._run(self._shard.missing_dense, limit)

    async def ids(self, where: Condition | None = None) -> set[str]:
        found: set[str] = set()
        pages = self._shard.id_pages(where)
        while page := await self._run(next, pages, []):
            found.update(page)
        return found

    async def close(self) -> None:
        """Write everything to its place and let the folder go; safe to call twice."""
        if not self._closed:
            self._closed = True
            await self._run(self._shard.close)
            await asyncio.to_thread(self._thread.shutdown)

    async def _run(self, work: Callable[..., Result], *arguments: object) -> Result:
        return await asyncio.get_running_loop().run_in_executor(self._thread, lambda: work(*arguments))


def erase(path: Path) -> None:
    """Remove the index at path; it can always be made again from its source."""
    shutil.rmtree(path, ignore_errors=True)


def _open(path: Path, dim: int, fields: Fields) -> Shard:
    described, shard = path / "index.json", path / "shard"
    if described.exists():
        _check(json.loads(described.read_text()), path, dim)
        return _unless_broken(path, lambda: Shard(shard, dim, fields, new=False))
    erase(path)  # what a first start left that was interrupted
    shard.mkdir(parents=True)
    opened = _unless_broken(path, lambda: Shard(shard, dim, fields, new=True))
    draft = described.with_suffix(".draft")
    draft.write_text(json.dumps({"format": _FORMAT, "dim": dim}))
    draft.replace(described)
    return opened


def _check(description: Mapping[str, int], path: Path, dim: int) -> None:
    if description["format"] != _FORMAT:
        raise IndexOutdated(path)
    if description["dim"] != dim:
        raise WrongDimension(description["dim"], dim)


def _unless_broken(path: Path, opening: Callable[[], Shard]) -> Shard:
    try:
        return opening()
    except Exception as error:  # the engine raises nothing more exact
        message = f"the vector index at {path} cannot be opened (one process at a time): {error}"
        raise IndexUnavailable(message) from error


def _batches(items: Iterable[Item]) -> Iterator[list[Item]]:
    iterator = iter(items)
    while batch := list(islice(iterator, _BATCH)):
        yield batch
