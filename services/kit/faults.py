"""Named crash points, inert unless COHORT_CRASH_AT names one (tests only).

`COHORT_CRASH_AT=orders.place.reserved` kills the process with SIGKILL the first time that point is passed;
`name:3` the third time.
"""

import os
import signal


class CrashPoints:
    """Reads its setting once; `reach` costs one comparison when nothing is set."""

    def __init__(self, spec: str | None) -> None:
        name, _, count = (spec or "").partition(":")
        self._name = name
        self._left = int(count or "1")

    def reach(self, name: str) -> None:
        if not self._name or name != self._name:
            return
        self._left -= 1
        if self._left <= 0:
            os.kill(os.getpid(), signal.SIGKILL)


NO_CRASHES = CrashPoints(None)
