"""What the catalogue promises: products, variants, stock and search."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Literal, Protocol

from pydantic import AfterValidator, AliasChoices, Field, StringConstraints, field_validator

from services.kit.errors import Conflict, Forbidden, Invalid
from services.kit.idempotency import CommandKey
from services.kit.money import Money, RupeesIn
from services.kit.principal import Principal
from services.kit.text import LongText, ShortText, plain
from services.kit.wire import Replayable, Wire

Status = Literal["draft", "active", "archived"]
Sort = Literal["relevance", "price_asc", "price_desc", "rating", "newest"]
Options = dict[str, str]
OptionsIn = dict[Annotated[str, StringConstraints(min_length=1, max_length=64)], ShortText]
AttributesIn = Annotated[dict[str, str | int | float | bool], Field(max_length=250)]
Title = Annotated[
    str, StringConstraints(min_length=1, max_length=300), AfterValidator(plain), StringConstraints(min_length=1)
]
ImageUrl = Annotated[str, StringConstraints(min_length=1, max_length=1_000, pattern=r"^(https?://|/)\S+$")]


class OutOfStock(Conflict):
    """`details`: variantId, title, available."""

    code = "out_of_stock"


class ProductGone(Conflict):
    """The product was archived or deleted; `details` names it."""

    code = "product_gone"


class SellerNotApproved(Forbidden):
    code = "seller_not_approved"


class SkuTaken(Conflict):
    code = "sku_taken"


class ExternalIdTaken(Conflict):
    """The seller already has a product under this externalId; `details.productId` names it."""

    code = "external_id_taken"


class StockBelowReserved(Conflict):
    """Stock cannot be set below what orders hold; `details`: variantId, reserved."""

    code = "stock_below_reserved"


class ProductOrdered(Conflict):
    """Orders name the product: it can be archived, not deleted."""

    code = "product_ordered"


class ReviewNotAllowed(Forbidden):
    code = "review_not_allowed"


class AlreadyReviewed(Conflict):
    """The buyer's review of this product is there; `details.reviewId`."""

    code = "already_reviewed"


class TooManyImages(Conflict):
    code = "too_many_images"


class HoldDiffers(Conflict):
    """The order already holds another quantity of the variant; `details`: variantId, held."""

    code = "hold_differs"


class CursorInvalid(Invalid):
    code = "invalid_cursor"


class Rating(Wire):
    average: float = 0.0
    count: int = 0


class Card(Wire):
    """A product in a list: the price is the lowest among the variants that match the question."""

    product_id: str
    title: str
    price: Money
    compare_at_price: Money | None = None
    category: str
    brand: str | None
    attributes: dict[str, str]
    rating: Rating
    available: int
    image: str | None
    seller_id: str
    colours: tuple[str, ...] = ()
    sizes: tuple[str, ...] = ()
    status: Status = "active"


class VariantView(Wire):
    variant_id: str
    sku: str
    options: Options
    price: Money
    compare_at_price: Money | None = None
    available: int


class SellerBrief(Wire):
    seller_id: str
    name: str


class ProductView(Card, Replayable):
    description: str
    variants: tuple[VariantView, ...]
    images: tuple[str, ...]
    seller: SellerBrief
    created_at: datetime
    updated_at: datetime
    version: int


class VariantIn(Wire):
    sku: Annotated[str, StringConstraints(min_length=1, max_length=64)] | None = None
    options: Annotated[OptionsIn, Field(max_length=8)] = {}
    price: RupeesIn | None = None
    compare_at_price: RupeesIn | None = None
    stock: Annotated[int, Field(ge=0, le=10_000_000)] = 0


class ProductIn(Wire):
    """Prices in rupees. Without `variants` one base variant is made from `price` and `stock`."""

    title: Annotated[Title, Field(validation_alias=AliasChoices("title", "name"))]
    description: LongText = ""
    price: RupeesIn
    compare_at_price: RupeesIn | None = None
    category: ShortText
    brand: ShortText | None = None
    stock: Annotated[int, Field(ge=0, le=10_000_000)] = 0
    attributes: AttributesIn = {}
    images: Annotated[tuple[ImageUrl, ...], Field(max_length=20)] = ()
    variants: Annotated[tuple[VariantIn, ...], Field(max_length=100)] = ()
    status: Status = "active"
    external_id: Annotated[str, StringConstraints(max_length=128)] | None = None
    product_id: Annotated[
        str | None, Field(max_length=64, description="In an import: one of the seller's own products; else ignored.")
    ] = None


class VariantPatch(Wire):
    """Names one variant of the product and what changes on it."""

    variant_id: str
    price: RupeesIn | None = None
    compare_at_price: RupeesIn | None = None
    stock: Annotated[int, Field(ge=0, le=10_000_000)] | None = None


class ProductPatch(Wire):
    """`price` and `stock` are for products with one variant; otherwise `variants` names which."""

    title: Annotated[Title | None, Field(validation_alias=AliasChoices("title", "name"))] = None
    description: LongText | None = None
    price: RupeesIn | None = None
    stock: Annotated[int, Field(ge=0, le=10_000_000)] | None = None
    category: ShortText | None = None
    brand: ShortText | None = None
    attributes: AttributesIn | None = None
    images: Annotated[tuple[ImageUrl, ...], Field(max_length=20)] | None = None
    variants: Annotated[tuple[VariantPatch, ...], Field(max_length=100)] = ()
    status: Status | None = None


class ProductQuery(Wire):
    """A question to the catalogue; amounts in paise. Colour, size, price and stock hold for one variant.

    `in_stock` True leaves out what is sold out. `exclude` names category, brand, colour, size or an attribute
    (`material`) with the words that are not wanted.
    """

    q: Annotated[str, StringConstraints(max_length=500)] = ""
    category: str | None = None
    brand: tuple[str, ...] = ()
    colour: tuple[str, ...] = ()
    size: tuple[str, ...] = ()
    min_price: int | None = None
    max_price: int | None = None
    min_rating: float | None = None
    in_stock: bool | None = None
    seller_id: str | None = None
    exclude: dict[str, tuple[str, ...]] = {}
    sort: Sort = "relevance"
    limit: Annotated[int, Field(ge=1, le=100)] = 20
    cursor: str | None = None
    page: Annotated[int, Field(ge=1, le=1_000)] | None = None
    facets: bool = False


class Facet(Wire):
    """A value and the number of products that stay when it is asked for too.

    Of `price` the value is a range in rupees, both ends inclusive: `500-999.99`; the last has no upper end.
    """

    value: str
    count: int


class ProductPage(Wire):
    items: tuple[Card, ...]
    next_cursor: str | None = None
    facets: dict[str, tuple[Facet, ...]] | None = None


class Vocabulary(Wire):
    """Words the live catalogue uses, for understanding what people type."""

    categories: tuple[str, ...]
    brands: tuple[str, ...]
    colours: tuple[str, ...]
    sizes: tuple[str, ...]


class ReviewIn(Wire):
    rating: Annotated[int, Field(ge=1, le=5, description="1 to 5 stars")]
    text: Annotated[LongText, StringConstraints(max_length=5_000)] = ""


class ReplyIn(Wire):
    text: Annotated[str, StringConstraints(min_length=1, max_length=2_000), AfterValidator(plain)]

    @field_validator("text")
    @classmethod
    def _says_something(cls, text: str) -> str:
        if not text:
            raise ValueError("a reply says something")
        return text


class ModerationIn(Wire):
    action: Literal["hide", "show"]


class ReviewReply(Wire):
    text: str
    at: datetime


class ReviewView(Replayable):
    """By a buyer to whom the product was delivered. `hidden` ones are seen by admins only."""

    review_id: str
    product_id: str
    rating: int
    text: str
    created_at: datetime
    reply: ReviewReply | None = None
    hidden: bool = False
    verified: bool = True


class ReviewPage(Wire):
    """Newest first; `summary` is of all that are shown."""

    items: tuple[ReviewView, ...]
    next_cursor: str | None = None
    summary: Rating


StockReason = Literal["opening", "sold", "returned", "adjusted", "edited", "imported"]


class StockChange(Wire):
    """Either `change` (so many more or less) or `on_hand` (what was counted); `variant_id` when there are several."""

    variant_id: Annotated[str, StringConstraints(max_length=64)] | None = None
    change: Annotated[int, Field(ge=-10_000_000, le=10_000_000)] | None = None
    on_hand: Annotated[int, Field(ge=0, le=10_000_000)] | None = None
    reason: ShortText


class StockEntry(Wire):
    """A change of what is on hand. `reference`: the order, return or product change behind it; `note`: in words."""

    entry_id: str
    variant_id: str
    sku: str
    change: int
    reason: StockReason
    reference: str | None = None
    note: str = ""
    at: datetime


class StockLevel(Wire):
    variant_id: str
    sku: str
    options: Options
    on_hand: int
    reserved: int
    available: int


class StockChanged(Replayable):
    entry: StockEntry
    level: StockLevel


class StockLedger(Wire):
    """Newest first; `levels` are of now."""

    items: tuple[StockEntry, ...]
    next_cursor: str | None = None
    levels: tuple[StockLevel, ...]


SuggestionKind = Literal["category", "brand", "title"]


class Suggestion(Wire):
    """A completion of what was typed; `product_id` of a title."""

    text: str
    kind: SuggestionKind
    product_id: str | None = None


class Suggestions(Wire):
    items: tuple[Suggestion, ...]


class LineIn(Wire):
    variant_id: str
    qty: int


class PricedLine(Wire):
    """A variant as it can be bought now. `available` is on hand minus reserved; `active` is False when it is gone."""

    variant_id: str
    product_id: str
    seller_id: str
    title: str
    category: str
    brand: str | None
    image: str | None
    options: Options
    sku: str
    price: Money
    available: int
    active: bool
    product_version: int


ExportFormat = Literal["ndjson", "csv"]


class ImportProblem(Wire):
    line: int
    reason: str


class ImportReport(Wire):
    read: int
    created: int
    updated: int
    unchanged: int
    failed: int
    problems: tuple[ImportProblem, ...]


class IndexStatus(Wire):
    """How far search is: products in the index, and how many of them still wait for their meaning vector."""

    points: int
    missing_dense: int
    embedded: int


@dataclass(frozen=True, slots=True)
class SeedVariant:
    """Money in paise; `stock` is what lies on the shelf."""

    variant_id: str
    sku: str
    options: Mapping[str, str]
    price: int
    compare_at_price: int | None
    stock: int


@dataclass(frozen=True, slots=True)
class SeedProduct:
    """A finished product with its ids and past, for loading in bulk; `category` is a path (`Shoes > Sneakers`)."""

    product_id: str
    seller_id: str
    title: str
    description: str
    category: str
    brand: str | None
    attributes: Mapping[str, str]
    images: tuple[str, ...]
    variants: tuple[SeedVariant, ...]
    rating_average: float
    rating_count: int
    created_at: datetime
    external_id: str | None = None
    status: Status = "active"


class CatalogPort(Protocol):
    async def search(self, query: ProductQuery) -> ProductPage:
        """Products of live sellers; price and stock come from the catalogue itself, never from the index."""

    async def get(self, product_id: str, who: Principal | None = None) -> ProductView:
        """Raises NotFound. A draft or archived product is there for its seller only."""

    async def many(self, product_ids: Sequence[str]) -> list[Card]:
        """Live cards in the order asked; what is gone is left out."""

    async def similar(self, product_id: str, limit: int = 6) -> list[Card]: ...

    async def reviews(
        self, product_id: str, limit: int = 20, cursor: str | None = None, who: Principal | None = None
    ) -> ReviewPage:
        """Newest first; hidden ones for admins only. Raises NotFound, CursorInvalid."""

    async def review(
        self, who: Principal, product_id: str, review: ReviewIn, key: CommandKey | None = None
    ) -> ReviewView:
        """Raises NotFound, ReviewNotAllowed, AlreadyReviewed."""

    async def reply_to_review(self, who: Principal, product_id: str, review_id: str, reply: ReplyIn) -> ReviewView:
        """The product's seller; a second reply takes the place of the first. Raises NotFound."""

    async def moderate_review(
        self, who: Principal, product_id: str, review_id: str, moderation: ModerationIn
    ) -> ReviewView:
        """Admins hide or show a review, and the rating follows; repeatable. Raises Forbidden, NotFound."""

    async def suggest(self, typed: str, limit: int = 10) -> tuple[Suggestion, ...]:
        """Titles, brands and categories on offer with a word that begins as typed, the most telling first."""

    async def create(self, who: Principal, product: ProductIn, key: CommandKey | None = None) -> ProductView:
        """Raises SellerNotApproved, SkuTaken, ExternalIdTaken."""

    async def update(self, who: Principal, product_id: str, patch: ProductPatch) -> ProductView:
        """Raises NotFound, Invalid, StockBelowReserved."""

    async def archive(self, who: Principal, product_id: str) -> None:
        """Raises NotFound; repeatable."""

    async def delete(self, who: Principal, product_id: str) -> None:
        """For good, when no order ever named it. Raises NotFound, ProductOrdered (then it is archived at most)."""

    async def add_image(self, who: Principal, product_id: str, content: bytes) -> ProductView:
        """PNG, JPEG or WebP, known by its content. Raises NotFound, TooLarge, Unsupported, Invalid, TooManyImages."""

    async def remove_image(self, who: Principal, product_id: str, url: str) -> ProductView:
        """Raises NotFound."""

    async def change_stock(
        self, who: Principal, product_id: str, change: StockChange, key: CommandKey | None = None
    ) -> StockChanged:
        """Count or correct the shelf. Raises NotFound, Invalid, StockBelowReserved."""

    async def stock_ledger(self, who: Principal, product_id: str, limit: int, cursor: str | None) -> StockLedger:
        """Every change of what is on hand, newest first; they add up to it. Raises NotFound, CursorInvalid."""

    async def refresh_seller(self, seller_id: str) -> int:
        """Internal: hide or show a seller's products by the seller's status of now, and show the name of now.

        Call after a seller was suspended, approved again or renamed. Returns how many products changed.
        """

    async def of_seller(
        self, who: Principal, limit: int, cursor: str | None, status: Status | None = None
    ) -> ProductPage: ...

    async def import_lines(self, seller_id: str, lines: AsyncIterator[tuple[int, ProductIn | str]]) -> ImportReport:
        """Upsert by productId or externalId in batches of 500, each with its event in one write.

        A str is a bad line's reason. What an export gives is unchanged when it is imported again.
        """

    def export(self, who: Principal, form: ExportFormat) -> AsyncIterator[bytes]:
        """The caller's products as a file that can be imported. Raises Forbidden."""

    async def vocabulary(self) -> Vocabulary: ...

    async def price(self, variant_ids: Sequence[str]) -> dict[str, PricedLine]:
        """Internal. Unknown variants are missing in the answer."""

    async def variants_of(self, product_ids: Sequence[str]) -> dict[str, tuple[PricedLine, ...]]:
        """Internal. The variants of these products, drafts and archived ones too; unknown ids are missing."""

    async def sole_variant(self, product_id: str) -> PricedLine:
        """The product's one active variant. Raises NotFound, or VariantRequired naming the options with stock."""

    async def reserve(self, order_id: str, lines: Sequence[LineIn]) -> None:
        """Hold stock for an order, all or nothing; repeatable. Raises OutOfStock, ProductGone, HoldDiffers."""

    async def commit(self, order_id: str, lines: Sequence[LineIn]) -> None:
        """The held goods are sold: on hand and reserved go down together; repeatable."""

    async def release(self, order_id: str, lines: Sequence[LineIn]) -> None:
        """Free an order's hold; repeatable, and harmless when there is none."""

    async def restock(self, order_id: str, lines: Sequence[LineIn]) -> None:
        """Sold goods come back (cancelled after commit); once per order."""

    async def holds_older_than(self, moment: datetime) -> list[tuple[str, list[LineIn]]]:
        """Orders that still hold stock taken before `moment`, for the sweep."""


class VariantRequired(Conflict):
    """The product has several variants. `details.options`: [{variantId, options, price, available}] with stock."""

    code = "variant_required"


Attributes = dict[str, Any]
