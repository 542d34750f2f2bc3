"""Cohort as a stranger runs it: a process started by the command line, spoken to by HTTP, ended by signals."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import httpx
import psutil

ROOT = Path(__file__).parents[1]
READY_WITHIN = 300.0
ENDED_WITHIN = 30.0


class NeverReady(AssertionError):
    """The process ended, or did not answer in time; the message ends with what it printed."""


def free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return int(listening.getsockname()[1])


class CohortProcess:
    """`cohort serve` on a home and a port of its own."""

    def __init__(self, home: Path, port: int | None = None, **settings: str) -> None:
        self.home = home
        self.port = port or free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.output = home.with_name(f"{home.name}.log")
        self._settings = settings
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        assert self._process is not None, "not started"
        return self._process.pid

    def start(self) -> None:
        with self.output.open("ab") as output:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "api.cli", "serve"],
                cwd=ROOT,
                env=self._environment(),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    async def ready(self, within: float = READY_WITHIN) -> float:
        """Wait until the server says it is ready; the seconds it took."""
        started = time.perf_counter()
        async with httpx.AsyncClient(base_url=self.url, timeout=5) as client:
            while time.perf_counter() - started < within:
                if self._process is None or self._process.poll() is not None:
                    raise NeverReady(f"the server ended:\n{self.said()}")
                with suppress(httpx.TransportError):
                    if (await client.get("/ready")).status_code == 200:
                        return time.perf_counter() - started
                await asyncio.sleep(0.05)
        raise NeverReady(f"the server was not ready within {within:g} s:\n{self.said()}")

    def family(self) -> list[psutil.Process]:
        """The server and all its child processes."""
        server = psutil.Process(self.pid)
        return [server, *server.children(recursive=True)]

    def kill_all(self) -> None:
        """kill -9 of the server and of everything it started."""
        family = self.family()
        for member in family:
            with suppress(psutil.NoSuchProcess):
                member.send_signal(signal.SIGKILL)
        self._wait_gone(family)

    def kill(self) -> None:
        """kill -9 of the server alone; its children have to follow by themselves."""
        family = self.family()
        family[0].send_signal(signal.SIGKILL)
        self._wait_gone(family)

    def stop(self) -> int:
        """SIGTERM; the exit status. Safe to call when it has ended or was never started."""
        if self._process is None:
            return 0
        if self._process.poll() is None:
            family = self.family()
            self._process.terminate()
            self._wait_gone(family)
        return self._process.returncode

    def said(self) -> str:
        """The end of what the process printed."""
        return self.output.read_text(errors="replace")[-4000:] if self.output.exists() else ""

    def crashes(self) -> list[str]:
        """What the server logged of requests, turns and sockets that broke on its own side."""
        lines = self.output.read_text(errors="replace").splitlines()
        return [line for line in lines if '_crashed"' in line]

    def _wait_gone(self, family: list[psutil.Process]) -> None:
        assert self._process is not None
        try:
            self._process.wait(ENDED_WITHIN)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
            raise AssertionError(f"the server did not end within {ENDED_WITHIN:g} s:\n{self.said()}") from None
        _, alive = psutil.wait_procs(family, timeout=ENDED_WITHIN)
        assert not alive, f"left behind: {alive}"

    def _environment(self) -> dict[str, str]:
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("COHORT_")}
        own = {"COHORT_HOME": str(self.home), "COHORT_PORT": str(self.port)}
        return inherited | own | {f"COHORT_{name.upper()}": value for name, value in self._settings.items()}
