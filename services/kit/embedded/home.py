"""The folder an installation keeps everything in (COHORT_HOME).

    cohort-home.json   what this folder is and the layout of its contents
    lock               held by the one process that uses the home; names that process and its address
    secrets/           random keys, made once
    logs/              one file per engine
    run/               which child processes belong to this home
    …                  one folder per engine, asked for by `folder`

Opening never repairs or deletes: a folder that is not understood is named and left as it is.
"""

import fcntl
import hashlib
import json
import os
import re
import secrets
import stat
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from services.kit.errors import CohortError

LAYOUT = 1
MARKER = "cohort-home.json"
LOCK = "lock"
LONGEST_SOCKET_PATH = 107  # bytes of sockaddr_un.sun_path, less the closing zero
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]*")


class EmbeddedError(CohortError):
    """An embedded engine or its folder cannot be used; the message says what, where and what would be right."""

    code = "embedded"


class HomeInUse(EmbeddedError):
    """Another process holds this home. `holder` is that process, as far as it has said."""

    code = "home_in_use"

    def __init__(self, path: Path, holder: "Holder") -> None:
        super().__init__(
            f"The Cohort home {path} is already in use by {holder}. Stop that process first, or give this one "
            "a home and a port of its own with COHORT_HOME and COHORT_PORT."
        )
        self.path = path
        self.holder = holder


class HomeBroken(EmbeddedError):
    """A folder or file is not what a home needs; nothing was changed. `path` is the culprit."""

    code = "home_broken"

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"{path} {reason}")
        self.path = path


@dataclass(frozen=True, slots=True)
class Holder:
    """Who uses a home: its process id and, once it listens, its address."""

    pid: int | None = None
    url: str | None = None

    def __str__(self) -> str:
        who = f"process {self.pid}" if self.pid else "another process"
        return f"{who} ({self.url})" if self.url else who


class Home:
    """An open home: this process holds its lock until `close`, or until it ends in whatever way.

    Opening creates the folder (0700) where there is none. Raises HomeInUse when another process, or another
    Home in this one, has it open, and HomeBroken when the folder is not a Cohort home, is half written or comes
    from a newer version.
    """

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path).expanduser().absolute()
        self._writing = threading.Lock()
        self._short: Path | None = None
        with _naming_broken_files(self.path):
            _create_folder(self.path)
            _examine(self.path)
            self._lock = _take_lock(self.path)
        try:
            with _naming_broken_files(self.path):
                self._settle()
        except BaseException:
            os.close(self._lock)
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def announce(self, url: str) -> None:
        """Record the address this process serves, for the sentence a second instance is refused with."""
        _write_holder(self._lock, Holder(os.getpid(), url))

    def folder(self, name: str) -> Path:
        """The folder `name` in the home, created (0700) where there is none."""
        path = self.path / _checked(name)
        with _naming_broken_files(path):
            path.mkdir(mode=0o700, exist_ok=True)
        return path

    def secret(self, name: str, nbytes: int = 32) -> bytes:
        """Random bytes that are drawn once and stay the same for the life of the home (0600).

        Raises HomeBroken when the stored secret has another length: a cut file, or another `nbytes` than before.
        """
        path = self.folder("secrets") / _checked(name)
        with self._writing, _naming_broken_files(path):
            if not path.exists():
                write_atomically(path, secrets.token_bytes(nbytes))
            found = path.read_bytes()
        if len(found) != nbytes:
            raise HomeBroken(
                path,
                f"holds {len(found)} bytes where a secret of {nbytes} is expected: it was cut off or replaced. "
                "Put the original file back from a backup; without it, what it signed is no longer valid.",
            )
        return found

    def socket_path(self, name: str) -> Path:
        """Where a Unix socket of this home lives: in the home, or in a private short folder when the path is too long.

        The same home gives the same path every time.
        """
        inside = self.path / _checked(name)
        if len(os.fsencode(inside)) <= LONGEST_SOCKET_PATH:
            return inside
        return self._short_folder() / name

    def close(self) -> None:
        """Let another process open the home. Safe to call twice."""
        if self._lock >= 0:
            os.ftruncate(self._lock, 0)
            os.close(self._lock)
            self._lock = -1
        if self._short:
            with suppress(OSError):  # a server that was left running still has its socket in it
                self._short.rmdir()

    def _settle(self) -> None:
        """Under the lock: what was examined may have changed since, and a new home gets its marker."""
        _write_holder(self._lock, Holder(os.getpid()))
        _examine(self.path)
        marker = self.path / MARKER
        if not marker.exists():
            with suppress(PermissionError):  # a folder someone else owns and lends us keeps its mode
                self.path.chmod(0o700)
            write_atomically(marker, json.dumps({"product": "cohort", "layout": LAYOUT}).encode() + b"\n")

    def _short_folder(self) -> Path:
        """A folder other users cannot guess, so none of them can have put something in its place."""
        seed = self.secret("socket-folder", 16) + os.fsencode(self.path)
        unguessable = hashlib.sha256(seed).hexdigest()[:16]
        path = _short_temporary_root() / f"cohort-{unguessable}"
        path.mkdir(mode=0o700, exist_ok=True)
        found = path.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o077:
            raise HomeBroken(path, "is not a private folder of this user. Move it away, or use a shorter COHORT_HOME.")
        self._short = path
        return path


def write_atomically(path: Path, content: bytes) -> None:
    """Write a file (0600) that is either complete and on disk, or not there at all."""
    draft = path.with_name(f"{path.name}.new")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
    _sync_folder(path.parent)


def _sync_folder(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _create_folder(path: Path) -> None:
    if path.exists() and not path.is_dir():
        raise HomeBroken(path, "is a file, not a folder. Let COHORT_HOME name a folder.")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.mkdir(mode=0o700, exist_ok=True)


def _examine(path: Path) -> None:
    """Refuse anything but an empty folder, a home just being made, and a home of this layout."""
    found = {entry.name for entry in path.iterdir()}
    marker = path / MARKER
    if marker.exists():
        _check_layout(marker)
    elif others := sorted(found - {LOCK, f"{MARKER}.new"}):
        raise HomeBroken(
            path,
            f"is not a Cohort home: it holds {_some(others)} but no {MARKER}. Nothing was changed. "
            "Let COHORT_HOME name an empty or new folder.",
        )


def _check_layout(marker: Path) -> None:
    layout = _layout_of(marker)
    if layout is None:
        raise HomeBroken(
            marker,
            "is damaged or half written, so this home is not opened. Nothing was changed. Put the file back from "
            "a backup, or let COHORT_HOME name another folder.",
        )
    if layout > LAYOUT:
        raise HomeBroken(
            marker,
            f"says layout {layout}, written by a newer Cohort; this one knows layout {LAYOUT}. Nothing was changed. "
            "Install that version again, or let COHORT_HOME name another folder.",
        )


def _layout_of(marker: Path) -> int | None:
    """The layout a marker names, None if it does not read as one."""
    match _json_object(marker.read_bytes()):
        case {"product": "cohort", "layout": int(layout)} if layout >= 1:
            return layout
    return None


def _json_object(content: bytes) -> dict[str, Any]:
    with suppress(ValueError):
        match json.loads(content):
            case dict() as found:
                return found
    return {}


def _take_lock(path: Path) -> int:
    """The descriptor of the lock file, locked. The lock goes with the process, so nothing is ever left behind."""
    lock = os.open(path / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise HomeInUse(path, _read_holder(lock)) from None
    except BaseException:
        os.close(lock)
        raise
    return lock


def _read_holder(lock: int) -> Holder:
    found = _json_object(os.pread(lock, 4096, 0).split(b"\n")[0])
    os.close(lock)
    match found:
        case {"pid": int(pid), "url": str() | None as url}:
            return Holder(pid, url)
    return Holder()


def _write_holder(lock: int, holder: Holder) -> None:
    line = json.dumps(asdict(holder)).encode() + b"\n"
    os.pwrite(lock, line, 0)
    os.ftruncate(lock, len(line))


@contextmanager
def _naming_broken_files(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        culprit = Path(os.fsdecode(error.filename)) if error.filename else path
        raise HomeBroken(
            culprit,
            f"cannot be used for the Cohort home: {error.strerror}. Is it yours to write?",
        ) from error


def _short_temporary_root() -> Path:
    root = Path(tempfile.gettempdir())
    return root if len(os.fsencode(root)) <= 40 else Path("/tmp")  # noqa: S108 - only a private folder goes there


def _checked(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise ValueError(f"{name!r} is not a name for a file of the home")
    return name


def _some(names: list[str]) -> str:
    shown = ", ".join(names[:3])
    return shown if len(names) <= 3 else f"{shown} and {len(names) - 3} more"
