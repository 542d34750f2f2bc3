"""The demo catalogue: every product is drawn from its own stream, so adding one kind leaves the others alone."""

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import product as combinations
from random import Random

from api.demo.copywriting import Copy
from api.demo.model import DemoProduct, DemoSeller, DemoVariant
from api.demo.pricing import believable, compare_at
from api.demo.seeds import Seed
from api.demo.words import Kind, People, Sure

_POPULARITY_CAP = 60.0


def products(
    seed: Seed, kinds: Sequence[Kind], words: People, sellers: Sequence[DemoSeller], now: datetime
) -> tuple[DemoProduct, ...]:
    """`sellers` stand in the order of the word list, which says what each of them sells."""
    shops: dict[str, list[DemoSeller]] = defaultdict(list)
    for entry, seller in zip(words.sellers, sellers, strict=True):
        for department in entry.sells:
            shops[department].append(seller)
    return tuple(
        _product(seed, kind, number, shops[kind.department], now) for kind in kinds for number in range(kind.count)
    )


@dataclass(frozen=True)
class _Draft:
    """What was decided about a product before it is priced and described."""

    draw: Random
    sure: Sure | None
    brand: str
    line: str
    colours: list[str]
    facts: Mapping[str, str]


def _product(seed: Seed, kind: Kind, number: int, shops: Sequence[DemoSeller], now: datetime) -> DemoProduct:
    draw = seed.random("product", kind.code, number)
    if kind.items:
        kind = kind.sold_as(draw.choice(list(kind.items)))
    draft = _draft(kind, number, draw)
    variants = _variants(seed, kind, number, draft)
    copy = Copy.of(kind, draft.brand, draft.line, draft.facts, draft.colours)
    average, count, popularity = _reception(variants[0].price, draw)
    return DemoProduct(
        product_id=seed.id("prd", kind.code, number),
        seller_id=draw.choice(shops).seller_id,
        title=copy.title(draw),
        description=copy.description(draw),
        category=(kind.department, kind.category),
        brand=draft.brand,
        attributes=copy.attributes(),
        images=(f"/media/demo/{kind.image}.svg",),
        variants=variants,
        rating_average=average,
        rating_count=count,
        popularity=popularity,
        status="active",
        created_at=now - timedelta(days=draw.randint(4, 900), minutes=draw.randint(0, 1439)),
    )


def _draft(kind: Kind, number: int, draw: Random) -> _Draft:
    sure = _sure(kind, number)
    narrowed = sure.facts if sure else {}
    brand, line = _brand_and_line(kind, number)
    colours = [sure.colour] if sure else _colours(kind, draw)
    facts = {name: draw.choice(narrowed.get(name, values)) for name, values in kind.facts.items()}
    return _Draft(draw, sure, brand, line, colours, facts)


def _sure(kind: Kind, number: int) -> Sure | None:
    for promise in kind.sure:
        if number < promise.count:
            return promise
        number -= promise.count
    return None


def _brand_and_line(kind: Kind, number: int) -> tuple[str, str]:
    """Neighbours differ in both, and no pair comes twice while brands last."""
    line, turn = number % len(kind.lines), number // len(kind.lines)
    return kind.brands[(line + turn) % len(kind.brands)], kind.lines[line]


def _colours(kind: Kind, draw: Random) -> list[str]:
    if not kind.colours:
        return []
    most = min(kind.shades, len(kind.colours))
    return draw.sample(kind.colours, draw.choices(range(1, most + 1), [5, 3, 2][:most])[0])


def _variants(seed: Seed, kind: Kind, number: int, draft: "_Draft") -> tuple[DemoVariant, ...]:
    draw = draft.draw
    base = _base_price(kind, draft)
    discount = draw.choice([0, 0, 0, 0.12, 0.2, 0.3, 0.4, 0.5])
    stock_range = draft.sure.stock if draft.sure else _stock_range(draw)
    made = []
    for position, (options, factor) in enumerate(_choices(kind, draft.colours), start=1):
        price = believable(base * factor)
        made.append(
            DemoVariant(
                variant_id=seed.id("var", kind.code, number, *options.values()),
                sku=f"{_initials(draft.brand)}-{kind.code}{number:03d}-{position:02d}",
                options=options,
                price=price,
                compare_at_price=compare_at(price, discount),
                stock=_stock(stock_range, draw, gaps=draft.sure is None),
            )
        )
    return tuple(made)


def _choices(kind: Kind, colours: list[str]) -> list[tuple[dict[str, str], float]]:
    """Every combination of options with its factor on the price; one empty combination where there are none."""
    axes: dict[str, dict[str, float]] = {"colour": dict.fromkeys(colours, 1.0)} if colours else {}
    for name, values in kind.options.items():
        axes[name] = values if isinstance(values, dict) else dict.fromkeys(values, 1.0)
    found = []
    for combination in combinations(*(axis.items() for axis in axes.values())):
        factor = 1.0
        for _, part in combination:
            factor *= part
        found.append((dict(zip(axes, (value for value, _ in combination), strict=True)), factor))
    return found


def _base_price(kind: Kind, draft: _Draft) -> float:
    low, high = draft.sure.price if draft.sure else kind.price
    price = low * math.pow(high / low, math.pow(draft.draw.random(), kind.skew))
    return price * math.prod(kind.worth.get(value, 1.0) for value in draft.facts.values())


def _stock_range(draw: Random) -> tuple[int, int]:
    return draw.choices([(0, 0), (1, 3), (4, 25), (20, 90)], [3, 8, 49, 40])[0]


def _stock(bounds: tuple[int, int], draw: Random, *, gaps: bool) -> int:
    """A size here and there is gone even where the product sells on."""
    if gaps and draw.random() < 0.05:
        return 0
    return draw.randint(*bounds)


def _reception(price: int, draw: Random) -> tuple[float, int, float]:
    """Rating average, rating count and popularity; dear things are bought less often."""
    reach = min(1.5, math.pow(1_500_00 / price, 0.55))
    popularity = round(min(draw.paretovariate(1.05), _POPULARITY_CAP) * reach, 3)
    count = int(popularity * draw.uniform(3, 40)) if draw.random() < 0.93 else 0
    average = round(min(4.9, max(2.6, draw.gauss(4.1, 0.38))), 1)
    return (average if count else 0.0), count, popularity


def _initials(brand: str) -> str:
    return "".join(letter for letter in brand if letter.isalpha())[:3].upper()
