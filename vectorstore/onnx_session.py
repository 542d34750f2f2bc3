"""The transformer itself, blocking: one ONNX session with its tokenizer."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import onnxruntime
from tokenizers import Tokenizer

from vectorstore.embeddings import Matrix, Vector, unit

BUNDLED_MODEL = Path(__file__).parent / "models" / "all-MiniLM-L6-v2"


class OnnxSession:
    """Mean-pooled, L2-normalised sentence vectors out of `<model_dir>/*.onnx`."""

    def __init__(self, model_dir: Path, *, threads: int, max_tokens: int) -> None:
        self.name = model_dir.name
        self._tokenizer = Tokenizer.from_file(str(model_dir / "tokenizer.json"))
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(max_tokens)
        self._session = onnxruntime.InferenceSession(
            str(_only_model_in(model_dir)), _options(), providers=["CPUExecutionProvider"]
        )
        self._workers = ThreadPoolExecutor(threads, thread_name_prefix="onnx")
        self.dim = int(self._session.get_outputs()[0].shape[-1])

    def embed(self, texts: Sequence[str]) -> Matrix:
        """Each text by itself: as fast as batches here, and its vector does not depend on its neighbours.

        (The int8 model scales by the largest activation of a run; in one batch with others a text's
        vector moved by up to 0.02 in cosine.)
        """
        vectors = np.zeros((len(texts), self.dim), dtype=np.float32)
        encodings = self._tokenizer.encode_batch(list(texts))
        for row, mean in enumerate(self._workers.map(self._run, (encoding.ids for encoding in encodings))):
            vectors[row] = mean
        return unit(vectors)

    def close(self) -> None:
        self._workers.shutdown()

    def _run(self, token_ids: list[int]) -> Vector:
        ids = np.array([token_ids], dtype=np.int64)
        feed = {"input_ids": ids, "attention_mask": np.ones_like(ids), "token_type_ids": np.zeros_like(ids)}
        (hidden,) = self._session.run(None, feed)
        mean: Vector = hidden[0].mean(axis=0)
        return mean


def _options() -> onnxruntime.SessionOptions:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1  # a thread a text: threads that share one text mostly wait for each other
    options.inter_op_num_threads = 1
    options.enable_cpu_mem_arena = False  # the arena keeps the largest batch ever seen
    return options


def _only_model_in(model_dir: Path) -> Path:
    found = sorted(model_dir.glob("*.onnx"))
    if len(found) != 1:
        message = f"{model_dir} holds {len(found)} .onnx files, expected exactly one"
        raise FileNotFoundError(message)
    return found[0]
