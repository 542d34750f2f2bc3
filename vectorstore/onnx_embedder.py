import asyncio
from collections import OrderedDict
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Lock

from vectorstore.embeddings import QUERY_TOKENS, Matrix, Vector
from vectorstore.onnx_session import BUNDLED_MODEL, OnnxSession

_REMEMBERED_QUERIES = 1024


class OnnxEmbedder:
    """Embeds queries in this process, in a thread of its own; the last queries are remembered.

    Loading takes about 0.3 s and happens in the constructor. For thousands of documents use BulkEmbedder.
    """

    def __init__(self, model_dir: Path = BUNDLED_MODEL, threads: int = 1) -> None:
        self._session = OnnxSession(model_dir, threads=threads, max_tokens=QUERY_TOKENS)
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="embedder")
        self._remembered: OrderedDict[str, Vector] = OrderedDict()
        self._memory = Lock()

    @property
    def name(self) -> str:
        return self._session.name

    @property
    def dim(self) -> int:
        return self._session.dim

    async def embed_query(self, text: str) -> Vector:
        known = self._known(text)
        return known if known is not None else self._remember(text, (await self.embed_documents([text]))[0])

    def embed_now(self, text: str) -> Vector:
        """The same vector in the caller's own thread, which it blocks for about 3 ms."""
        known = self._known(text)
        return known if known is not None else self._remember(text, self._session.embed([text])[0])

    def _known(self, text: str) -> Vector | None:
        with self._memory:
            vector = self._remembered.get(text)
            if vector is not None:
                self._remembered.move_to_end(text)
            return vector

    def _remember(self, text: str, vector: Vector) -> Vector:
        vector.flags.writeable = False  # shared between callers from here on
        with self._memory:
            self._remembered[text] = vector
            if len(self._remembered) > _REMEMBERED_QUERIES:
                self._remembered.popitem(last=False)
        return vector

    async def embed_documents(self, texts: Sequence[str]) -> Matrix:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._thread, self._session.embed, list(texts))

    async def close(self) -> None:
        """Wait for the running embedding, then end the thread."""
        await asyncio.to_thread(self._thread.shutdown)
        self._session.close()
