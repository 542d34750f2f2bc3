"""What the index in a folder promises beyond the contract: to survive, and to say why it cannot."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from vectorstore.edge import EdgeIndex, erase
from vectorstore.index import Fields, IndexOutdated, IndexUnavailable, Match, Point, WrongDimension

FIELDS: Fields = {"brand": "keyword", "price": "integer"}

WRITER = """
import asyncio, sys
from pathlib import Path
from vectorstore.edge import EdgeIndex
from vectorstore.index import Point

async def main():
    index = await EdgeIndex.open(Path(sys.argv[1]), 4, {"brand": "keyword", "price": "integer"})
    for number in range(10_000):
        await index.upsert([Point(str(number), {"brand": "a", "price": number}, f"lamp {number}")])
        print(number, flush=True)

asyncio.run(main())
"""


async def test_points_vectors_and_words_are_there_after_reopening(tmp_path: Path) -> None:
    index = await EdgeIndex.open(tmp_path, 4, FIELDS)
    await index.upsert([Point("a", {"brand": "x"}, "blue lamp"), Point("b", {"brand": "y"}, "red lamp")])
    await index.set_vectors({"a": np.array([1, 0, 0, 0], dtype=np.float32)})
    await index.close()
    await index.close()
    again = await EdgeIndex.open(tmp_path, 4, {**FIELDS, "size": "keyword"})
    assert [hit.id for hit in await again.search("lamp", None, Match("brand", ["y"]), 5)] == ["b"]
    assert await again.missing_dense(5) == [("b", "red lamp")]
    assert (await again.facets(["size"], None, 5)) == {"size": []}
    await again.close()


def acknowledged_until_killed(folder: Path) -> list[int]:
    writer = subprocess.Popen([sys.executable, "-c", WRITER, str(folder)], stdout=subprocess.PIPE, cwd=Path.cwd())
    assert writer.stdout is not None
    acknowledged = [int(writer.stdout.readline()) for _ in range(150)]
    os.kill(writer.pid, signal.SIGKILL)
    acknowledged += [int(line) for line in writer.stdout.read().splitlines()]
    writer.stdout.close()
    writer.wait(10)
    return acknowledged


@pytest.mark.processes
async def test_every_write_that_returned_survives_a_kill(tmp_path: Path) -> None:
    acknowledged = acknowledged_until_killed(tmp_path)
    index = await EdgeIndex.open(tmp_path, 4, FIELDS)
    assert {str(number) for number in acknowledged} <= await index.ids()
    assert (await index.search(f"lamp {acknowledged[-1]}", None, None, 1))[0].id == str(acknowledged[-1])
    await index.close()


async def test_a_folder_that_is_open_already_is_refused(tmp_path: Path) -> None:
    first = await EdgeIndex.open(tmp_path, 4, FIELDS)
    with pytest.raises(IndexUnavailable, match="one process at a time"):
        await EdgeIndex.open(tmp_path, 4, FIELDS)
    await first.close()


async def test_a_folder_made_for_another_model_is_refused_until_erased(tmp_path: Path) -> None:
    await (await EdgeIndex.open(tmp_path, 4, FIELDS)).close()
    with pytest.raises(WrongDimension, match="rebuild"):
        await EdgeIndex.open(tmp_path, 8, FIELDS)
    erase(tmp_path)
    await (await EdgeIndex.open(tmp_path, 8, FIELDS)).close()


async def test_a_folder_of_another_version_is_refused(tmp_path: Path) -> None:
    await (await EdgeIndex.open(tmp_path, 4, FIELDS)).close()
    (tmp_path / "index.json").write_text(json.dumps({"format": 0, "dim": 4}))
    with pytest.raises(IndexOutdated, match="index again"):
        await EdgeIndex.open(tmp_path, 4, FIELDS)


async def test_a_first_start_that_was_interrupted_is_begun_again(tmp_path: Path) -> None:
    (tmp_path / "shard" / "segments").mkdir(parents=True)
    (tmp_path / "shard" / "edge_config.json").write_text("{")
    index = await EdgeIndex.open(tmp_path, 4, FIELDS)
    assert await index.count() == 0
    await index.close()
