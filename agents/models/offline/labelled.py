"""The labelled sentences and their split."""

import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from services.contracts.catalog import Vocabulary

Part = Literal["train", "validation", "test"]
DATA = Path(__file__).with_name("data")
_SEED = 20_261
_TEST, _VALIDATION = 0.2, 0.1


@dataclass(frozen=True)
class Labelled:
    intent: str
    text: str
    tag: str = ""


def labelled(path: Path = DATA / "utterances.txt") -> Iterator[Labelled]:
    intent = ""
    for line in path.read_text("utf-8").splitlines():
        if line.startswith("## "):
            intent = line[3:].strip()
        elif line.strip() and not line.startswith("#"):
            tag, _, text = line.rpartition("| ")
            yield Labelled(intent, text.strip(), tag)


def split(sentences: list[Labelled], seed: int = _SEED) -> dict[Part, list[Labelled]]:
    """A sentence's own words and the seed decide where it goes, so that new sentences move no old one."""
    parts: dict[Part, list[Labelled]] = {"train": [], "validation": [], "test": []}
    for sentence in sentences:
        draw = zlib.crc32(f"{seed} {sentence.text}".encode()) / 2**32
        part: Part = "test" if draw < _TEST else "validation" if draw < _TEST + _VALIDATION else "train"
        parts[part].append(sentence)
    return parts


def sample_vocabulary() -> Vocabulary:
    """A shop's words to train and test with."""
    return Vocabulary.model_validate_json((DATA / "vocabulary.json").read_text("utf-8"))
