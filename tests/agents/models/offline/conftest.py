import numpy as np
import numpy.typing as npt
import pytest

from agents.models.offline import OfflinePlanner
from agents.models.offline.labelled import sample_vocabulary
from agents.models.offline.slots.lexicon import Lexicon
from vectorstore.onnx_session import BUNDLED_MODEL, OnnxSession


@pytest.fixture(scope="session")
def encoder() -> "Encoder":
    return Encoder()


class Encoder:
    def __init__(self) -> None:
        self._session = OnnxSession(BUNDLED_MODEL, threads=1, max_tokens=64)

    def __call__(self, text: str) -> npt.NDArray[np.float32]:
        return self._session.embed([text])[0]


@pytest.fixture(scope="session")
def lexicon() -> Lexicon:
    return Lexicon(sample_vocabulary())


@pytest.fixture(scope="session")
def planner(encoder: Encoder) -> OfflinePlanner:
    vocabulary = sample_vocabulary()
    return OfflinePlanner(vocabulary=lambda: vocabulary, encode=encoder)


@pytest.fixture(scope="session")
def planner_without_embedder() -> OfflinePlanner:
    vocabulary = sample_vocabulary()
    return OfflinePlanner(vocabulary=lambda: vocabulary)
