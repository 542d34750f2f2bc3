"""A sentence while it is being read."""

import re
import unicodedata

MARK = "§"
_SPACES = re.compile(r"\s+")
_GROUPED = re.compile(r"(?<=\d),(?=\d{2,3}(?:\D|$)|\d{2},)")
_QUOTES = str.maketrans({"’": "'", "‘": "'", "“": '"', "”": '"', "–": "-", "—": "-", "₹": " rs "})


def normalise(text: str) -> str:
    """Lower case, plain quotes and dashes, ₹ as `rs`, no digit grouping, single spaces."""
    plain = unicodedata.normalize("NFKC", text.translate(_QUOTES)).lower()
    return _SPACES.sub(" ", _GROUPED.sub("", plain).replace("/-", " rs ").replace("?", " ? ")).strip()


class Draft:
    """What has been understood is replaced by a mark such as `§price`; the rest is still to be read."""

    def __init__(self, text: str) -> None:
        self.said = text
        self.text = normalise(text)

    def take(self, pattern: re.Pattern[str], mark: str) -> re.Match[str] | None:
        found = pattern.search(self.text)
        if found:
            self.cut(found.start(), found.end(), mark)
        return found

    def take_all(self, pattern: re.Pattern[str], mark: str) -> list[re.Match[str]]:
        found = []
        while (match := self.take(pattern, mark)) is not None:
            found.append(match)
        return found

    def cut(self, start: int, end: int, mark: str) -> None:
        self.text = _SPACES.sub(" ", f"{self.text[:start]} {MARK}{mark} {self.text[end:]}").strip()
