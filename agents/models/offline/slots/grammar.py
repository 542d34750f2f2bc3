# ruff: noqa: E501 - patterns and word lists read best unbroken
"""The slots of one wish, read in the order in which readings exclude each other."""

import re
from dataclasses import dataclass, field
from typing import Literal

from agents.models.offline.slots.draft import MARK, Draft
from agents.models.offline.slots.lexicon import Found, Lexicon
from agents.models.offline.slots.prices import Prices, read_prices
from agents.models.offline.slots.purchase import Method, read_method, read_order_id, read_product_ids
from agents.models.offline.slots.quantities import Quantity, read_bare_quantity, read_quantity
from agents.models.offline.slots.query import left_over
from agents.models.offline.slots.references import Reference, read_number_pair, read_reference
from agents.models.offline.slots.sizes import read_size
from agents.models.offline.slots.wishes import read_exclusions, read_rating, read_sort
from services.contracts.catalog import Sort

Relative = Literal["cheaper", "dearer"]
Purpose = Literal["search", "add", "change", "compare", "other"]
_CHEAPER = re.compile(
    r"\b(?:cheaper|less (?:expensive|costly|pricey)|lower pric\w*|more affordable|sast[aei](?: wal[aei]+)?|thoda sasta|(?:too|very|bahut) (?:expensive|costly|pricey|mehng[aei])|budget friendly|kam (?:daam|price|dam)(?: wal[aei])?|reduce the price)\b(?:\s+(?:ones?|options?|than))?"
)
_DEARER = re.compile(
    r"\b(?:more (?:expensive|premium)|pricier|higher end|high[- ]end|premium|costlier|mehng[aei] wal[aei]|upmarket)\b(?:\s+(?:ones?|options?))?"
)
_IN_STOCK = re.compile(r"\b(?:only\s+)?(?:in[- ]stock|available)(?: (?:only|ones?|items?|now))?\b")
_CATEGORY_HEAD = re.compile(
    r"^\s*(?:$|[.,!?;]|§|(?:under|below|for|with|without|in|that|which|who|from|by|at|and|or|around|between|above|to|on|less|upto|up|within|please|pls|chahiye|dikhao|dikha|wal[aei]|ka|ke|ki|me|mein|hai|i|is|are|than|priced|costing|not|no|but|having|made|size|available|batao|only|ones?|instead|kaunsa|kaunsi|kaunse|konsa|konsi|konse|na|do|you)\b)"
)
_ANOTHERS = re.compile(
    r"(?<!looking )(?<!searching )(?<!search )(?<!shopping )(?<!look )(?<!hunting )\b(?:for|with|of|to|on|by|like|from)\s+(?:(?:my|the|a|an|his|her|your|our|their|all|any|apple|samsung)\s+)*(?:[\w-]+\s+)?$"
)


@dataclass(frozen=True)
class Slots:
    """Everything one wish says. `query` is what no other slot took; `masked` is the sentence with marks."""

    said: str
    prices: Prices = field(default_factory=Prices)
    relative: Relative | None = None
    categories: tuple[str, ...] = ()
    brands: tuple[str, ...] = ()
    colours: tuple[str, ...] = ()
    size: str | None = None
    rating: float | None = None
    sort: Sort | None = None
    in_stock: bool = False
    exclude: dict[str, list[str]] = field(default_factory=dict)
    quantity: Quantity = field(default_factory=Quantity)
    reference: Reference = field(default_factory=Reference)
    method: Method | None = None
    order_id: str | None = None
    product_ids: tuple[str, ...] = ()
    query: str = ""
    masked: str = ""

    @property
    def filters(self) -> bool:
        """Whether anything but free words narrows a search."""
        return bool(
            self.prices.any
            or self.relative
            or self.brands
            or self.colours
            or self.size
            or self.rating
            or self.sort
            or self.exclude
            or self.in_stock
        )


def read_slots(said: str, lexicon: Lexicon, purpose: Purpose = "other") -> Slots:
    draft = Draft(said)
    order_id, product_ids = read_order_id(draft), read_product_ids(draft)
    rating = read_rating(draft)
    size = read_size(draft, lexicon)
    prices = read_prices(draft)
    pair = read_number_pair(draft) if purpose == "compare" else ()
    quantity = Quantity() if purpose == "search" else read_quantity(draft)
    exclude = read_exclusions(draft, lexicon)
    reference = read_reference(draft) if purpose != "search" else Reference()
    if pair:
        reference = Reference(ordinals=pair)
    sort = read_sort(draft)
    relative = _relative(draft)
    method = None if purpose == "search" else read_method(draft)
    in_stock = draft.take(_IN_STOCK, "stock") is not None
    if quantity == Quantity() and purpose in {"add", "change"}:
        quantity = read_bare_quantity(draft, changing=purpose == "change")
    named = _catalogue_words(draft, lexicon)
    return Slots(
        said=said, prices=prices, relative=relative, size=size, rating=rating, sort=sort, in_stock=in_stock,
        exclude=exclude, quantity=quantity, reference=reference, method=method, order_id=order_id,
        product_ids=product_ids, query=left_over(_words_to_search(draft.text)), masked=_shown_as_kinds(draft.text),
        categories=_values(named, "category"), brands=_values(named, "brand"), colours=_values(named, "colour"),
    )  # fmt: skip


def _relative(draft: Draft) -> Relative | None:
    if draft.take(_CHEAPER, "cheaper"):
        return "cheaper"
    return "dearer" if draft.take(_DEARER, "dearer") else None


def _catalogue_words(draft: Draft, lexicon: Lexicon) -> list[Found]:
    """Brands and colours leave the text; a category's words stay in it, since they are also what to look for."""
    kept = [found for found in lexicon.find(draft.text) if found.field != "category" or _is_head(draft.text, found)]
    for found in reversed(kept):
        if found.field == "category":
            word = draft.text[found.start : found.end]
            draft.text = f"{draft.text[: found.start]}{MARK}category {word} {MARK}end{draft.text[found.end :]}"
        else:
            draft.cut(found.start, found.end, found.field)
    return kept


def _is_head(text: str, found: Found) -> bool:
    """`phone` in `phone case` or `charger for my phone` is not what is looked for."""
    return _CATEGORY_HEAD.match(text[found.end :]) is not None and _ANOTHERS.search(text[: found.start]) is None


def _values(named: list[Found], wanted: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(found.value for found in named if found.field == wanted))


def _words_to_search(text: str) -> str:
    return text.replace(f"{MARK}category ", "").replace(f" {MARK}end", "")


_KIND = re.compile(rf"{MARK}category .*? {MARK}end")


def _shown_as_kinds(text: str) -> str:
    return _KIND.sub(f"{MARK}category", text)
