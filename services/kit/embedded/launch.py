"""Becomes an engine that cannot outlive the process which started it: `launch.py PARENT COMMAND…`.

Runs as a script of its own rather than between fork and exec of the parent, where a process with threads may
deadlock. The kernel ends the child when the parent's thread that spawned it ends; the request survives exec.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def main(parent: int, command: list[str]) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it ended before the request was made
        raise SystemExit(1)
    kept = {name: value for name, value in os.environ.items() if not name.startswith("COHORT_")}
    os.execve(command[0], command, kept)  # noqa: S606 - the command comes from the parent; settings stay with it


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2:])
