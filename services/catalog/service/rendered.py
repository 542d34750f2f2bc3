"""Products as bytes, ready to send, kept in Redis and forgotten with every change."""

from collections.abc import Iterable, Mapping, Sequence

from services.kit.cache import Cache, RedisAway
from services.kit.log import get_logger

_KEEP_SECONDS = 60

log = get_logger("catalog")


class RenderedProducts:
    """A cache that never shows what this process knows to be old, even when Redis was away at the change."""

    def __init__(self, cache: Cache) -> None:
        self._cache = cache
        self._unforgotten: set[str] = set()

    async def get(self, product_id: str) -> bytes | None:
        return (await self.get_many([product_id])).get(product_id)

    async def get_many(self, product_ids: Sequence[str]) -> dict[str, bytes]:
        """Those that are kept."""
        if self._unforgotten and not await self._retire(()):
            return {}
        bodies = await self._cache.get_many(product_ids)
        return {product_id: body for product_id, body in zip(product_ids, bodies, strict=True) if body}

    async def keep(self, bodies: Mapping[str, bytes]) -> None:
        """What was read before a change that came in between is not kept."""
        if bodies and not self._unforgotten:
            await self._cache.put_new(bodies, _KEEP_SECONDS)

    async def forget(self, product_ids: Iterable[str]) -> None:
        """Call after the change is committed."""
        await self._retire(product_ids)

    async def _retire(self, product_ids: Iterable[str]) -> bool:
        wanted = {*product_ids, *self._unforgotten}
        if not wanted:
            return True
        try:
            await self._cache.retire(*wanted)
        except RedisAway as error:
            self._unforgotten |= wanted
            log.warning("cache_away", error=repr(error), stale=len(wanted))
            return False
        self._unforgotten -= wanted
        return True
