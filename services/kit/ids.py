"""Identifiers: a type prefix and a random UUID part, e.g. `prd_3f0c…`."""

import re
import uuid
from collections.abc import Callable
from typing import Protocol

ID_PATTERN = re.compile(r"^[a-z]{2,5}_[0-9a-f]{32}$")


class Ids(Protocol):
    """Where new identifiers come from; injected so that a run can be replayed from a seed."""

    def new(self, prefix: str) -> str: ...


class RandomIds:
    def __init__(self, source: Callable[[], uuid.UUID] = uuid.uuid4) -> None:
        self._source = source

    def new(self, prefix: str) -> str:
        return f"{prefix}_{self._source().hex}"


def named_id(prefix: str, *parts: str) -> str:
    """The identifier that always belongs to these parts (UUID5)."""
    return f"{prefix}_{uuid.uuid5(uuid.NAMESPACE_URL, '/'.join(parts)).hex}"


def is_id(value: str, prefix: str) -> bool:
    return value.startswith(prefix + "_") and ID_PATTERN.match(value) is not None


def seller_id_of(user_id: str) -> str:
    """A seller's id carries the UUID of its user, so that no look-up is needed."""
    return "sel_" + user_id.removeprefix("usr_")


def user_id_of_seller(seller_id: str) -> str:
    return "usr_" + seller_id.removeprefix("sel_")
