import asyncio
from collections import OrderedDict
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

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

    @property
    def name(self) -> str:
        return self._session.name

    @property
    def dim(self) -> int:
        return self._session.dim

    async def embed_query(self, text: str) -> Vector:
        known = self._remembered.get(text)
        if known is not None:
            self._remembered.move_to_end(text)
            return known
        vector: Vector = (await self.embed_documents([text]))[0]
        vector.flags.writeable = False  # shared between callers from here on
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
