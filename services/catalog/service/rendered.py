"""Products as bytes, ready to send, kept in Redis and forgotten with every change."""

from collections.abc import Iterable

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
        if self._unforgotten and not await self._retire(()):
            return None
        return await self._cache.get(product_id) or None

    async def keep(self, product_id: str, body: bytes) -> None:
        if not self._unforgotten:
            await self._cache.put_new(product_id, body, _KEEP_SECONDS)

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
