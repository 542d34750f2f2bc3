# ruff: noqa: E501 - patterns and word lists read best unbroken
"""Settling on one variant: options narrowed by what was said, then by what is known of the shopper."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from agents.models.offline.slots.draft import normalise
from agents.models.offline.slots.lexicon import HINGLISH_COLOURS, key
from agents.models.offline.slots.numbers import ORDINALS
from agents.models.offline.slots.sizes import canonical
from agents.models.offline.turn import Json, State, paise

_ANY = re.compile(r"\b(?:any|whichever|whatever|doesn'?t matter|koi bhi|kuch bhi|you (?:choose|decide|pick))\b")
_CHEAPEST = re.compile(r"\b(?:cheap(?:est|er)|lowest|sast[aei])\b")
_ORDINAL = re.compile(
    r"\b(?:the )?(?P<n>" + "|".join(sorted(ORDINALS, key=len, reverse=True)) + r")\b(?: (?:one|option|wal[aei]))?"
)
_SIZE_WORD = re.compile(
    r"\b(?:size|uk|us|eu|number|sz)\s*(?:is\s*)?(?P<size>[\w.]+)|\b(?P<after>[\w.]+)\s*(?:size|number|no\.?)\b"
)
Hints = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Choice:
    """`options` are those left, all in stock. `refused`: what was named but is not to be had."""

    options: list[Json] = field(default_factory=list)
    refused: str = ""
    understood: bool = False

    @property
    def only(self) -> Json | None:
        return self.options[0] if len(self.options) == 1 else None

    @property
    def axes(self) -> dict[str, list[str]]:
        """What still differs: option name → values."""
        names: dict[str, list[str]] = {}
        for option in self.options:
            for name, value in (option.get("options") or {}).items():
                names.setdefault(name, [])
                if value not in names[name]:
                    names[name].append(str(value))
        return {name: values for name, values in names.items() if len(values) > 1}


_KEPT = (("colour", "colour"), ("size", "size"), ("size", "shoe_size"))


def hints_of(state: State) -> Hints:
    """Option values the last search or stated preferences suggest."""
    last = state.last_search or {}
    said = [(name, last.get(name)) for name in ("colour", "size")]
    kept = [(name, state.preferences.get(key)) for name, key in _KEPT]
    return tuple((name, str(value)) for name, value in [*said, *kept] if isinstance(value, str) and value)


def narrow(options: Sequence[Json], said: str, hints: Hints) -> Choice:
    """Keep what matches the words; hints settle only axes the words say nothing about."""
    stocked = [option for option in options if int(option.get("available", 1) or 0) > 0]
    words = normalise(said)
    spoken = _said_values(words, _values(options))
    left = [option for option in stocked if _fits(option, {n: v for n, v in spoken.items() if v})]
    understood = any(spoken.values())
    if not left:
        return Choice(list(stocked), refused=", ".join(v for v in spoken.values() if v), understood=understood)
    for name, hint in hints:
        if not spoken.get(name):
            left = [option for option in left if _same(_option(option, name), hint)] or left
    refused = "" if understood else _unknown_size(words, options)
    return Choice(left, refused=refused, understood=understood)


def pick(options: Sequence[Json], said: str, hints: Hints) -> Choice:
    """An answer to the question which one: values, `the first`, `any`, `the cheapest`."""
    choice = narrow(options, said, ())
    words = normalise(said)
    if choice.understood or choice.refused:
        return choice
    if _ANY.search(words):
        hinted = narrow(options, "", hints).options
        return Choice(hinted[:1], understood=True)
    if _CHEAPEST.search(words):
        return Choice([min(choice.options, key=lambda option: paise(option.get("price")))], understood=True)
    place = _ORDINAL.search(words)
    if place and len(words.split()) <= 5:
        n = ORDINALS[place["n"]]
        chosen = choice.options[-1:] if n == -1 else choice.options[n - 1 : n]
        return Choice(chosen or choice.options, understood=bool(chosen))
    return choice


def _values(options: Sequence[Json]) -> dict[str, list[str]]:
    values: dict[str, list[str]] = {}
    for option in options:
        for name, value in (option.get("options") or {}).items():
            values.setdefault(name, []).append(str(value))
    return {name: list(dict.fromkeys(found)) for name, found in values.items()}


def _said_values(words: str, values: Mapping[str, list[str]]) -> dict[str, str]:
    """The value said for each option; names first, so that in `white 9` the number stands alone afterwards."""
    spoken: dict[str, str] = {}
    for name in sorted(values, key=lambda name: all(value.isdigit() for value in values[name])):
        spoken[name] = _spoken(words, values[name], name)
        words = _without(words, spoken[name])
    return spoken


def _without(words: str, value: str) -> str:
    if not value or value.isdigit():
        return words
    gone = {
        value.lower(),
        *value.lower().split(),
        *(said for said, meant in HINGLISH_COLOURS.items() if meant == value.lower()),
    }
    kept = [word for word in words.replace(",", " ").split() if word not in gone]
    return " ".join(kept)


def _spoken(words: str, values: Sequence[str], name: str) -> str:
    """The value that is said; the longest wins, so that `navy blue` beats `blue`."""
    for value in sorted(values, key=len, reverse=True):
        if _says(words, value, name):
            return value
    return ""


def _says(words: str, value: str, name: str) -> bool:
    plain = value.lower().replace("–", "-")
    if plain.isdigit():
        return _says_number(words, plain, name)
    if len(plain) <= 2 and not re.search(
        rf"\bsize {plain}\b|\bin {plain}\b|^{plain}\b|\b{plain}(?: size)?(?: please| pls)?$|\b{plain} (?:chahiye|wal[aei])",
        words,
    ):
        return any(
            canonical(word) == plain
            for word in re.findall(r"[a-z-]{3,}", words)
            if word in {"small", "medium", "large"}
        )
    if plain in words:
        return re.search(rf"(?<![\w]){re.escape(plain)}(?![\w])", words) is not None
    compact = key(plain)
    tokens = words.split()
    joined = {key("".join(tokens[i:j])) for i in range(len(tokens)) for j in range(i + 1, min(i + 4, len(tokens)) + 1)}
    spoken = {HINGLISH_COLOURS.get(token, canonical(token)) for token in tokens}
    return compact in joined or plain in spoken


def _says_number(words: str, value: str, name: str) -> bool:
    """A bare number is a size when asked for one, unless it counts pieces."""
    if re.search(
        rf"\b(?:size|uk|us|eu|number|sz|saiz)\s*(?:is\s*|no\.?\s*)?{value}\b(?!\.\d)|\b{value}\s*(?:size|number|no\.?|wal[aei])\b",
        words,
    ):
        return True
    bare = re.fullmatch(
        rf"(?:(?:in|and|wal[aei]|one|the|a|an|i want|i need|give me|uk|its|it's|ok|yes|my size is|i take|i wear)\s+)*{value}(?:\s*(?:one|please|pls|chahiye|de do|is fine|will do|works|thanks|only))*[.!]?",
        words,
    )
    return bare is not None and name != "colour"


def _fits(option: Json, wanted: Mapping[str, str]) -> bool:
    return all(_same(_option(option, name), value) for name, value in wanted.items())


def _option(option: Json, name: str) -> str:
    return str((option.get("options") or {}).get(name, ""))


def _same(left: str, right: str) -> bool:
    return canonical(left) == canonical(right)


def _unknown_size(words: str, options: Sequence[Json]) -> str:
    """A size named that no option has."""
    known = {canonical(value) for values in _values(options).values() for value in values}
    found = _SIZE_WORD.search(words)
    said = (found["size"] or found["after"]) if found else words if re.fullmatch(r"\d{1,2}|xs|s|m|l|x+l", words) else ""
    looks_like_size = re.fullmatch(r"\d{1,2}(?:\.5)?|xs|s|m|l|x+l|\dxl|small|medium|large", said) is not None
    return said if looks_like_size and canonical(said) not in known else ""
