"""What a sentence wants: prototypes and a trained softmax head over its embedding and lexical features."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from agents.models.offline.features import lexical
from agents.models.offline.glossary import plain
from agents.models.offline.slots.draft import normalise
from agents.models.offline.slots.grammar import Slots

Vector = npt.NDArray[np.float32]
Encode = Callable[[str], Vector]
WEIGHTS = Path(__file__).with_name("weights.npz")


@dataclass(frozen=True)
class Reading:
    """The likeliest intents with calibrated probabilities, best first. `sure`: the best one may be acted on."""

    ranking: tuple[tuple[str, float], ...]
    sure: bool

    @property
    def intent(self) -> str:
        return self.ranking[0][0]

    @property
    def probability(self) -> float:
        return self.ranking[0][1]

    def probability_of(self, intent: str) -> float:
        return dict(self.ranking).get(intent, 0.0)


@dataclass(frozen=True)
class Head:
    """A softmax regression with its temperature and the probability from which it counts as sure."""

    weights: Vector
    bias: Vector
    temperature: float
    threshold: float

    def probabilities(self, features: Vector) -> Vector:
        scores = (features @ self.weights + self.bias) / self.temperature
        powers = np.exp(scores - scores.max())
        chances: Vector = (powers / powers.sum()).astype(np.float32)
        return chances


class IntentReader:
    """Reads intents with the sentence embedding when there is one, else from the words alone."""

    def __init__(self, encode: Encode | None = None, path: Path = WEIGHTS) -> None:
        with np.load(path) as stored:
            self.intents: tuple[str, ...] = tuple(str(name) for name in stored["intents"])
            self._prototypes = stored["prototypes"].astype(np.float32)
            self._prototype_of = stored["prototype_of"].astype(np.int64)
            self._head = _head(stored, "dense" if encode else "words")
        self._encode = encode

    def read(self, slots: Slots) -> Reading:
        features = lexical(slots)
        if self._encode is not None:
            vector = np.asarray(self._encode(plain(normalise(slots.said))), dtype=np.float32).reshape(-1)
            features = joined(features, vector, self._nearness(vector))
        chances = self._head.probabilities(features)
        best = np.argsort(-chances)[:5]
        ranking = tuple((self.intents[i], float(chances[i])) for i in best)
        return Reading(ranking, sure=ranking[0][1] >= self._head.threshold)

    def _nearness(self, vector: Vector) -> Vector:
        return nearness(self._prototypes @ vector, self._prototype_of, len(self.intents))


def nearness(similarities: Vector, prototype_of: npt.NDArray[np.int64], intents: int) -> Vector:
    """The highest similarity among each intent's prototypes."""
    nearest = np.full(intents, -1.0, dtype=np.float32)
    np.maximum.at(nearest, prototype_of, similarities.astype(np.float32))
    return nearest


def joined(words: Vector, sentence: Vector, nearest: Vector) -> Vector:
    """The feature vector of the dense head; the parts are scaled to weigh about the same."""
    return np.concatenate([2.0 * words, 1.5 * sentence, 0.7 * nearest])


def _head(stored: "np.lib.npyio.NpzFile", name: str) -> Head:
    return Head(
        stored[f"{name}_weights"].astype(np.float32),
        stored[f"{name}_bias"].astype(np.float32),
        float(stored[f"{name}_temperature"]),
        float(stored[f"{name}_threshold"]),
    )
