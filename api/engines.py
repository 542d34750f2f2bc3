"""The home of an installation and the embedded engines in it; light to import, so that engines start first of all."""

import asyncio

from api.settings import Settings, reveal
from services.kit.embedded import Home, SecantusServer, ValkeyServer


class Engines:
    """Opens the home and owns the engines whose URL is not set.

    Raises HomeInUse, HomeBroken, EngineMissing: each message says what to do.
    """

    def __init__(self, settings: Settings) -> None:
        self.home = Home(settings.home)
        self._settings = settings
        self._documents = None if settings.mongo_url else SecantusServer(self.home)
        self._cache = None if settings.redis_url else ValkeyServer(self.home)
        self._urls: tuple[str, str] | None = None

    def start(self) -> "Engines":
        """Spawn both, without waiting; from the main thread. Repeatable."""
        if self._urls is None:
            mongo_url = self._documents.start() if self._documents else reveal(self._settings.mongo_url)
            redis_url = self._cache.start() if self._cache else reveal(self._settings.redis_url)
            self._urls = str(mongo_url), str(redis_url)
        return self

    async def ready(self) -> tuple[str, str]:
        """The URLs of documents and cache, once both answer. Raises EngineFailed."""
        urls = self.start()._urls  # noqa: SLF001 - its own
        assert urls is not None  # noqa: S101 - start has set them
        await asyncio.gather(*(engine.wait_ready() for engine in (self._documents, self._cache) if engine))
        return urls

    @property
    def down(self) -> list[str]:
        """Owned engines that are not running."""
        engines = {"documents": self._documents, "cache": self._cache}
        return [name for name, engine in engines.items() if engine is not None and not engine.running]

    async def stop(self) -> None:
        """End the engines cleanly and let go of the home."""
        await asyncio.gather(*(asyncio.to_thread(e.stop) for e in (self._documents, self._cache) if e))
        self.home.close()
