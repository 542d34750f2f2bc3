"""How people's words and stored words meet: category, brand, colour and size as keys to compare by."""

import re
from collections.abc import Iterable

from vectorstore.lexical import singular

_SIZE_SYSTEM = re.compile(r"^(?:size|uk|us|eu|eur|ind|in|india)[\s:-]*(?=\d)")
_COLOUR_WORDS = re.compile(r"[^\w]+")
_SPELLINGS = {"gray": "grey", "multicolor": "multicolour", "multi": "multicolour"}


def key_of(text: str) -> str:
    """Lower case, single spaces."""
    return " ".join(text.casefold().split())


def category_key(path: str) -> str:
    """A category name or path to compare by: lower case, singular, `a > b`."""
    return " > ".join(_singular(part) for part in path.split(">") if part.strip())


def category_keys(path: str) -> tuple[str, ...]:
    """Everything a product of this category is found by: each level's name and each path from the top."""
    levels = [_singular(part) for part in path.split(">") if part.strip()]
    paths = [" > ".join(levels[: depth + 1]) for depth in range(len(levels))]
    return tuple(dict.fromkeys([*levels, *paths]))


def colour_key(colour: str) -> str:
    return " ".join(_SPELLINGS.get(word, word) for word in key_of(colour).split())


def colour_keys(colour: str) -> tuple[str, ...]:
    """The colour itself and its words: "Navy Blue" is found by "navy blue", "navy" and "blue"."""
    whole = colour_key(colour)
    words = [_SPELLINGS.get(word, word) for word in _COLOUR_WORDS.split(whole) if word]
    return tuple(dict.fromkeys([whole, *words]))


def size_key(size: str) -> str:
    """Without the name of the size system: "UK 8" and "8" are asked for alike."""
    return _SIZE_SYSTEM.sub("", key_of(size))


def size_keys(size: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys([key_of(size), size_key(size)]))


def distinct(words: Iterable[str | None]) -> tuple[str, ...]:
    """In order of appearance, the first spelling of each."""
    seen: dict[str, str] = {}
    for word in words:
        if word:
            seen.setdefault(key_of(word), word)
    return tuple(seen.values())


def _singular(text: str) -> str:
    return " ".join(singular(word) for word in key_of(text).split())
