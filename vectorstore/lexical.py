"""Keyword weights for hybrid search: what text becomes before BM25 sees it.

Terms are lowercase, free of accents and of simple plurals. A model number is found whole and in parts:
"dv7-1211ea" gives "dv71211ea", "dv7" and "1211ea"; "16 GB" and "16gb" meet in "16gb".
The first line of a text is its heading and counts more than the lines below it.
"""

import re
import unicodedata
import zlib
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

# letters and digits of any script; Indic vowel signs are marks, which \w leaves out
_CHUNK = re.compile(r"[^\W_\u0900-\u0dff](?:[^\W_]|[-/.'+](?=[^\W_]))*|[\u0900-\u0dff]+")
_PART = re.compile(r"(?:[^\W_]|[\u0900-\u0dff])+")
_STOP_WORDS = frozenset(
    re.findall(
        r"\w+",
        "a an and are as at be but by for from has have i if in into is it its me my "
        "of on or our so some than that the their them these they this to was we were which will with you your",
    )
)
_SHORTEST_PLURAL = 4
_LONGEST_UNIT = 3

K1 = 1.2
B = 0.75
TYPICAL_LENGTH = 40.0
HEADING_WEIGHT = 2.0


@dataclass(frozen=True)
class TermWeights:
    """A sparse vector: term hashes in ascending order, and their weights."""

    indices: tuple[int, ...]
    values: tuple[float, ...]


def document_weights(text: str) -> TermWeights:
    """Saturated, length-normalised term frequencies; the rarity of a term is the index's part."""
    heading, _, body = text.partition("\n")
    in_heading, below = terms(heading), terms(body)
    frequencies: defaultdict[str, float] = defaultdict(float)
    for term in below:
        frequencies[term] += 1.0
    for term in in_heading:
        frequencies[term] += HEADING_WEIGHT
    length = len(in_heading) + len(below)
    damping = K1 * (1 - B + B * length / TYPICAL_LENGTH)
    return _sparse({term: tf * (K1 + 1) / (tf + damping) for term, tf in frequencies.items()})


def query_weights(text: str) -> TermWeights:
    """Each distinct term once; empty when the text holds none."""
    return _sparse(dict.fromkeys(terms(text), 1.0))


def terms(text: str) -> list[str]:
    """The index terms of a text in order; stop words only when there is nothing else."""
    found = list(_terms(_fold(text)))
    return [term for term in found if term not in _STOP_WORDS] or found


def _terms(text: str) -> Iterator[str]:
    number = ""
    for chunk in _CHUNK.findall(text):
        parts = _PART.findall(chunk) or [chunk]
        if number and len(chunk) <= _LONGEST_UNIT and chunk.isalpha():
            yield number + chunk
        number = chunk if chunk.isdigit() else ""
        if len(parts) > 1:
            yield "".join(parts)
        for part in parts:
            if len(part) > 1 or len(parts) == 1:
                yield singular(part)


@lru_cache(maxsize=50_000)
def singular(word: str) -> str:
    """Drop a regular English plural ending; other words stay as they are."""
    if len(word) < _SHORTEST_PLURAL or not word.isalpha() or word.endswith(("ss", "us", "is")):
        return word
    if word.endswith("ies"):
        return word[:-3] + "y"
    if word.endswith(("sses", "shes", "ches", "xes", "zes")):
        return word[:-2]
    return word.removesuffix("s")


def _fold(text: str) -> str:
    decomposed = unicodedata.normalize("NFKD", text.lower())
    return "".join(c for c in decomposed if not "\u0300" <= c <= "\u036f")


def _sparse(weights: dict[str, float]) -> TermWeights:
    hashed: dict[int, float] = {}
    for term, weight in weights.items():
        key = zlib.crc32(term.encode())
        hashed[key] = hashed.get(key, 0.0) + weight
    ordered = sorted(hashed)
    return TermWeights(tuple(ordered), tuple(hashed[key] for key in ordered))
