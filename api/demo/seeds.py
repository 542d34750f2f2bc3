"""Identifiers and randomness that depend on the seed and a name alone, so that one part never moves another."""

import uuid
from random import Random

_NAMESPACE = uuid.uuid5(uuid.NAMESPACE_DNS, "demo.cohort.example")


class Seed:
    def __init__(self, value: int) -> None:
        self.value = value

    def id(self, prefix: str, *name: object) -> str:
        return f"{prefix}_{self.hex(prefix, *name)}"

    def hex(self, *name: object) -> str:
        return uuid.uuid5(_NAMESPACE, "/".join(map(str, (self.value, *name)))).hex

    def random(self, *name: object) -> Random:
        return Random("/".join(map(str, (self.value, *name))))
