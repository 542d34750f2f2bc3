"""Embedding by the thousand without slowing the queries: a niced process of its own.

`python -m vectorstore.bulk <model_dir> <threads> <max_tokens>` reads requests on stdin and answers on stdout, in
order. A request is a little-endian u32 length and that many bytes of JSON, a list of texts. An answer is two u32,
rows and columns, and the rows as little-endian float32.
"""

import asyncio
import contextlib
import ctypes
import json
import os
import signal
import struct
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

import numpy as np

from vectorstore.embeddings import BULK_TOKENS, Matrix
from vectorstore.onnx_session import BUNDLED_MODEL, OnnxSession

_LENGTH = struct.Struct("<I")
_SHAPE = struct.Struct("<II")
_TEXTS_A_REQUEST = 256
_NICENESS = 10
_PR_SET_PDEATHSIG = 1


class BulkEmbedderFailed(RuntimeError):
    """The embedding process ended while it had work; the next call starts a new one."""


class BulkEmbedder:
    """Embeds many texts in a separate low-priority process, in the same vector space as OnnxEmbedder.

    The process starts with the first call (0.3 s), ends after `idle_seconds` without work, and dies with
    its parent. Calls queue behind one another.
    """

    def __init__(
        self,
        model_dir: Path = BUNDLED_MODEL,
        *,
        threads: int = 2,
        max_tokens: int = BULK_TOKENS,
        idle_seconds: float = 60.0,
    ) -> None:
        self._command = (sys.executable, "-m", "vectorstore.bulk", str(model_dir), str(threads), str(max_tokens))
        self._idle_seconds = idle_seconds
        self._turn = asyncio.Lock()
        self._process: asyncio.subprocess.Process | None = None
        self._idle: asyncio.TimerHandle | None = None
        self._ending: asyncio.Task[None] | None = None

    @property
    def pid(self) -> int | None:
        """The process's id while it lives."""
        return self._process.pid if self._process and self._process.returncode is None else None

    async def embed(self, texts: Sequence[str]) -> Matrix:
        """One unit vector a text, in the order given. Raises BulkEmbedderFailed if the process breaks."""
        if not texts:
            return np.zeros((0, 0), dtype=np.float32)
        async with self._turn:
            self._stop_clock()
            try:
                return await self._exchange(list(texts))
            except (OSError, EOFError) as error:
                code = await self._end()
                message = f"the embedding process ended with code {code}"
                raise BulkEmbedderFailed(message) from error
            except asyncio.CancelledError:
                await self._end()  # its answer would be taken for the next caller's
                raise
            finally:
                self._idle = asyncio.get_running_loop().call_later(self._idle_seconds, self._end_idle)

    async def close(self) -> None:
        """End the process after the call that runs."""
        async with self._turn:
            self._stop_clock()
            await self._end()

    async def _exchange(self, texts: list[str]) -> Matrix:
        process = await self._running()
        requests = [texts[start : start + _TEXTS_A_REQUEST] for start in range(0, len(texts), _TEXTS_A_REQUEST)]
        return np.concatenate([await _ask(process, request) for request in requests])

    async def _running(self) -> asyncio.subprocess.Process:
        if self._process is None or self._process.returncode is not None:
            self._process = await asyncio.create_subprocess_exec(
                *self._command,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                env=os.environ | {"PYTHONPATH": os.pathsep.join(path or str(Path.cwd()) for path in sys.path)},
            )
        return self._process

    async def _end(self) -> int | None:
        process, self._process = self._process, None
        if process is None:
            return None
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
        return await process.wait()

    def _stop_clock(self) -> None:
        if self._idle is not None:
            self._idle.cancel()
            self._idle = None

    def _end_idle(self) -> None:
        self._ending = asyncio.get_running_loop().create_task(self._close_unless_busy())

    async def _close_unless_busy(self) -> None:
        if not self._turn.locked():
            await self.close()


async def _ask(process: asyncio.subprocess.Process, texts: list[str]) -> Matrix:
    assert process.stdin is not None  # noqa: S101 - both are pipes
    assert process.stdout is not None  # noqa: S101
    body = json.dumps(texts).encode()
    process.stdin.write(_LENGTH.pack(len(body)) + body)
    await process.stdin.drain()
    rows, columns = _SHAPE.unpack(await process.stdout.readexactly(_SHAPE.size))
    data = await process.stdout.readexactly(rows * columns * 4)
    return np.frombuffer(data, dtype="<f4").reshape(rows, columns).astype(np.float32)


def serve(session: OnnxSession, requests: BinaryIO, answers: BinaryIO) -> None:
    """Answer until the requests end."""
    while header := requests.read(_LENGTH.size):
        (length,) = _LENGTH.unpack(header)
        vectors = session.embed(json.loads(requests.read(length)))
        answers.write(_SHAPE.pack(*vectors.shape) + vectors.astype("<f4").tobytes())
        answers.flush()


def _die_with_parent() -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def main(arguments: Sequence[str]) -> None:
    model_dir, threads, max_tokens = arguments
    _die_with_parent()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides when to end
    os.nice(_NICENESS)
    session = OnnxSession(Path(model_dir), threads=int(threads), max_tokens=int(max_tokens))
    serve(session, sys.stdin.buffer, sys.stdout.buffer)


if __name__ == "__main__":
    main(sys.argv[1:])
