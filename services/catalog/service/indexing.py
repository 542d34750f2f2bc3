"""The index follows the documents: level-triggered, so a repeated or late event does no harm."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime, timedelta

from services.catalog.adapters.search_index import ProductIndex
from services.catalog.models.product import Product
from services.catalog.repository import ProductRepository
from services.catalog.service.suggesting import Suggesting
from services.contracts.catalog import IndexStatus, Vocabulary
from services.contracts.events import ProductCreated
from services.kit.clock import Clock
from services.kit.events import Envelope
from services.kit.log import get_logger

_PRODUCTS_A_ROUND = 200
_VOCABULARY_FOR = timedelta(seconds=60)

log = get_logger("catalog")


class Indexing:
    def __init__(self, products: ProductRepository, index: ProductIndex, suggesting: Suggesting, clock: Clock) -> None:
        self.texts_changed = asyncio.Event()
        self._products = products
        self._index = index
        self._suggesting = suggesting
        self._clock = clock
        self._vocabulary: tuple[datetime, Vocabulary] | None = None

    async def follow(self, event: Envelope) -> None:
        """Bring the products an event speaks of up to date in the index."""
        if event.type == ProductCreated.TYPE:
            ids: Sequence[str] = event.data["productIds"]
        else:
            ids = [event.data["productId"]]
        new_texts = event.type.startswith("product.")
        await self.refresh(ids, new_texts=new_texts)
        if new_texts:
            self._vocabulary = None
            self.texts_changed.set()

    async def refresh(self, product_ids: Sequence[str], *, new_texts: bool) -> None:
        products = await self._products.load(product_ids)
        self._suggesting.follow(product_ids, products.values())
        await self._index.index(list(products.values()), new_texts=new_texts)
        gone = [each for each in product_ids if each not in products]
        if gone:
            await self._index.remove(gone)

    def loaded(self, products: Sequence[Product]) -> None:
        """These were indexed beside the events."""
        self._suggesting.follow([product.product_id for product in products], products)
        self._vocabulary = None
        self.texts_changed.set()

    async def repair(self) -> int:
        """Put what the index lacks into it and take out what is no product any more; returns how many."""
        stored = [each async for each in self._products.every_id()]
        known = await self._index.known()
        lacking = [each for each in stored if each not in known]
        for start in range(0, len(lacking), _PRODUCTS_A_ROUND):
            await self.refresh(lacking[start : start + _PRODUCTS_A_ROUND], new_texts=True)
        surplus = known.difference(stored)
        await self._index.remove(surplus)
        self._vocabulary = None
        self.texts_changed.set()
        return len(lacking) + len(surplus)

    async def vocabulary(self) -> Vocabulary:
        now = self._clock.now()
        if self._vocabulary is None or self._vocabulary[0] + _VOCABULARY_FOR < now:
            self._vocabulary = (now, await self._index.vocabulary())
        return self._vocabulary[1]

    async def status(self) -> IndexStatus:
        return await self._index.status()

    async def embed_missing(self) -> int:
        return await self._index.embed_missing()

    async def embedding_loop(self, poll_seconds: float) -> None:
        """Until cancelled: vectors for whatever has none."""
        while True:
            self.texts_changed.clear()
            try:
                await self._index.embed_missing()
            except Exception as error:  # noqa: BLE001 - search by keywords goes on; the next round tries again
                log.warning("embedding_failed", error=repr(error))
            with suppress(TimeoutError):
                await asyncio.wait_for(self.texts_changed.wait(), poll_seconds)
