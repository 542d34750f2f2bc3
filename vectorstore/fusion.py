"""One ranking out of several, by rank alone: scores of keywords and vectors have no common scale."""

from collections.abc import Hashable, Sequence
from typing import TypeVar

Key = TypeVar("Key", bound=Hashable)

RANK_OFFSET = 60
KEYWORD_WEIGHT = 1.0
DENSE_WEIGHT = 0.4
DENSE_FLOOR = 0.25
"""Cosine below which a vector hit of a search is noise; without it every search would find 500 points."""
DEPTH = 500
"""How many of each ranking are looked at; fixed, so that every page of a search cuts the same list."""


def fuse(keywords: Sequence[Key], dense: Sequence[Key]) -> list[tuple[Key, float]]:
    """Weighted reciprocal ranks, best first; equal scores keep the order in which they came."""
    scores: dict[Key, float] = {}
    for ranking, weight in ((keywords, KEYWORD_WEIGHT), (dense, DENSE_WEIGHT)):
        for rank, key in enumerate(ranking, start=1):
            scores[key] = scores.get(key, 0.0) + weight / (RANK_OFFSET + rank)
    return sorted(scores.items(), key=lambda scored: -scored[1])
