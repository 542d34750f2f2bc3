"""The seller's dashboard and profile over HTTP."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Annotated, Any, Literal, TypeVar

from fastapi import APIRouter, Query, Request
from starlette.responses import Response, StreamingResponse

from services.contracts.catalog import CursorInvalid
from services.contracts.orders import OrderStatus
from services.contracts.sellers import (
    Dashboard,
    Grain,
    PeriodInvalid,
    Profile,
    ProfilePatch,
    SellerOrder,
    SellerProduct,
    SellersPort,
    SellerStatus,
)
from services.kit.errors import Forbidden, NotFound, Unauthenticated
from services.kit.web import Admin, Cursor, Limit, Seller, answer, problems
from services.kit.wire import Page
from services.sellers.models.spreadsheet import (
    ORDER_COLUMNS,
    PRODUCT_COLUMNS,
    Row,
    csv_of,
    order_rows,
    product_rows,
)

Item = TypeVar("Item")
Form = Annotated[
    Literal["json", "csv"] | None,
    Query(alias="format", description="csv gives the whole list from the cursor on; so does Accept: text/csv"),
]
_CSV: dict[int | str, dict[str, Any]] = {200: {"content": {"text/csv": {"schema": {"type": "string"}}}}}
_ROWS_A_READ = 100

PeriodName = Annotated[
    str,
    Query(
        max_length=64,
        description="today, yesterday, last_7_days, last_30_days, this_ or last_ week, month, quarter or year, "
        "or two dates as 2026-01-01..2026-01-31; days in Indian time",
    ),
]


def routes(sellers: SellersPort) -> APIRouter:
    router = APIRouter(prefix="/seller", tags=["sellers"])

    @router.get(
        "/dashboard/metrics",
        response_model=Dashboard,
        responses=problems(Unauthenticated, Forbidden, PeriodInvalid),
    )
    async def get_seller_metrics(
        who: Seller,
        period: PeriodName = "last_30_days",
        grain: Grain = "day",
        compare: Literal["previous_period", "none"] = "previous_period",
    ) -> Response:
        """The figures of a period beside those of the one before, as a series, and the best-selling products."""
        beside = None if compare == "none" else compare
        return answer(await sellers.dashboard(who, period, grain, beside))

    @router.get(
        "/dashboard/orders",
        response_model=Page[SellerOrder],
        responses={**_CSV, **problems(Unauthenticated, Forbidden, CursorInvalid)},
    )
    async def list_seller_orders(
        who: Seller,
        request: Request,
        form: Form = None,
        status: OrderStatus | None = None,
        limit: Limit = 20,
        cursor: Cursor = None,
    ) -> Response:
        """The seller's parts of orders, newest first; as CSV all of them, a line of an order a row."""
        if _wants_csv(request, form):
            first = await sellers.orders(who, status, _ROWS_A_READ, cursor)
            rest = _rest(lambda after: sellers.orders(who, status, _ROWS_A_READ, after), first)
            return _file("orders", ORDER_COLUMNS, rest, order_rows)
        return answer(await sellers.orders(who, status, limit, cursor))

    @router.get(
        "/dashboard/products",
        response_model=Page[SellerProduct],
        responses={**_CSV, **problems(Unauthenticated, Forbidden, CursorInvalid)},
    )
    async def list_seller_inventory(
        who: Seller,
        request: Request,
        form: Form = None,
        low_stock: Annotated[bool, Query(alias="lowStock")] = False,
        limit: Limit = 20,
        cursor: Cursor = None,
    ) -> Response:
        """The seller's variants with price and stock of now, or only those that run low; as CSV all of them."""
        if _wants_csv(request, form):
            first = await sellers.products(who, low_stock, _ROWS_A_READ, cursor)
            rest = _rest(lambda after: sellers.products(who, low_stock, _ROWS_A_READ, after), first)
            return _file("products", PRODUCT_COLUMNS, rest, product_rows)
        return answer(await sellers.products(who, low_stock, limit, cursor))

    @router.get("/profile", response_model=Profile, responses=problems(Unauthenticated, Forbidden, NotFound))
    async def get_seller_profile(who: Seller) -> Response:
        """The seller's profile with its approval state."""
        return answer(await sellers.profile(who))

    @router.patch("/profile", response_model=Profile, responses=problems(Unauthenticated, Forbidden, NotFound))
    async def change_seller_profile(who: Seller, patch: ProfilePatch) -> Response:
        """Change name, state or GSTIN; fields left out stay as they are."""
        return answer(await sellers.update_profile(who, patch))

    return router


def _wants_csv(request: Request, form: str | None) -> bool:
    return form == "csv" or (form is None and request.headers.get("accept", "").startswith("text/csv"))


async def _rest(read: Callable[[str], Awaitable[Page[Item]]], first: Page[Item]) -> AsyncIterator[list[Item]]:
    """This page, which is read before the answer begins so that it may still be refused, and all that follow."""
    page = first
    yield page.items
    while page.next_cursor:
        page = await read(page.next_cursor)
        yield page.items


def _file(
    name: str, columns: tuple[str, ...], pages: AsyncIterator[list[Item]], rows: Callable[[Item], list[Row]]
) -> Response:
    async def content() -> AsyncIterator[bytes]:
        yield csv_of([columns])
        async for items in pages:
            yield csv_of(row for item in items for row in rows(item))

    headers = {"Content-Disposition": f'attachment; filename="{name}.csv"', "Vary": "Accept"}
    return StreamingResponse(content(), media_type="text/csv; charset=utf-8", headers=headers)


def operator_routes(sellers: SellersPort) -> APIRouter:
    router = APIRouter(prefix="/admin/sellers", tags=["admin"])

    @router.get("", response_model=Page[Profile], responses=problems(Unauthenticated, Forbidden, CursorInvalid))
    async def list_sellers(
        who: Admin, status: SellerStatus | None = None, limit: Limit = 20, cursor: Cursor = None
    ) -> Response:
        """All sellers, or those who wait for approval, in a fixed order."""
        return answer(await sellers.listed(who, status, limit, cursor))

    @router.post(
        "/{seller_id}/approve", response_model=Profile, responses=problems(Unauthenticated, Forbidden, NotFound)
    )
    async def approve_seller(who: Admin, seller_id: str) -> Response:
        """Let a seller sell, for the first time or again; repeatable."""
        return answer(await sellers.set_status(who, seller_id, "approved"))

    @router.post(
        "/{seller_id}/suspend", response_model=Profile, responses=problems(Unauthenticated, Forbidden, NotFound)
    )
    async def suspend_seller(who: Admin, seller_id: str) -> Response:
        """Stop a seller from selling and hide the products; orders that stand are not touched. Repeatable."""
        return answer(await sellers.set_status(who, seller_id, "suspended"))

    return router
