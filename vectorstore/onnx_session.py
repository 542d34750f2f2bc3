"""The transformer itself, blocking: one ONNX session with its tokenizer."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnxruntime
from tokenizers import Tokenizer

from vectorstore.embeddings import Matrix, unit

BUNDLED_MODEL = Path(__file__).parent / "models" / "all-MiniLM-L6-v2"
_BATCH = 16


class OnnxSession:
    """Mean-pooled, L2-normalised sentence vectors out of `<model_dir>/*.onnx`. Not for two threads at once."""

    def __init__(self, model_dir: Path, *, threads: int, max_tokens: int) -> None:
        self.name = model_dir.name
        self._tokenizer = Tokenizer.from_file(str(model_dir / "tokenizer.json"))
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(max_tokens)
        self._session = onnxruntime.InferenceSession(
            str(_only_model_in(model_dir)), _options(threads), providers=["CPUExecutionProvider"]
        )
        self.dim = int(self._session.get_outputs()[0].shape[-1])

    def embed(self, texts: Sequence[str]) -> Matrix:
        """Texts of like length share a batch, so that little padding is computed; the order given is kept."""
        token_ids = [encoding.ids for encoding in self._tokenizer.encode_batch(list(texts))]
        vectors = np.zeros((len(texts), self.dim), dtype=np.float32)
        shortest_first = sorted(range(len(texts)), key=lambda row: len(token_ids[row]))
        for start in range(0, len(texts), _BATCH):
            rows = shortest_first[start : start + _BATCH]
            vectors[rows] = self._run([token_ids[row] for row in rows])
        return vectors

    def _run(self, batch: list[list[int]]) -> Matrix:
        width = max(len(ids) for ids in batch)
        ids = np.zeros((len(batch), width), dtype=np.int64)
        mask = np.zeros_like(ids)
        for row, row_ids in enumerate(batch):
            ids[row, : len(row_ids)] = row_ids
            mask[row, : len(row_ids)] = 1
        feed = {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}
        (hidden,) = self._session.run(None, feed)
        weights = mask[:, :, None].astype(np.float32)
        return unit((hidden * weights).sum(axis=1) / weights.sum(axis=1))


def _options(threads: int) -> onnxruntime.SessionOptions:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.enable_cpu_mem_arena = False  # the arena keeps the largest batch ever seen
    return options


def _only_model_in(model_dir: Path) -> Path:
    found = sorted(model_dir.glob("*.onnx"))
    if len(found) != 1:
        message = f"{model_dir} holds {len(found)} .onnx files, expected exactly one"
        raise FileNotFoundError(message)
    return found[0]
