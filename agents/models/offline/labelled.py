"""The labelled sentences and their split."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random
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
    """Every intent gives the same shares; a fixed seed decides which sentence goes where."""
    by_intent: dict[str, list[Labelled]] = defaultdict(list)
    for sentence in sentences:
        by_intent[sentence.intent].append(sentence)
    parts: dict[Part, list[Labelled]] = {"train": [], "validation": [], "test": []}
    for intent in sorted(by_intent):
        rows = by_intent[intent]
        Random(f"{seed}-{intent}").shuffle(rows)
        test, validation = round(len(rows) * _TEST), round(len(rows) * _VALIDATION)
        parts["test"] += rows[:test]
        parts["validation"] += rows[test : test + validation]
        parts["train"] += rows[test + validation :]
    return parts


def sample_vocabulary() -> Vocabulary:
    """A shop's words to train and test with."""
    return Vocabulary.model_validate_json((DATA / "vocabulary.json").read_text("utf-8"))
