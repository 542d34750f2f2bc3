"""Failures to order: what a gateway on the other side of the internet does on a bad day."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from fnmatch import fnmatch
from typing import NamedTuple


class Fault(StrEnum):
    BAD_GATEWAY = "bad_gateway"
    """502 with an HTML page; nothing was done."""
    BAD_GATEWAY_AFTER = "bad_gateway_after"
    """502 with an HTML page; the request took effect."""
    ERROR_BEFORE = "error_before"
    """500 SERVER_ERROR; nothing was done."""
    ERROR_AFTER = "error_after"
    """500 SERVER_ERROR; the request took effect."""
    TIMEOUT_AFTER = "timeout_after"
    """The request took effect and no answer ever comes."""

    @property
    def before(self) -> bool:
        return self in (Fault.BAD_GATEWAY, Fault.ERROR_BEFORE)


class Call(NamedTuple):
    method: str
    path: str
    """From the gateway's root, e.g. `/v1/orders`."""


@dataclass
class _Planned:
    fault: Fault
    method: str
    path: str
    left: int

    def matches(self, call: Call) -> bool:
        return self.left > 0 and self.method in ("*", call.method) and fnmatch(call.path, self.path)


class Faults:
    """Decides which call fails and how: planned faults first, in order, then the rule."""

    def __init__(self, rule: Callable[[Call], Fault | None] | None = None) -> None:
        self._rule = rule
        self._planned: list[_Planned] = []

    def plan(self, fault: Fault, *, method: str = "*", path: str = "*", times: int = 1) -> None:
        """The next `times` calls of this method whose path fits the pattern (`/v1/orders/*`) get this fault."""
        self._planned.append(_Planned(fault, method, path, times))

    def clear(self) -> None:
        self._planned.clear()

    def take(self, call: Call) -> Fault | None:
        planned = next((each for each in self._planned if each.matches(call)), None)
        if planned is None:
            return self._rule(call) if self._rule else None
        planned.left -= 1
        self._planned = [each for each in self._planned if each.left]
        return planned.fault
