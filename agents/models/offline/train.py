"""Builds weights.npz from the labelled sentences.

    python -m agents.models.offline.train vectorstore.onnx_session:OnnxSession

The argument names a class with `embed(list of texts) -> matrix`, made as `Class(model_dir, threads=…, max_tokens=…)`.
"""

import importlib
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from agents.models.offline.features import Vector, lexical
from agents.models.offline.glossary import plain
from agents.models.offline.intents import WEIGHTS, Head, joined, nearness
from agents.models.offline.labelled import Labelled, labelled, sample_vocabulary, split
from agents.models.offline.slots.draft import normalise
from agents.models.offline.slots.grammar import read_slots
from agents.models.offline.slots.lexicon import Lexicon

_PROTOTYPES = 8
_STEPS, _RATE, _DECAY = 200, 0.05, 5e-5
_WANTED_PRECISION = 0.97
Encoder = Callable[[list[str]], npt.NDArray[np.float32]]
Labels = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Part:
    words: Vector
    sentences: Vector
    labels: Labels


def main() -> None:
    encoder = _encoder(sys.argv[1] if len(sys.argv) > 1 else "vectorstore.onnx_session:OnnxSession")
    parts = split(list(labelled()))
    intents = sorted({sentence.intent for rows in parts.values() for sentence in rows})
    lexicon = Lexicon(sample_vocabulary())
    read = {name: _features(rows, intents, lexicon, encoder) for name, rows in parts.items()}
    np.savez_compressed(WEIGHTS, **_fit(read["train"], read["validation"], intents))
    print(f"{WEIGHTS.name}: {sum(map(len, parts.values()))} sentences, {len(intents)} intents")  # noqa: T201


def _encoder(name: str) -> Encoder:
    module, _, cls = name.partition(":")
    loaded = importlib.import_module(module)
    model_dir: Path = loaded.BUNDLED_MODEL
    embed: Encoder = getattr(loaded, cls)(model_dir, threads=1, max_tokens=64).embed
    return embed


def _features(rows: list[Labelled], intents: list[str], lexicon: Lexicon, encoder: Encoder) -> Part:
    words = np.stack([lexical(read_slots(row.text, lexicon)) for row in rows])
    sentences = np.stack([encoder([plain(normalise(row.text))])[0] for row in rows])
    return Part(words, sentences, np.array([intents.index(row.intent) for row in rows]))


def _fit(train: Part, validation: Part, intents: list[str]) -> dict[str, Any]:
    """Calibrated on the validation part by a first fit; then fitted once more on both parts."""
    first = _Fitted(train, len(intents))
    words = _calibrated(first.words, validation.words, validation.labels)
    dense = _calibrated(first.dense, first.features(validation), validation.labels)
    final = _Fitted(_both(train, validation), len(intents))
    stored: dict[str, Any] = {
        "intents": np.array(intents),
        "prototypes": final.prototypes.astype(np.float16),
        "prototype_of": final.owners.astype(np.int16),
    }
    stored |= _stored("words", replace(words, weights=final.words.weights, bias=final.words.bias))
    return stored | _stored("dense", replace(dense, weights=final.dense.weights, bias=final.dense.bias))


class _Fitted:
    """Both heads and the prototypes of one set of sentences."""

    def __init__(self, part: Part, intents: int) -> None:
        chosen = _prototypes(part, intents)
        self.prototypes, self.owners, self._intents = part.sentences[chosen], part.labels[chosen], intents
        self.words = _softmax(part.words, part.labels)
        self.dense = _softmax(_dense(part, self.prototypes, self.owners, intents, own=chosen), part.labels)

    def features(self, part: Part) -> Vector:
        return _dense(part, self.prototypes, self.owners, self._intents)


def _both(one: Part, other: Part) -> Part:
    return Part(
        np.concatenate([one.words, other.words]),
        np.concatenate([one.sentences, other.sentences]),
        np.concatenate([one.labels, other.labels]),
    )


def _prototypes(train: Part, intents: int) -> Labels:
    """Of each intent: the most central sentence, then those farthest from what is chosen."""
    chosen: list[int] = []
    for intent in range(intents):
        rows = np.flatnonzero(train.labels == intent)
        among = train.sentences[rows] @ train.sentences[rows].T
        picked = [int(among.sum(axis=1).argmax())]
        while len(picked) < min(_PROTOTYPES, len(rows)):
            picked.append(int(among[:, picked].max(axis=1).argmin()))
        chosen += [int(rows[position]) for position in picked]
    return np.array(chosen)


def _dense(part: Part, prototypes: Vector, owners: Labels, intents: int, own: Labels | None = None) -> Vector:
    similarities = part.sentences @ prototypes.T
    if own is not None:  # a prototype must not vouch for itself
        similarities[own, np.arange(len(own))] = -1.0
    return np.stack(
        [
            joined(words, sentence, nearness(row, owners, intents))
            for words, sentence, row in zip(part.words, part.sentences, similarities, strict=True)
        ]
    )


def _softmax(features: Vector, labels: Labels) -> Head:
    """Softmax regression by full-batch Adam; rare intents weigh as much as common ones do by their root."""
    classes = int(labels.max()) + 1
    wanted = np.eye(classes, dtype=np.float32)[labels]
    worth = (1 / np.sqrt(np.bincount(labels, minlength=classes)))[labels].astype(np.float32)
    worth /= worth.sum()
    weights, bias = np.zeros((features.shape[1], classes), np.float32), np.zeros(classes, np.float32)
    moments = [np.zeros_like(weights), np.zeros_like(weights), np.zeros_like(bias), np.zeros_like(bias)]
    for step in range(1, _STEPS + 1):
        error = (_chances(features @ weights + bias) - wanted) * worth[:, None]
        _adam(weights, features.T @ error + _DECAY * weights, moments[:2], step)
        _adam(bias, error.sum(axis=0), moments[2:], step)
    return Head(weights, bias, 1.0, 0.0)


def _adam(values: Vector, slope: Vector, moments: list[Vector], step: int) -> None:
    moments[0][...] = 0.9 * moments[0] + 0.1 * slope
    moments[1][...] = 0.999 * moments[1] + 0.001 * slope * slope
    values -= _RATE * (moments[0] / (1 - 0.9**step)) / (np.sqrt(moments[1] / (1 - 0.999**step)) + 1e-8)


def _chances(scores: Vector) -> Vector:
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    chances: Vector = powers / powers.sum(axis=1, keepdims=True)
    return chances


def _calibrated(head: Head, features: Vector, labels: Labels) -> Head:
    """Temperature and threshold from sentences the head was not fitted on."""
    scores = features @ head.weights + head.bias
    rows = np.arange(len(labels))
    temperatures = np.linspace(0.4, 3.0, 53)
    losses = [-np.log(_chances(scores / t)[rows, labels] + 1e-9).mean() for t in temperatures]
    temperature = float(temperatures[int(np.argmin(losses))])
    chances = _chances(scores / temperature)
    return Head(head.weights, head.bias, temperature, _threshold(chances, labels))


def _threshold(chances: Vector, labels: Labels) -> float:
    """The lowest probability above which the wanted share of validation sentences is read right."""
    best, right = chances.max(axis=1), chances.argmax(axis=1) == labels
    for threshold in np.linspace(0.2, 0.6, 41):
        kept = best >= threshold
        if kept.any() and right[kept].mean() >= _WANTED_PRECISION:
            return float(threshold)
    return 0.6


def _stored(name: str, head: Head) -> dict[str, Any]:
    return {
        f"{name}_weights": head.weights.astype(np.float16),
        f"{name}_bias": head.bias,
        f"{name}_temperature": np.array(head.temperature),
        f"{name}_threshold": np.array(head.threshold),
    }


if __name__ == "__main__":
    main()
