"""Products and their variants as the catalogue keeps them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from services.catalog.models.words import distinct
from services.contracts.catalog import Status, StockReason

_COLOUR_NAMES = ("colour", "color")
_SIZE_NAMES = ("size",)


@dataclass(frozen=True, slots=True)
class Hold:
    """Stock of one variant kept for an order."""

    order_id: str
    qty: int
    at: datetime


@dataclass(frozen=True, slots=True)
class Move:
    """A change of what is on hand; `reference` is the order, the return or the change of the product behind it."""

    entry_id: str
    change: int
    reason: StockReason
    reference: str | None
    note: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Variant:
    """What can be bought. `reserved` is the sum of the holds; `live` is False when it or its product is gone.

    `moves` are those that are not in the ledger yet, `opened` is what it began with.
    """

    variant_id: str
    product_id: str
    seller_id: str
    sku: str
    options: Mapping[str, str]
    price: int
    compare_at_price: int | None
    on_hand: int
    reserved: int = 0
    live: bool = True
    removed: bool = False
    revision: int = 0
    place: int = 0
    low: bool = False
    holds: tuple[Hold, ...] = ()
    moves: tuple[Move, ...] = ()
    opened: Move | None = None

    @property
    def available(self) -> int:
        return self.on_hand - self.reserved


@dataclass(frozen=True, slots=True)
class Product:
    """A product with its variants, removed ones included; `live` says whether buyers see it.

    `suspended` is its seller.
    """

    product_id: str
    seller_id: str
    title: str
    description: str
    category: str
    brand: str | None
    attributes: Mapping[str, str]
    images: tuple[str, ...]
    status: Status
    rating_average: float
    rating_count: int
    external_id: str | None
    content_hash: str | None
    created_at: datetime
    updated_at: datetime
    version: int
    variants: tuple[Variant, ...] = ()
    suspended: bool = False

    @property
    def live(self) -> bool:
        return self.status == "active" and not self.suspended

    @property
    def offered(self) -> tuple[Variant, ...]:
        """The variants that were not taken off the product."""
        return tuple(variant for variant in self.variants if not variant.removed)

    def colour_of(self, variant: Variant) -> str | None:
        return _named(variant.options, _COLOUR_NAMES) or _named(self.attributes, _COLOUR_NAMES)

    def size_of(self, variant: Variant) -> str | None:
        return _named(variant.options, _SIZE_NAMES) or _named(self.attributes, _SIZE_NAMES)

    @property
    def colours(self) -> tuple[str, ...]:
        return distinct(self.colour_of(variant) for variant in self.offered)

    @property
    def sizes(self) -> tuple[str, ...]:
        return distinct(self.size_of(variant) for variant in self.offered)


def normal_options(options: Mapping[str, str]) -> dict[str, str]:
    """Option names in lower case, `color` as `colour`."""
    names = {"color": "colour"}
    lowered = {name.strip().casefold(): value for name, value in options.items()}
    return {names.get(name, name): value for name, value in lowered.items()}


def cheapest(variants: Iterable[Variant]) -> Variant:
    return min(variants, key=lambda variant: (variant.price, variant.available <= 0, variant.place))


def _named(words: Mapping[str, str], names: tuple[str, ...]) -> str | None:
    for name in names:
        if value := words.get(name) or words.get(name.capitalize()):
            return value
    return None
