import asyncio
import os
import select
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest

from vectorstore.bulk import BulkEmbedder, BulkEmbedderFailed
from vectorstore.onnx_embedder import OnnxEmbedder

TEXTS = ["red shoes", "a much longer text about a wooden table for the garden and its chairs", "laptop", ""]


@pytest.fixture(scope="module")
async def embedder() -> AsyncIterator[OnnxEmbedder]:
    opened = OnnxEmbedder()
    yield opened
    await opened.close()


async def test_vectors_are_unit_length_and_in_the_order_of_the_texts(embedder: OnnxEmbedder) -> None:
    vectors = await embedder.embed_documents(TEXTS)
    assert vectors.shape == (len(TEXTS), embedder.dim)
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    for text, vector in zip(TEXTS, vectors, strict=True):
        assert float(await embedder.embed_query(text) @ vector) > 0.9999


async def test_like_meanings_lie_near(embedder: OnnxEmbedder) -> None:
    sneaker, shoe, drill = await embedder.embed_documents(["sneakers", "running shoes", "electric drill"])
    assert sneaker @ shoe > sneaker @ drill + 0.2


async def test_no_text_gives_no_row(embedder: OnnxEmbedder) -> None:
    assert (await embedder.embed_documents([])).shape == (0, embedder.dim)


async def test_a_repeated_query_is_answered_from_memory_and_cannot_be_changed(embedder: OnnxEmbedder) -> None:
    first = await embedder.embed_query("blue lamp")
    assert await embedder.embed_query("blue lamp") is first
    with pytest.raises(ValueError, match="read-only"):
        first[0] = 1


async def test_very_long_text_is_cut_and_not_refused(embedder: OnnxEmbedder) -> None:
    assert (await embedder.embed_query("chair " * 5000)).shape == (embedder.dim,)


def test_a_folder_without_a_model_says_so(tmp_path: Path) -> None:
    with pytest.raises(Exception, match=r"tokenizer|No such file"):
        OnnxEmbedder(tmp_path)


@pytest.mark.processes
async def test_bulk_vectors_equal_those_of_queries(embedder: OnnxEmbedder) -> None:
    bulk = BulkEmbedder()
    many = [f"{text} {number}" for number in range(100) for text in TEXTS]
    vectors = await bulk.embed(many)
    assert vectors.shape == (400, embedder.dim)
    for row in range(0, 400, 37):
        assert float(await embedder.embed_query(many[row]) @ vectors[row]) > 0.9999
    await bulk.close()
    assert bulk.pid is None


@pytest.mark.processes
async def test_bulk_calls_at_once_get_their_own_answers() -> None:
    bulk = BulkEmbedder()
    one, two = await asyncio.gather(bulk.embed(["lamp"]), bulk.embed(["chair", "lamp"]))
    assert one.shape[0] == 1
    assert two.shape[0] == 2
    assert one[0] @ two[1] > 0.98 > one[0] @ two[0]
    await bulk.close()


@pytest.mark.processes
async def test_a_killed_bulk_process_is_reported_and_replaced() -> None:
    bulk = BulkEmbedder()
    await bulk.embed(["lamp"])
    assert bulk.pid is not None
    os.kill(bulk.pid, signal.SIGSTOP)
    waiting = asyncio.create_task(bulk.embed(["chair"]))
    os.kill(bulk.pid, signal.SIGKILL)
    with pytest.raises(BulkEmbedderFailed):
        await waiting
    assert (await bulk.embed(["chair"])).shape[0] == 1
    await bulk.close()


@pytest.mark.processes
async def test_a_cancelled_bulk_call_leaves_no_answer_for_the_next() -> None:
    bulk = BulkEmbedder()
    await bulk.embed(["lamp"])
    cancelled = asyncio.create_task(bulk.embed(["lamp " * 100] * 600))
    await asyncio.sleep(0)
    cancelled.cancel()
    with pytest.raises(asyncio.CancelledError):
        await cancelled
    assert (await bulk.embed(["chair", "table"])).shape[0] == 2
    await bulk.close()


@pytest.mark.processes
@pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="waits for the end of a process as Linux does")
async def test_an_idle_bulk_process_ends_and_comes_back() -> None:
    bulk = BulkEmbedder(idle_seconds=0.05)
    await bulk.embed(["lamp"])
    assert bulk.pid is not None
    ended = os.pidfd_open(bulk.pid)
    readable, _, _ = await asyncio.to_thread(select.select, [ended], [], [], 10)
    os.close(ended)
    assert readable
    assert (await bulk.embed(["lamp"])).shape[0] == 1
    await bulk.close()


PARENT = """
import asyncio
from vectorstore.bulk import BulkEmbedder

async def main():
    bulk = BulkEmbedder()
    await bulk.embed(["lamp"])
    print(bulk.pid, flush=True)
    await bulk.embed(["a long text about lamps " * 20] * 100_000)

asyncio.run(main())
"""


@pytest.mark.processes
@pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="waits for the end of a process as Linux does")
def test_a_busy_bulk_process_dies_with_its_parent() -> None:
    with subprocess.Popen([sys.executable, "-c", PARENT], stdout=subprocess.PIPE, cwd=Path.cwd()) as parent:
        assert parent.stdout is not None
        child = os.pidfd_open(int(parent.stdout.readline()))
        parent.kill()
        readable, _, _ = select.select([child], [], [], 10)
        os.close(child)
    assert readable
