"""What turns text into vectors, whoever does it."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float32]
Matrix = NDArray[np.float32]

QUERY_TOKENS = 256
BULK_TOKENS = 128


class Embedder(Protocol):
    """Sentences to unit vectors. `name` tells one vector space from another: an index holds vectors of one name."""

    @property
    def name(self) -> str: ...

    @property
    def dim(self) -> int: ...

    async def embed_query(self, text: str) -> Vector: ...

    async def embed_documents(self, texts: Sequence[str]) -> Matrix:
        """One row a text, in the order given; shape (0, dim) for no text."""
        ...


def unit(vectors: Matrix) -> Matrix:
    """Rows scaled to length one; a row of zeros stays zero."""
    lengths = np.linalg.norm(vectors, axis=-1, keepdims=True)
    scaled: Matrix = (vectors / np.maximum(lengths, 1e-12)).astype(np.float32)
    return scaled
