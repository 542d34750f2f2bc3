"""Prompts and answer templates: Markdown or Jinja with a short header, loaded with the hash of what was loaded."""

import hashlib
import re
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files

_HEADER = re.compile(r"\A---\n.*?\n---\n", re.DOTALL)
_NAME = re.compile(r"\A[\w-]+(?:/[\w-]+)*\Z")
_ENDINGS = (".md", ".j2")


@dataclass(frozen=True)
class Prompt:
    """`text` is without the header; `hash` is of the whole file and tells versions apart in a trace."""

    name: str
    text: str
    hash: str


@lru_cache(maxsize=128)
def load(name: str) -> Prompt:
    """`load("shopper")`, `load("policies/returns")`. Raises FileNotFoundError for a name that stands for no file."""
    if not _NAME.match(name):
        raise FileNotFoundError(f"{name!r} is no prompt's name")
    for ending in _ENDINGS:
        file = files(__package__).joinpath(f"{name}{ending}")
        if file.is_file():
            raw = file.read_text("utf-8")
            return Prompt(name, _HEADER.sub("", raw, count=1).strip(), hashlib.sha256(raw.encode()).hexdigest()[:16])
    raise FileNotFoundError(f"no prompt {name!r}")
