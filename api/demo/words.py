"""The word lists under `data/`, read and checked into plain typed values."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any, TypeVar

import yaml
from pydantic import TypeAdapter

from api.demo.model import PaymentMethod

_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
T = TypeVar("T")


@dataclass(frozen=True)
class Sure:
    """Products that must exist: the first `count` of a kind, one colour, in this price (rupees) and stock range."""

    count: int
    colour: str
    price: tuple[int, int]
    stock: tuple[int, int]
    facts: Mapping[str, list[str]] = field(default_factory=dict)


Options = Mapping[str, list[str] | dict[str, float]]


@dataclass(frozen=True)
class Item:
    """One thing among several that a kind is sold as; an empty list of a fact means it does not apply."""

    price: tuple[int, int]
    facts: Mapping[str, list[str]] = field(default_factory=dict)
    options: Options = field(default_factory=dict)
    detail: list[str] = field(default_factory=list)
    care: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Kind:
    """One kind of product. `skew` above 1 leans to the cheap end, `worth` multiplies the price by a fact's value.

    Option values that are a mapping carry their factor on the price.
    """

    department: str
    image: str
    code: str
    category: str
    count: int
    brands: list[str]
    lines: list[str]
    titles: list[str]
    facts: Mapping[str, list[str]]
    open: list[str]
    detail: list[str]
    use: list[str]
    care: list[str]
    close: list[str]
    price: tuple[int, int] = (0, 0)
    items: Mapping[str, Item] = field(default_factory=dict)
    skew: float = 1.2
    colours: list[str] = field(default_factory=list)
    shades: int = 3
    options: Options = field(default_factory=dict)
    worth: Mapping[str, float] = field(default_factory=dict)
    sure: list[Sure] = field(default_factory=list)

    def sold_as(self, name: str) -> "Kind":
        """This kind narrowed to one of its items, which becomes the fact `item`."""
        item = self.items[name]
        facts = {"item": [name], **self.facts, **item.facts}
        return replace(
            self,
            price=item.price,
            facts={fact: values for fact, values in facts.items() if values},
            options=item.options or self.options,
            detail=[*item.detail, *self.detail],
            care=item.care or self.care,
            items={},
        )


@dataclass(frozen=True)
class SellerWords:
    shop: str
    city: str
    sells: list[str]


@dataclass(frozen=True)
class City:
    city: str
    state: str
    weight: int
    areas: Mapping[str, str]


@dataclass(frozen=True)
class People:
    first_names: list[str]
    last_names: list[str]
    streets: list[str]
    buildings: list[str]
    sellers: list[SellerWords]
    state_codes: Mapping[str, str]
    cities: list[City]


@dataclass(frozen=True)
class Season:
    """A rise of trade around a day of the year; `width` in days, `height` added to the ordinary day's 1."""

    name: str
    month: int
    day: int
    width: float
    height: float


@dataclass(frozen=True)
class Trade:
    seasons: list[Season]
    festive_categories: list[str]
    weekend: float
    growth: float
    hours: list[int]
    payment_methods: Mapping[PaymentMethod, int]
    line_counts: list[int]


@dataclass(frozen=True)
class ReviewWords:
    opening: Mapping[int, list[str]]
    good: Mapping[str, list[str]]
    bad: Mapping[str, list[str]]


def people() -> People:
    return _read(People, _data("people.yaml"))


def trade() -> Trade:
    return _read(Trade, _data("trade.yaml"))


def review_words() -> ReviewWords:
    return _read(ReviewWords, _data("reviews.yaml"))


def kinds() -> list[Kind]:
    """Every kind of product, departments in the order of their file names."""
    pages = sorted(_data("catalogue").iterdir(), key=lambda page: page.name)
    return [kind for page in pages for kind in _kinds_of(_yaml(page))]


def _kinds_of(page: dict[str, Any]) -> list[Kind]:
    shared = {name: value for name, value in page.items() if name != "kinds"}
    return TypeAdapter(list[Kind]).validate_python([shared | kind for kind in page["kinds"]])


def _data(name: str) -> Traversable:
    return files(__package__) / "data" / name


def _yaml(page: Traversable) -> Any:
    return yaml.load(page.read_text("utf-8"), _Loader)  # noqa: S506 - both are safe loaders


def _read(shape: type[T], page: Traversable) -> T:
    return TypeAdapter(shape).validate_python(_yaml(page))
