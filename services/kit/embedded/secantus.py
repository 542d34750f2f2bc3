"""The embedded document database: SecantusDB, a server of its own that speaks MongoDB's protocol.

It is a separate program, only ever executed and never imported.
"""

import asyncio
import importlib.util
import socket
import struct
import sys
from pathlib import Path
from typing import Any

import bson

from services.kit.embedded.home import Home, write_atomically
from services.kit.embedded.process import READY_WITHIN, STOP_WITHIN, ChildProcess, EngineMissing

CACHE = "256M"
_OP_MSG = 2013
_HEADER = struct.Struct("<iiii")
_SETTINGS = b"# Everything is said on the command line; this file keeps settings of other installations out.\n"


class SecantusServer:
    """The document database of a home, on a free port of 127.0.0.1. `start`, then `wait_ready`, at last `stop`."""

    def __init__(self, home: Home, *, module: str = "secantus") -> None:
        self._home = home
        self._module = module
        self._port = 0
        self._child = ChildProcess(home, "documents")

    @property
    def url(self) -> str:
        """Every write is journaled before it is acknowledged: that is what survives a kill."""
        return f"mongodb://127.0.0.1:{self._port}/?w=majority&journal=true&retryWrites=true"

    @property
    def pid(self) -> int:
        return self._child.pid

    @property
    def running(self) -> bool:
        return self._child.running

    def start(self) -> str:
        """Spawn the server and return its URL at once; call from the main thread.

        Raises EngineMissing when the package is not installed.
        """
        if importlib.util.find_spec(self._module) is None:
            raise EngineMissing(
                "The embedded document database (the package secantusdb of the extra `embedded`) is not installed. "
                "Install it, or let COHORT_MONGO_URL name a MongoDB replica set."
            )
        self._port = _free_port()
        folder = self._folder()
        self._child.start(self._command(folder / "data"), cwd=folder)
        return self.url

    async def wait_ready(self, within: float = READY_WITHIN) -> None:
        """Return when the server answers. Raises EngineFailed, with the end of its log, when it does not."""
        await self._child.wait_ready(self._answers, within)

    def stop(self, within: float = STOP_WITHIN) -> None:
        """Close the database cleanly (about two seconds, so a thread may do it) and wait until it is gone."""
        self._child.stop(within)

    def _folder(self) -> Path:
        """The working folder; the file in it is what the server would otherwise look for in the user's own folders."""
        folder = self._home.folder("documents")
        settings = folder / "secantusd.toml"
        if not settings.exists():
            write_atomically(settings, _SETTINGS)
        return folder

    def _command(self, data: Path) -> list[str]:
        where = ["--host", "127.0.0.1", "--port", str(self._port), "--storage-path", str(data)]
        return [sys.executable, "-m", self._module, *where, "--sync-on-commit", "--cache-size", CACHE]

    async def _answers(self) -> bool:
        """Whether our own child serves the port: a stranger that took it meanwhile has another process id."""
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        except OSError:
            return False
        try:
            status = await _ask(reader, writer, {"serverStatus": 1, "$db": "admin"})
        except (OSError, asyncio.IncompleteReadError):
            return False
        finally:
            writer.close()
        return bool(status.get("pid") == self._child.pid)


async def _ask(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, command: dict[str, Any]) -> dict[str, Any]:
    """One command in MongoDB's wire protocol."""
    body = struct.pack("<IB", 0, 0) + bson.encode(command)
    writer.write(_HEADER.pack(_HEADER.size + len(body), 1, 0, _OP_MSG) + body)
    length, _, _, _ = _HEADER.unpack(await reader.readexactly(_HEADER.size))
    answer = await reader.readexactly(length - _HEADER.size)
    return bson.decode(answer[5:])


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
