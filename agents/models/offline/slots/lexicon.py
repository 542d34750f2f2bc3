"""The live catalogue's words, ready to be found in a sentence, typing mistakes allowed."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from rapidfuzz import process
from rapidfuzz.distance import DamerauLevenshtein

from agents.models.offline.slots.common_words import COMMON
from services.contracts.catalog import Vocabulary

Field = Literal["category", "brand", "colour"]
_WORD = re.compile(r"[\w.'+]+|&")
_LONGEST_PHRASE = 4
_THINGS_WITH_COLOURS = frozenset(
    [
        "pepper",
        "tea",
        "apple",
        "apples",
        "rice",
        "sugar",
        "juice",
        "plated",
        "salt",
        "chilli",
        "chili",
        "cardamom",
        "coffee",
        "bean",
        "beans",
        "gram",
        "chana",
        "onion",
        "lentils",
        "forest",
    ]
)
_SHORTEST_FUZZY = 5
HINGLISH_COLOURS = {
    "lal": "red", "laal": "red", "kala": "black", "kali": "black", "kaale": "black", "kale": "black", "safed": "white",
    "safaid": "white", "neela": "blue", "neeli": "blue", "nila": "blue", "neele": "blue", "hara": "green",
    "hari": "green", "hare": "green", "peela": "yellow", "peeli": "yellow", "pila": "yellow", "gulabi": "pink",
    "bhura": "brown", "baingani": "purple", "narangi": "orange", "sunehra": "gold", "gray": "grey", "golden": "gold",
    "violet": "purple", "offwhite": "cream",
}  # fmt: skip
HINGLISH_THINGS = {
    "joote": "shoes", "jute": "shoes", "jutey": "shoes", "juta": "shoes", "joota": "shoes", "chappal": "sandals",
    "ghadi": "watch", "ghadiyan": "watches", "kitab": "book", "kitaab": "book", "kitaben": "books", "kapde": "clothes",
    "kameez": "shirt", "khilona": "toy", "khilone": "toys", "chashma": "sunglasses", "bartan": "cookware",
    "sari": "saree", "saari": "saree", "lehnga": "lehenga", "mobile": "smartphone", "mobiles": "smartphones",
    "chai": "tea", "tohfa": "gift", "masala": "spices", "jhola": "bag", "batua": "wallet", "chadar": "bedsheet",
}  # fmt: skip


def stem(word: str) -> str:
    """Singular and plural meet; nothing cleverer."""
    if len(word) > 4 and word.endswith("ies"):
        return word[:-3] + "y"
    if len(word) > 4 and word.endswith(("shes", "ches", "xes", "sses")):
        return word[:-2]
    if len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us", "'s")):
        return word[:-1]
    return word.removesuffix("'s")


def key(phrase: str) -> str:
    """`T-Shirts`, `tshirt` and `t shirt` share a key."""
    return "".join(stem(word) for word in _WORD.findall(phrase.lower().replace("-", " ")))


@dataclass(frozen=True)
class Found:
    field: Field
    value: str
    start: int
    end: int


class Lexicon:
    """Built once per vocabulary; values come back exactly as the catalogue writes them."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self._vocabulary = vocabulary
        self._exact: dict[str, tuple[Field, str]] = {}
        self._learn("category", _leaves(vocabulary.categories))
        self._learn("brand", {key(name): name for name in vocabulary.brands})
        self._learn("colour", {key(name): name for name in vocabulary.colours})
        self._typable = [word for word in self._exact if len(word) >= _SHORTEST_FUZZY]
        self._learn_synonyms()

    def _learn(self, field: Field, words: Mapping[str, str]) -> None:
        for word, value in words.items():
            if word:
                self._exact[word] = (field, value)

    def _learn_synonyms(self) -> None:
        for said, meant in HINGLISH_COLOURS.items():
            if key(meant) in self._exact:
                self._exact.setdefault(said, self._exact[key(meant)])
        for said, meant in HINGLISH_THINGS.items():
            if key(meant) in self._exact:
                self._exact.setdefault(said, self._exact[key(meant)])

    @cached_property
    def sizes(self) -> dict[str, str]:
        """Size as people type it (`8`, `xl`) → as the catalogue writes it."""
        known = {}
        for size in self._vocabulary.sizes:
            plain = size.lower().replace("–", "-").strip()
            known[plain] = size
            known.setdefault(re.sub(r"^(?:uk|us|eu|ind|size)\s*", "", plain), size)
        return known

    def find(self, text: str) -> list[Found]:
        """Catalogue words in the text from left to right, the longest phrase first, without overlaps."""
        words = list(_WORD.finditer(text.replace("-", " ")))
        found, position = [], 0
        while position < len(words):
            hit, used = self._longest(text, words, position)
            if hit:
                found.append(hit)
            position += used
        return found

    def _longest(self, text: str, words: list[re.Match[str]], position: int) -> tuple[Found | None, int]:
        for count in range(min(_LONGEST_PHRASE, len(words) - position), 0, -1):
            start, end = words[position].start(), words[position + count - 1].end()
            if "§" in text[start:end] or (start and text[start - 1] == "§"):
                continue
            known = self._exact.get(key(text[start:end])) or self._mistyped(text[start:end], count)
            if known and known[0] == "colour" and self._names_a_thing(text, start, end):
                continue
            if known:
                return Found(known[0], known[1], start, end), count
        return None, 1

    @staticmethod
    def _names_a_thing(text: str, start: int, end: int) -> bool:
        """`green tea`, `olives`, `gold plated`: the colour is part of what the thing is called."""
        following = _WORD.match(text[end:].lstrip())
        plural = text[start:end].endswith("s") and not text[start:end].endswith("ss")
        return plural or (following is not None and following.group() in _THINGS_WITH_COLOURS)

    def _mistyped(self, phrase: str, count: int) -> tuple[Field, str] | None:
        """One slip in five to seven letters, two in more; the first letter must stand and no common word is bent."""
        word = key(phrase)
        if len(word) < _SHORTEST_FUZZY or any(part in COMMON for part in phrase.split()) or word in COMMON:
            return None
        slips = 1 if len(word) < 8 or count > 1 else 2
        match = process.extractOne(word, self._typable, scorer=DamerauLevenshtein.distance, score_cutoff=slips)
        if match is None or match[0][0] != word[0] or abs(len(match[0]) - len(word)) > 1:
            return None
        return self._exact[match[0]]


def _leaves(categories: Iterable[str]) -> dict[str, str]:
    """`Shoes > Sneakers` is known by its last part, `Shoes` by itself; a name found in two places stays a name."""
    known: dict[str, str] = {}
    above: dict[str, str] = {}
    for path in categories:
        levels = re.split(r"\s*[>/|]\s*", path)
        leaf = key(levels[-1])
        known[leaf] = levels[-1] if leaf in known and known[leaf] != path else path
        above |= {key(levels[depth]): " > ".join(levels[: depth + 1]) for depth in range(len(levels) - 1)}
    return above | known
