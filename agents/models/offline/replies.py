"""Answers out of the templates in prompts/offline: only what tool results say."""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any

from jinja2 import ChainableUndefined, Environment, Undefined

from agents.models.offline.moves import Say
from agents.models.offline.turn import Step, paise
from prompts import load
from services.kit.money import Money

_FILES = ("talk", "ask", "browse", "cart", "orders", "shop", "errors")
_SECTION = re.compile(r"^## (\w+)\n(.*?)(?=^## |\Z)", re.DOTALL | re.MULTILINE)
_SPACES = re.compile(r"[ \t]*\n[ \t]*|[ \t]{2,}")
_TITLE = 42
_LOOSE_END = re.compile(r"(?:\s+(?:and|for|in|of|with|the|a|an|to)|[\s,&–-])+$", re.IGNORECASE)
_SPEAK_FOR_THEMSELVES = frozenset({"colour", "color", "material", "finish", "style"})
_PASSING = frozenset({"variant_required", "address_required"})


def money(amount: Any) -> str:
    """₹1,499 out of paise or a money object; nothing out of nothing, never ₹0."""
    if amount is None or isinstance(amount, Undefined):
        return ""
    currency = str(amount.get("currency", "INR")) if isinstance(amount, Mapping) else "INR"
    return Money(amount=paise(amount), currency=currency).text()


def listed(words: Sequence[Any], last: str = "and") -> str:
    """`a, b and c`."""
    said = [str(word) for word in words]
    return said[0] if len(said) == 1 else f"{', '.join(said[:-1])} {last} {said[-1]}" if said else ""


def short(title: str) -> str:
    """A title's beginning, whole words, as one would say it."""
    title = re.split(r"\s+[–—|(]", str(title))[0].strip(" ,-")
    if len(title) <= _TITLE:
        return title
    return _LOOSE_END.sub("", title[: _TITLE + 1].rsplit(" ", 1)[0])


def chosen(options: Mapping[str, Any]) -> str:
    """`red, size 8` out of a variant's options."""
    return ", ".join(_option(str(name).replace("_", " "), str(value)) for name, value in options.items())


def _option(name: str, value: str) -> str:
    if name.lower() in _SPEAK_FOR_THEMSELVES:
        return value.lower()
    return value if value.lower().startswith(name.lower()) else f"{name.lower()} {value}"


def day(moment: str) -> str:
    """3 Nov 2026 out of an ISO date."""
    try:
        when = datetime.fromisoformat(moment)
    except ValueError:
        return moment
    return f"{when.day} {when:%b %Y}"


class Replies:
    """Renders templates by name; what a result does not say is left out."""

    def __init__(self) -> None:
        self._environment = Environment(autoescape=False, undefined=ChainableUndefined, trim_blocks=True)  # noqa: S701 - plain text, no page
        self._environment.filters |= {"money": money, "listed": listed, "day": day, "short": short, "chosen": chosen}
        self._templates = {name: self._environment.from_string(text) for name, text in _sections().items()}

    def text(self, say: Say) -> str:
        """What was done in this turn, then the answer or question itself."""
        steps: Sequence[Step] = say.values.get("before", ())
        told = self._told(steps if say.template == "told" else _not_looked_up(steps))
        own = "" if say.template == "told" else self._render(say.template, say.values)
        return " ".join(part for part in (told, own) if part) or self._render("nothing_to_tell", {})

    def _told(self, steps: Sequence[Step]) -> str:
        sentences = [self._of(step) for step in _worth_telling(steps)]
        return " ".join(dict.fromkeys(sentence for sentence in sentences if sentence))

    def _of(self, step: Step) -> str:
        if step.ok:
            name = f"done_{step.tool}"
            return self._render(
                name if name in self._templates else "done_other", {"data": step.data or {}, "args": step.args}
            )
        name = f"error_{step.code}"
        return self._render(
            name if name in self._templates else "error_other",
            {"error": step.error, "args": step.args, "tool": step.tool},
        )

    def _render(self, name: str, values: Mapping[str, Any]) -> str:
        return _SPACES.sub(" ", self._templates[name].render(**values)).strip()


@lru_cache(maxsize=1)
def _sections() -> dict[str, str]:
    return {name: text for file in _FILES for name, text in _SECTION.findall(load(f"offline/{file}").text + "\n")}


_LOOKED_UP = frozenset({"list_orders", "search_products"})


def _not_looked_up(steps: Sequence[Step]) -> list[Step]:
    """Before an answer of its own, what was only looked up for it is not told."""
    return [step for step in steps if step.tool not in _LOOKED_UP or not step.ok]


def _worth_telling(steps: Sequence[Step]) -> list[Step]:
    """Not what was only a step on the way; of several views of the cart after writes, one total."""
    told = [step for step in steps if step.ok or step.code not in _PASSING]
    last = len(told) - 1
    return [step for at, step in enumerate(told) if at == last or step.tool not in _LOOKED_UP or not step.ok]
