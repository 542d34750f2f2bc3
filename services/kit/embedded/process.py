"""An engine as a child process: dies with its parent, is stopped cleanly, and is never started twice.

Linux ends the child when the *thread* that spawned it ends, so `start` belongs to the main thread and refuses any
other; it is quick, and an event loop running there may call it. `stop` may run in any thread.
"""

import asyncio
import json
import os
import select
import signal
import subprocess
import sys
import threading
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from services.kit.embedded import launch
from services.kit.embedded.home import EmbeddedError, Home, write_atomically

READY_WITHIN = 30.0  # seconds; recovery after a crash is part of it
STOP_WITHIN = 10.0  # seconds a clean stop may take before it is forced
_PROBE_EVERY = 0.02  # seconds
_LARGEST_LOG = 8 * 1024 * 1024  # bytes

Probe = Callable[[], Awaitable[bool]]


class EngineMissing(EmbeddedError):
    """The engine's package is not installed; the message names the setting that replaces it."""

    code = "engine_missing"


class EngineFailed(EmbeddedError):
    """An engine ended by itself or did not come up in time; the message ends with the last lines of its log."""

    code = "engine_failed"


@dataclass(frozen=True, slots=True)
class Identity:
    """A process, told apart from a later one that got the same number: by its start and its command line."""

    pid: int
    started: int
    boot: str
    command: tuple[str, ...]

    @classmethod
    def of(cls, pid: int, command: Sequence[str]) -> "Identity | None":
        """The identity of the process `pid`, None when it has ended or the system does not tell."""
        with suppress(OSError):
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
            return cls(pid, int(fields[19]), boot, tuple(command))
        return None

    def is_alive(self) -> bool:
        """Whether exactly this process still runs. A process that merely has its number does not count."""
        return Identity.of(self.pid, self.command) == self and self._runs_command()

    def _runs_command(self) -> bool:
        with suppress(OSError):
            words = Path(f"/proc/{self.pid}/cmdline").read_bytes().split(b"\0")[:-1]
            return tuple(map(os.fsdecode, words))[-len(self.command) :] == self.command
        return False


class ChildProcess:
    """One engine of a home. Its output goes to `logs/<name>.log`, its identity to `run/<name>.json`."""

    def __init__(self, home: Home, name: str) -> None:
        self.name = name
        self.log = home.folder("logs") / f"{name}.log"
        self._record = home.folder("run") / f"{name}.json"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """The process id. Raises EngineFailed when it was not started or has been stopped."""
        if self._process is None:
            raise EngineFailed(f"The {self.name} engine is not running: it has not been started.")
        return self._process.pid

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def start(self, command: Sequence[str], cwd: Path) -> None:
        """Spawn the engine from the main thread; `command[0]` is a path. Ends one a dead parent left behind first."""
        if threading.current_thread() is not threading.main_thread():
            raise RuntimeError(f"the {self.name} engine must be started from the main thread: it ends with its thread")
        if self.running:
            raise RuntimeError(f"the {self.name} engine is already running")
        end_stale(self._record)
        self._process = self._spawn(command, cwd)
        if identity := Identity.of(self._process.pid, command):
            write_atomically(self._record, json.dumps(asdict(identity)).encode() + b"\n")

    async def wait_ready(self, probe: Probe, within: float = READY_WITHIN) -> None:
        """Return when `probe` says yes. Raises EngineFailed when the engine ends first or needs too long (seconds)."""
        try:
            async with asyncio.timeout(within):
                while not await probe():
                    self._check_running()
                    await asyncio.sleep(_PROBE_EVERY)
        except TimeoutError:
            raise EngineFailed(
                f"The {self.name} engine was not ready within {within:g} s. {self._last_words()}"
            ) from None
        self._check_running()

    def stop(self, within: float = STOP_WITHIN) -> None:
        """End the engine cleanly, by force after `within` seconds, and wait until it is gone. Safe to call twice."""
        process, self._process = self._process, None
        if process is None:
            return
        process.terminate()
        try:
            process.wait(within)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        self._record.unlink(missing_ok=True)

    def _spawn(self, command: Sequence[str], cwd: Path) -> "subprocess.Popen[bytes]":
        launcher = [sys.executable, "-I", "-S", launch.__file__, str(os.getpid())]
        if self.log.exists() and self.log.stat().st_size > _LARGEST_LOG:
            self.log.replace(self.log.with_suffix(".log.1"))
        with self.log.open("ab") as log:
            return subprocess.Popen(  # noqa: S603 - the command is built by the engine's own class
                [*launcher, *command],
                cwd=cwd,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C in the terminal reaches the server alone, which stops its engines last
            )

    def _check_running(self) -> None:
        if not self.running:
            ended = self._process.returncode if self._process else None
            raise EngineFailed(f"The {self.name} engine ended with status {ended}. {self._last_words()}")

    def _last_words(self) -> str:
        with self.log.open("rb") as log:
            log.seek(max(0, self.log.stat().st_size - 4096))
            lines = log.read().decode(errors="replace").strip().splitlines()[-6:]
        return f"Its files were left as they are. The end of {self.log}:\n" + "\n".join(lines)


def end_stale(record: Path, within: float = STOP_WITHIN) -> None:
    """End the process a record names, if exactly that one still runs: its parent was killed before it could.

    Call with the home's lock held: the process then belongs to nobody.
    """
    identity = _read_identity(record)
    if identity is None or not identity.is_alive():
        return
    try:
        handle = os.pidfd_open(identity.pid)
    except ProcessLookupError:
        return
    try:
        if identity.is_alive():  # asked again: from here on the handle means this process and no other
            _end(handle, within)
    finally:
        os.close(handle)


def _end(handle: int, within: float) -> None:
    for last_signal, patience in ((signal.SIGTERM, within), (signal.SIGKILL, within)):
        with suppress(ProcessLookupError):
            signal.pidfd_send_signal(handle, last_signal)
        if select.select([handle], [], [], patience)[0]:
            return
    raise EngineFailed("An engine left by an earlier run could not be ended: it does not react to SIGKILL.")


def _read_identity(record: Path) -> Identity | None:
    try:
        found = json.loads(record.read_bytes())
    except (FileNotFoundError, ValueError):
        return None
    match found:
        case {"pid": int(pid), "started": int(started), "boot": str(boot), "command": [*command]}:
            return Identity(pid, started, boot, tuple(map(str, command)))
    return None
