"""What sellers promise: profiles and the dashboard."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, Literal, Protocol

from pydantic import StringConstraints

from services.kit.errors import Invalid
from services.kit.money import Money
from services.kit.principal import Principal
from services.kit.text import ShortText
from services.kit.wire import Page, Wire

Metric = Literal["revenue", "orders", "units", "average_order_value", "cancellations", "returns"]
Grain = Literal["day", "week", "month"]
SellerStatus = Literal["pending", "approved", "suspended"]


class PeriodInvalid(Invalid):
    code = "invalid_period"


class Period(Wire):
    """Days in Indian time, both inclusive."""

    start: date
    end: date


class Profile(Wire):
    """`payout_account` is the seller's linked account at the payment gateway (`acc_…`)."""

    seller_id: str
    name: str
    status: SellerStatus
    state: str = ""
    gstin: str | None = None
    payout_account: str | None = None


class ProfilePatch(Wire):
    name: ShortText | None = None
    state: ShortText | None = None
    gstin: Annotated[str, StringConstraints(pattern=r"^\d{2}[A-Z]{5}\d{4}[A-Z][1-9A-Z]Z[0-9A-Z]$")] | None = None
    payout_account: Annotated[str, StringConstraints(pattern=r"^acc_[A-Za-z0-9]{14}$")] | None = None


class Figures(Wire):
    """Of orders confirmed in the period (paid, or cash on delivery accepted).

    `revenue` is what buyers pay for this seller's lines after discount, GST included, without shipping; `orders`,
    `units` and `revenue` leave out what was cancelled later, `cancellations` counts that. Returned orders stay in
    all three and are counted by `returns`. Rates are shares of orders and cancellations together (0..1).
    """

    revenue: Money
    orders: int
    units: int
    average_order_value: Money
    cancellations: int
    returns: int
    cancellation_rate: float
    return_rate: float


class Point(Wire):
    """A day, week or month that starts on `start`, or the part of it that lies in the period."""

    start: date
    revenue: Money
    orders: int
    units: int


class TopProduct(Wire):
    product_id: str
    title: str
    revenue: Money
    units: int


class Dashboard(Wire):
    period: Period
    figures: Figures
    previous_period: Period | None = None
    previous: Figures | None = None
    series: tuple[Point, ...]
    top_products: tuple[TopProduct, ...]


class SellerOrderLine(Wire):
    """`price` is for one piece; `line_total` is after discount, GST included."""

    product_id: str
    variant_id: str
    title: str
    qty: int
    price: Money
    line_total: Money


class SellerOrder(Wire):
    """The seller's part of an order: no name, phone or street beyond city and state. `total` is without shipping."""

    order_id: str
    status: str
    payment_status: str
    placed_at: datetime
    city: str
    state: str
    lines: tuple[SellerOrderLine, ...]
    total: Money


class SellerProduct(Wire):
    product_id: str
    variant_id: str
    sku: str
    title: str
    options: dict[str, str]
    price: Money
    available: int
    low_stock: bool


@dataclass(frozen=True, slots=True)
class StockLevel:
    """What is left of a variant, for loading in bulk."""

    variant_id: str
    product_id: str
    seller_id: str
    available: int


class SellersPort(Protocol):
    """All but `profiles` raise Forbidden for callers who are no sellers."""

    async def profile(self, who: Principal) -> Profile:
        """Raises NotFound."""

    async def update_profile(self, who: Principal, patch: ProfilePatch) -> Profile:
        """Raises NotFound."""

    async def listed(
        self, who: Principal, status: SellerStatus | None, limit: int = 20, cursor: str | None = None
    ) -> Page[Profile]:
        """For operators: all sellers, or those of a status, in a fixed order. Raises Forbidden, CursorInvalid."""

    async def set_status(self, who: Principal, seller_id: str, status: Literal["approved", "suspended"]) -> Profile:
        """For operators; repeatable. Products of a suspended seller are hidden until it is approved again.

        Raises Forbidden, NotFound.
        """

    async def profiles(self, seller_ids: Sequence[str]) -> dict[str, Profile]:
        """Internal: name, state and approval of these sellers; ids without an account are missing."""

    async def dashboard(
        self,
        who: Principal,
        period: str = "last_30_days",
        grain: Grain = "day",
        compare: str | None = "previous_period",
    ) -> Dashboard:
        """`period`: today, yesterday, last_7_days, … or `from..to`; `compare`: previous_period or None.

        Raises PeriodInvalid, Invalid.
        """

    async def orders(
        self, who: Principal, status: str | None, limit: int = 20, cursor: str | None = None
    ) -> Page[SellerOrder]:
        """Newest first. Raises Invalid, CursorInvalid."""

    async def products(
        self, who: Principal, low_stock: bool, limit: int = 20, cursor: str | None = None
    ) -> Page[SellerProduct]:
        """Variants by product, or only those that run low. Raises CursorInvalid."""
