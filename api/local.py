"""A command over a home that no server runs: open it, do the work with its background jobs, close it."""

from collections.abc import AsyncIterator
from typing import Any

from api import commands
from api.container import open_container
from api.settings import Settings
from api.worker import Worker


async def run_here(settings: Settings, verb: str, arguments: dict[str, Any]) -> AsyncIterator[dict[str, Any]]:
    """Raises HomeInUse when a server has the home but its control socket does not answer."""
    async with open_container(settings) as container:
        worker = Worker(container.jobs)
        await container.broker.start()
        await worker.start()
        try:
            async for step in commands.run(container, verb, arguments):
                yield step
            await container.settle()
        finally:
            await worker.stop()
            await container.broker.close()
