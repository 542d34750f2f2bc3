"""The running server: HTTP on its port, and the control socket for commands of the same home."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Callable, Generator

import uvicorn
from fastapi import FastAPI

from api import commands, control_socket
from api.app import create_app
from api.container import Container, open_container
from api.control import create_control_app
from api.engines import Engines
from api.settings import Settings

MAX_FRAME = 64 * 1024


async def serve(settings: Settings, engines: Engines, *, demo: bool, say: Callable[[str], None]) -> None:
    """Run everything in this process until SIGTERM or SIGINT. `say` prints for the person at the terminal.

    Raises EngineFailed, OSError when the port is taken.
    """
    async with open_container(settings, engines=engines) as container:
        accounts = await commands.first_demo(container, say) if demo and settings.demo else []
        app = create_app(container)
        async with _control(container):
            container.ground.home.announce(settings.base_url)
            await _http(app, settings, lambda: _greet(settings, accounts, say))


async def _http(app: FastAPI, settings: Settings, on_ready: Callable[[], None]) -> None:
    config = uvicorn.Config(
        app, host=settings.host, port=settings.port, log_config=None, access_log=False, server_header=False,
        ws_max_size=MAX_FRAME, ws_ping_interval=20.0, ws_ping_timeout=20.0, timeout_graceful_shutdown=8,
        timeout_keep_alive=30,
    )  # fmt: skip
    server = _Server(config, on_ready)
    await server.serve()
    if not server.started:
        raise OSError(f"cannot listen on {settings.host}:{settings.port}; set COHORT_PORT to a free port")


class _Server(uvicorn.Server):
    """Tells when it listens."""

    def __init__(self, config: uvicorn.Config, on_ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._on_ready = on_ready
        self.listening = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self._on_ready()
        self.listening.set()


@contextlib.asynccontextmanager
async def _control(container: Container) -> AsyncIterator[None]:
    """Commands of the same home talk to this process by a socket that only its owner can open."""
    home = container.ground.home
    path = control_socket.record(home)
    config = uvicorn.Config(
        create_control_app(container), uds=str(path), log_config=None, access_log=False, lifespan="off"
    )
    server = _Quiet(config, lambda: None)
    task = asyncio.create_task(server.serve())
    try:
        await server.listening.wait()
        path.chmod(0o600)
        yield
    finally:
        server.should_exit = True
        await task
        control_socket.forget(home, path)


class _Quiet(_Server):
    """Serves without taking the process's signals."""

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        yield


def _greet(settings: Settings, accounts: list[str], say: Callable[[str], None]) -> None:
    say(f"Cohort is ready on {settings.base_url}")
    say(f"  API docs   {settings.base_url}/docs")
    say("  Chat       .venv/bin/cohort chat      (in a second terminal)")
    for line in accounts:
        say(f"  {line}")
