"""Where the running server of a home takes commands. The socket may lie elsewhere when the home's path is long."""

import socket
from pathlib import Path

from services.kit.embedded import Home

_RECORD = "control.path"
_SOCKET = "control.sock"


def record(home: Home) -> Path:
    """The socket's path, made known in the home for the commands to come."""
    path = home.socket_path(_SOCKET)
    path.unlink(missing_ok=True)
    (home.path / _RECORD).write_text(str(path), "utf-8")
    return path


def forget(home: Home, path: Path) -> None:
    path.unlink(missing_ok=True)
    (home.path / _RECORD).unlink(missing_ok=True)


def find(home: Path) -> Path | None:
    """The socket of a server that answers, or None."""
    noted = home / _RECORD
    if not noted.is_file():
        return None
    path = Path(noted.read_text("utf-8"))
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(str(path))
        except OSError:
            return None
    return path
