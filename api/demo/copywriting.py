"""Titles, descriptions and attributes in words."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random

from api.demo.words import Kind

_PLACE = re.compile(r"{(\w+)}")
_SINGULAR = re.compile(r"\b(?:[Aa]|[Tt]his) {(\w+)}")
_AN = re.compile(r"\b([Aa]) (?=[aeio](?!ne\b))")
_STAY_SMALL = frozenset({"a", "and", "cm", "g", "inch", "kg", "m", "mAh", "ml", "mm", "of", "to", "with"})
_ORDERS = (
    ("open", "detail", "use", "care"),
    ("open", "use", "detail", "care"),
    ("open", "detail", "detail", "close"),
    ("detail", "open", "use"),
    ("open", "detail", "close", "care"),
    ("open", "use", "close"),
    ("use", "open", "detail", "detail", "care"),
)


@dataclass(frozen=True)
class Copy:
    """The words about one product, filled into the templates of its kind."""

    kind: Kind
    facts: Mapping[str, str]
    colours: Sequence[str]
    words: Mapping[str, str]

    @classmethod
    def of(cls, kind: Kind, brand: str, line: str, facts: Mapping[str, str], colours: Sequence[str]) -> "Copy":
        words = {"brand": brand, "line": line}
        for name, value in facts.items():
            words |= {name: value, name.capitalize(): _titled(value)}
        if len(colours) == 1:
            words |= {"colour": colours[0].lower(), "Colour": colours[0]}
        return cls(kind, facts, colours, words)

    def title(self, draw: Random) -> str:
        return draw.choice(self._sayable(self.kind.titles)).format_map(self.words)

    def description(self, draw: Random) -> str:
        kind = self.kind
        pools = {"open": kind.open, "detail": kind.detail, "use": kind.use, "care": kind.care, "close": kind.close}
        piles = {name: _shuffled(self._sayable(pool), draw) for name, pool in pools.items()}
        parts = [piles[part].pop() for part in draw.choice(_ORDERS)]
        return " ".join(_sentence(part.format_map(self.words)) for part in parts)

    def attributes(self) -> dict[str, str]:
        """The facts by name, and `colour` as a comma-separated list."""
        return {**self.facts, "colour": ", ".join(self.colours)} if self.colours else dict(self.facts)

    def _sayable(self, templates: Sequence[str]) -> list[str]:
        """Those whose every word is known: a product in three colours names none, gloves are not `a gloves`."""
        return [text for text in templates if self._can_say(text)]

    def _can_say(self, text: str) -> bool:
        known = all(name in self.words for name in _PLACE.findall(text))
        return known and not any(self.words[name].endswith("s") for name in _SINGULAR.findall(text))


def _shuffled(lines: list[str], draw: Random) -> list[str]:
    return draw.sample(lines, len(lines))


def _titled(value: str) -> str:
    return " ".join(word if word in _STAY_SMALL else word[:1].upper() + word[1:] for word in value.split())


def _sentence(text: str) -> str:
    text = _AN.sub(r"\1n ", text)
    return text[:1].upper() + text[1:]
