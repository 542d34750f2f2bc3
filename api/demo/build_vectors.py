"""Makes `vectors.npz`: `python -m api.demo.build_vectors` (about a minute). Needed when texts or the model change."""

import asyncio
from datetime import UTC, datetime

from api.demo import vector_cache
from api.demo.generate import generate
from api.demo.load import SEED
from api.demo.seeding import product_seed
from services.catalog.adapters.conditions import text_of
from services.catalog.models.draft import product_from_seed
from vectorstore.onnx_embedder import OnnxEmbedder


async def build() -> None:
    world = generate(SEED, datetime.now(UTC), orders=0)
    texts = [text_of(product_from_seed(product_seed(product), 0)) for product in world.products]
    embedder = OnnxEmbedder(threads=2)
    try:
        vector_cache.save(texts, await embedder.embed_documents(texts))
    finally:
        await embedder.close()


if __name__ == "__main__":
    asyncio.run(build())
