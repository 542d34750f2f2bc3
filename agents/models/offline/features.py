"""Cheap lexical features of a sentence: its words and letter groups, catalogue words and numbers masked."""

import re
import zlib
from collections.abc import Iterator
from itertools import combinations, pairwise

import numpy as np
import numpy.typing as npt

from agents.models.offline.concepts import concepts
from agents.models.offline.glossary import plain
from agents.models.offline.slots.grammar import Slots

Vector = npt.NDArray[np.float32]
DIM = 4096
_WORD = re.compile(r"§?[\w']+|\?")
_DIGITS = re.compile(r"\d+")
_LETTER_GROUP = 3


def lexical(slots: Slots) -> Vector:
    """A unit vector of hashed words, neighbouring words, letter groups and slot flags."""
    vector = np.zeros(DIM, dtype=np.float32)
    for feature, weight in _features(slots):
        vector[zlib.crc32(feature.encode()) % DIM] += weight
    length = float(np.linalg.norm(vector))
    return vector / length if length else vector


def _features(slots: Slots) -> Iterator[tuple[str, float]]:
    words = [_DIGITS.sub("0", word) for word in _WORD.findall(plain(slots.masked))]
    yield from ((f"w:{word}", 1.0) for word in words)
    framed = ["<", *words, ">"]
    yield from ((f"b:{left} {right}", 0.8) for left, right in pairwise(framed))
    yield from ((f"g:{group}", 0.3) for word in words if word[0] != "§" for group in _groups(word))
    meant = concepts(" ".join(words))
    yield from ((f"c:{concept}", 1.0) for concept in meant)
    yield from ((f"p:{left} {right}", 0.4) for left, right in combinations(meant, 2))
    yield from ((f"f:{flag}", 0.7) for flag in _flags(slots))
    yield f"n:{min(len(words), 9)}", 0.5


def _groups(word: str) -> Iterator[str]:
    framed = f"^{word}$"
    yield from (framed[i : i + _LETTER_GROUP] for i in range(len(framed) - _LETTER_GROUP + 1))


def _flags(slots: Slots) -> Iterator[str]:
    reference = slots.reference
    said = {
        "price": slots.prices.any, "category": bool(slots.categories), "brand": bool(slots.brands),
        "colour": bool(slots.colours), "qty": slots.quantity.qty is not None, "delta": slots.quantity.delta is not None,
        "pointed": reference.pointed, "pronoun": reference.pronoun, "several": len(reference.ordinals) > 1,
        "narrowed": slots.filters, "method": slots.method is not None, "order": slots.order_id is not None,
        "query": bool(slots.query),
    }  # fmt: skip
    yield from (name for name, holds in said.items() if holds)
