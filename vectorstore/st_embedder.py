import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from vectorstore.embeddings import QUERY_TOKENS, Matrix, Vector


class SentenceTransformerEmbedder:
    """Any sentence-transformers model by name or folder; needs the extra `models`.

    Importing and loading take seconds, so that is done in `open`. Models trained with prompts
    (E5, BGE, …) get the ones their own configuration names for queries and documents.
    """

    def __init__(self, model: Any, name: str) -> None:
        self.name = name
        self.dim = int(model.get_embedding_dimension())
        self._model = model
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="embedder")

    @classmethod
    async def open(cls, name: str) -> "SentenceTransformerEmbedder":
        """Load the model; raises ModelsExtraMissing without the extra."""
        return cls(await asyncio.to_thread(_load, name), name)

    async def embed_query(self, text: str) -> Vector:
        vector: Vector = (await self._run(self._model.encode_query, [text]))[0]
        return vector

    async def embed_documents(self, texts: Sequence[str]) -> Matrix:
        if not texts:
            return np.zeros((0, self.dim), dtype=np.float32)
        return await self._run(self._model.encode_document, list(texts))

    async def close(self) -> None:
        await asyncio.to_thread(self._thread.shutdown)

    async def _run(self, encode: Any, texts: list[str]) -> Matrix:
        def embed() -> Matrix:
            vectors = encode(texts, normalize_embeddings=True, convert_to_numpy=True, show_progress_bar=False)
            return np.asarray(vectors, dtype=np.float32)

        return await asyncio.get_running_loop().run_in_executor(self._thread, embed)


class ModelsExtraMissing(ImportError):
    """sentence-transformers is not installed."""


def _load(name: str) -> Any:
    try:
        from sentence_transformers import SentenceTransformer
    except ImportError as error:
        message = f'the embedding model "{name}" needs the extra: pip install "cohort-marketplace[models]"'
        raise ModelsExtraMissing(message) from error
    model = SentenceTransformer(name, device="cpu")
    model.max_seq_length = min(model.max_seq_length or QUERY_TOKENS, QUERY_TOKENS)
    return model
