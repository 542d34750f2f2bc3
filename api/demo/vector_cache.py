"""Vectors of the demo's products, made once and committed, so that a new shop understands questions at once.

Rows are int8 with a scale of their own and are found by the hash of the text they were made from; a text that has
changed since is simply not there.
"""

import hashlib
from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np

from vectorstore.embeddings import Matrix, Vector, unit

CACHE = Path(__file__).parent / "vectors.npz"
_KEY_BYTES = 16


def key_of(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()[:_KEY_BYTES]


def save(texts: Iterable[str], vectors: Matrix, path: Path = CACHE) -> None:
    """One row of `vectors` (unit length) a text."""
    keys = np.frombuffer(b"".join(key_of(text) for text in texts), dtype=np.uint8).reshape(-1, _KEY_BYTES)
    largest = np.abs(vectors).max(axis=1, keepdims=True)
    rows = np.rint(vectors / largest * 127).astype(np.int8)
    np.savez_compressed(path, keys=keys, rows=rows)


def load(path: Path = CACHE) -> Mapping[bytes, Vector]:
    """Unit vectors by key."""
    with np.load(path) as stored:
        keys, rows = stored["keys"], unit(stored["rows"].astype(np.float32))
    return {key.tobytes(): row for key, row in zip(keys, rows, strict=True)}
