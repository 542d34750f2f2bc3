"""HTTP of the catalogue."""

import hashlib
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request
from pydantic import StringConstraints
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.responses import Response, StreamingResponse

from services.catalog.adapters.csv_file import product_rows
from services.catalog.adapters.ndjson import product_lines
from services.catalog.models.image import LARGEST_BYTES
from services.catalog.service import CatalogService
from services.contracts.catalog import (
    AlreadyReviewed,
    Card,
    CursorInvalid,
    ExportFormat,
    ExternalIdTaken,
    ImportReport,
    ModerationIn,
    ProductIn,
    ProductOrdered,
    ProductPage,
    ProductPatch,
    ProductQuery,
    ProductView,
    ReplyIn,
    ReviewIn,
    ReviewNotAllowed,
    ReviewPage,
    ReviewView,
    SellerNotApproved,
    SkuTaken,
    Sort,
    Status,
    StockBelowReserved,
    StockChange,
    StockChanged,
    StockLedger,
    Suggestions,
    TooManyImages,
)
from services.kit.errors import (
    Conflict,
    Forbidden,
    IdempotencyConflict,
    InFlight,
    Invalid,
    NotFound,
    TooLarge,
    Unauthenticated,
    Unsupported,
)
from services.kit.money import RupeesIn
from services.kit.web import Admin, Cursor, Limit, OptionalKey, Seller, User, Visitor, answer, problems
from services.kit.wire import Wire

SortParameter = Literal["relevance", "price_asc", "price_desc", "rating", "newest", "price", "-price"]
Words = Annotated[list[Annotated[str, StringConstraints(max_length=100)]] | None, Query(max_length=20)]

_SORTS: dict[SortParameter, Sort] = {
    "relevance": "relevance",
    "price_asc": "price_asc",
    "price_desc": "price_desc",
    "rating": "rating",
    "newest": "newest",
    "price": "price_asc",
    "-price": "price_desc",
}
_LINES_TYPES = ("application/x-ndjson", "application/ndjson", "application/jsonl", "application/x-jsonlines")
_CSV_TYPES = ("text/csv", "application/csv")
_IMPORTED = ("application/x-ndjson", "text/csv")
_PUBLIC = {"Cache-Control": "public, no-cache"}
_PRIVATE = {"Cache-Control": "private, no-store"}
_JSON = "application/json"


_ONE_FILE = {
    "required": True,
    "content": {
        "multipart/form-data": {
            "schema": {
                "type": "object",
                "required": ["file"],
                "properties": {"file": {"type": "string", "format": "binary"}},
            }
        }
    },
}


class SimilarProducts(Wire):
    items: tuple[Card, ...]


def routes(catalog: CatalogService) -> APIRouter:
    router = APIRouter(tags=["catalog"])
    _add_lists(router, catalog)
    _add_selling(router, catalog)
    _add_images(router, catalog)
    _add_stock(router, catalog)
    _add_details(router, catalog)
    _add_reviews(router, catalog)
    return router


def _add_lists(router: APIRouter, catalog: CatalogService) -> None:
    @router.get("/products", response_model=ProductPage, responses=problems(CursorInvalid))
    async def list_products(
        *,
        q: Annotated[str, Query(max_length=500, description="Words; keywords and meaning both count.")] = "",
        query: Annotated[str, Query(max_length=500, description="The same as q.")] = "",
        category: Annotated[
            str | None, Query(max_length=200, description="A name or a path (`Shoes > Sneakers`).")
        ] = None,
        brand: Words = None,
        colour: Words = None,
        color: Words = None,
        size: Words = None,
        min_price: Annotated[RupeesIn | None, Query(alias="minPrice", description="Rupees.")] = None,
        max_price: Annotated[RupeesIn | None, Query(alias="maxPrice", description="Rupees.")] = None,
        min_rating: Annotated[float | None, Query(alias="minRating", ge=0, le=5)] = None,
        in_stock: Annotated[bool, Query(alias="inStock", description="Leave out what is sold out.")] = False,
        seller_id: Annotated[str | None, Query(alias="sellerId", max_length=64)] = None,
        sort: SortParameter = "relevance",
        limit: Limit = 20,
        cursor: Cursor = None,
        page: Annotated[int | None, Query(ge=1, le=1_000)] = None,
        facets: bool = False,
    ) -> Response:
        """Products that answer the question; colour, size, price and stock hold for one variant of each."""
        if min_price is not None and max_price is not None and min_price > max_price:
            raise Invalid("minPrice is above maxPrice", field="minPrice")
        asked = ProductQuery.model_construct(
            q=(q or query).strip(),
            category=category,
            brand=tuple(brand or ()),
            colour=(*(colour or ()), *(color or ())),
            size=tuple(size or ()),
            min_price=min_price,
            max_price=max_price,
            min_rating=min_rating,
            in_stock=True if in_stock else None,
            seller_id=seller_id,
            sort=_SORTS[sort],
            limit=limit,
            cursor=cursor,
            page=page,
            facets=facets,
        )
        return answer(await catalog.search(asked))

    @router.get("/products/suggest", response_model=Suggestions, responses=problems())
    async def suggest_products(
        q: Annotated[str, Query(max_length=100, description="What was typed so far.")] = "",
        limit: Annotated[int, Query(ge=1, le=20)] = 10,
    ) -> Response:
        """Completions out of the categories, brands and titles on offer."""
        return answer(Suggestions(items=await catalog.suggest(q, limit)))

    @router.get(
        "/products/seller",
        response_model=ProductPage,
        responses=problems(Unauthenticated, Forbidden, CursorInvalid),
    )
    async def list_own_products(
        who: Seller, limit: Limit = 20, cursor: Cursor = None, status: Status | None = None
    ) -> Response:
        """The caller's products, newest first; without `status` those that are not archived."""
        return answer(await catalog.of_seller(who, limit, cursor, status), headers=_PRIVATE)


def _add_selling(router: APIRouter, catalog: CatalogService) -> None:
    @router.post(
        "/products",
        status_code=201,
        response_model=ProductView,
        responses=problems(
            Unauthenticated, Forbidden, SellerNotApproved, SkuTaken, ExternalIdTaken, IdempotencyConflict, InFlight
        ),
    )
    async def create_product(who: Seller, product: ProductIn, key: OptionalKey) -> Response:
        """Offer a product; with `variants`, or with one made from `price` and `stock`."""
        return answer(await catalog.create(who, product, key), 201)

    @router.post(
        "/products/import",
        response_model=ImportReport,
        responses=problems(Unauthenticated, Forbidden, SellerNotApproved, Unsupported),
        openapi_extra={
            "requestBody": {
                "required": True,
                "content": {form: {"schema": {"type": "string", "format": "binary"}} for form in _IMPORTED},
            }
        },
    )
    async def import_products(who: Seller, request: Request) -> Response:
        """Create or update many products; bad lines are reported, the others count.

        NDJSON has one JSON object a line; CSV has the JSON's names in its first line, with JSON in the cells of
        attributes, images and variants. A `productId` or `externalId` on each line makes a repeat an update.
        """
        seller_id = await catalog.may_sell(who)
        sent_as = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if sent_as not in {*_LINES_TYPES, *_CSV_TYPES}:
            raise Unsupported("send NDJSON (Content-Type application/x-ndjson) or CSV (text/csv)")
        read = product_rows if sent_as in _CSV_TYPES else product_lines
        return answer(await catalog.import_lines(seller_id, read(request.stream())))

    @router.get(
        "/products/export",
        response_class=StreamingResponse,
        responses={
            200: {
                "description": "One product a line",
                "content": {form: {"schema": {"type": "string", "format": "binary"}} for form in _IMPORTED},
            },
            **problems(Unauthenticated, Forbidden),
        },
    )
    async def export_products(who: Seller, form: Annotated[ExportFormat, Query(alias="format")] = "ndjson") -> Response:
        """The caller's products, drafts and archived ones too, as a file that can be imported again."""
        media_type = "text/csv; charset=utf-8" if form == "csv" else "application/x-ndjson"
        headers = {**_PRIVATE, "Content-Disposition": f'attachment; filename="products.{form}"'}
        return StreamingResponse(catalog.export(who, form), media_type=media_type, headers=headers)

    @router.patch(
        "/products/{product_id}",
        response_model=ProductView,
        responses=problems(Unauthenticated, Forbidden, NotFound, StockBelowReserved, Conflict),
    )
    async def change_product(who: Seller, product_id: str, patch: ProductPatch) -> Response:
        """Change what is named; the rest stays."""
        return answer(await catalog.update(who, product_id, patch), headers=_PRIVATE)

    @router.delete(
        "/products/{product_id}",
        status_code=204,
        responses=problems(Unauthenticated, Forbidden, NotFound, ProductOrdered, Conflict),
    )
    async def delete_product(
        who: Seller,
        product_id: str,
        *,
        hard: Annotated[bool, Query(description="Delete it for good; only if no order ever named it.")] = False,
    ) -> Response:
        """Archive a product: it leaves the market, and orders keep what they know of it."""
        await (catalog.delete if hard else catalog.archive)(who, product_id)
        return Response(status_code=204)


def _add_images(router: APIRouter, catalog: CatalogService) -> None:
    @router.post(
        "/products/{product_id}/images",
        status_code=201,
        response_model=ProductView,
        responses=problems(Unauthenticated, Forbidden, NotFound, TooManyImages, Conflict, TooLarge, Unsupported),
        openapi_extra={"requestBody": _ONE_FILE},
    )
    async def upload_image(who: Seller, product_id: str, request: Request) -> Response:
        """Add a PNG, JPEG or WebP image of at most 5 MB as the form field `file`; what it is, its content says."""
        await catalog.require_own(who, product_id)
        return answer(await catalog.add_image(who, product_id, await _uploaded(request)), 201, _PRIVATE)

    @router.delete(
        "/products/{product_id}/images",
        response_model=ProductView,
        responses=problems(Unauthenticated, Forbidden, NotFound, Conflict),
    )
    async def remove_image(
        who: Seller, product_id: str, url: Annotated[str, Query(max_length=1_000, description="One of `images`.")]
    ) -> Response:
        """Take an image off the product."""
        return answer(await catalog.remove_image(who, product_id, url), headers=_PRIVATE)


async def _uploaded(request: Request) -> bytes:
    """The form field `file`. Raises Unsupported, Invalid, TooLarge."""
    if not request.headers.get("content-type", "").startswith("multipart/form-data"):
        raise Unsupported("send the image as the field `file` of multipart/form-data")
    try:
        async with request.form(max_files=1, max_fields=10) as form:
            file = form.get("file")
            if not isinstance(file, UploadFile):
                raise Invalid("the form has no file in the field `file`", field="file")
            return await file.read(LARGEST_BYTES + 1)
    except HTTPException as error:
        raise Invalid("this is no form with one file: " + str(error.detail), field="file") from error


def _add_stock(router: APIRouter, catalog: CatalogService) -> None:
    @router.post(
        "/products/{product_id}/stock",
        status_code=201,
        response_model=StockChanged,
        responses=problems(
            Unauthenticated, Forbidden, NotFound, StockBelowReserved, Conflict, IdempotencyConflict, InFlight
        ),
    )
    async def change_stock(who: Seller, product_id: str, change: StockChange, key: OptionalKey) -> Response:
        """Count or correct what is on hand, with the reason in words."""
        return answer(await catalog.change_stock(who, product_id, change, key), 201, _PRIVATE)

    @router.get(
        "/products/{product_id}/stock",
        response_model=StockLedger,
        responses=problems(Unauthenticated, Forbidden, NotFound, CursorInvalid),
    )
    async def list_stock_changes(who: Seller, product_id: str, limit: Limit = 20, cursor: Cursor = None) -> Response:
        """Every change of what is on hand, newest first, and the stock of now."""
        return answer(await catalog.stock_ledger(who, product_id, limit, cursor), headers=_PRIVATE)


def _add_details(router: APIRouter, catalog: CatalogService) -> None:
    @router.get(
        "/products/{product_id}",
        response_model=ProductView,
        responses={304: {"description": "Not modified since the given ETag"}, **problems(NotFound)},
    )
    async def get_product(request: Request, who: Visitor, product_id: str) -> Response:
        """A product with its variants and seller; a draft is there for its seller only."""
        body = await catalog.public_bytes(product_id)
        if body is None:
            return answer(await catalog.get(product_id, who), headers=_PRIVATE)
        etag = f'"{hashlib.blake2b(body, digest_size=12).hexdigest()}"'
        headers = {"ETag": etag, **_PUBLIC}
        if _matches(request.headers.get("if-none-match"), etag):
            return Response(None, 304, headers)
        return Response(body, 200, headers, _JSON)

    @router.get("/products/{product_id}/similar", response_model=SimilarProducts, responses=problems(NotFound))
    async def list_similar_products(product_id: str, limit: Annotated[int, Query(ge=1, le=20)] = 6) -> Response:
        """Products that are close to this one in meaning."""
        if await catalog.public_bytes(product_id) is None:
            raise NotFound.of("product")
        return answer(SimilarProducts(items=tuple(await catalog.similar(product_id, limit))))


def _add_reviews(router: APIRouter, catalog: CatalogService) -> None:
    @router.get(
        "/products/{product_id}/reviews", response_model=ReviewPage, responses=problems(NotFound, CursorInvalid)
    )
    async def list_reviews(who: Visitor, product_id: str, limit: Limit = 20, cursor: Cursor = None) -> Response:
        """What buyers say, newest first, and what their stars add up to."""
        return answer(await catalog.reviews(product_id, limit, cursor, who))

    @router.post(
        "/products/{product_id}/reviews",
        status_code=201,
        response_model=ReviewView,
        responses=problems(
            Unauthenticated, ReviewNotAllowed, NotFound, AlreadyReviewed, Conflict, IdempotencyConflict, InFlight
        ),
    )
    async def write_review(who: User, product_id: str, review: ReviewIn, key: OptionalKey) -> Response:
        """Review a product that was delivered to the caller; once."""
        return answer(await catalog.review(who, product_id, review, key), 201)

    @router.post(
        "/products/{product_id}/reviews/{review_id}/reply",
        response_model=ReviewView,
        responses=problems(Unauthenticated, Forbidden, NotFound),
    )
    async def reply_to_review(who: Seller, product_id: str, review_id: str, reply: ReplyIn) -> Response:
        """The seller's answer; a second one takes the place of the first."""
        return answer(await catalog.reply_to_review(who, product_id, review_id, reply))

    @router.post(
        "/products/{product_id}/reviews/{review_id}/moderate",
        response_model=ReviewView,
        responses=problems(Unauthenticated, Forbidden, NotFound, Conflict),
    )
    async def moderate_review(who: Admin, product_id: str, review_id: str, moderation: ModerationIn) -> Response:
        """Hide a review or show it again; the rating follows."""
        return answer(await catalog.moderate_review(who, product_id, review_id, moderation))


def _matches(header: str | None, etag: str) -> bool:
    """If-None-Match compares weakly."""
    if header is None:
        return False
    return header.strip() == "*" or etag in {each.strip().removeprefix("W/") for each in header.split(",")}
