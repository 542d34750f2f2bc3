"""What sellers promise: profiles and the dashboard."""

from datetime import date, datetime
from typing import Annotated, Any, Literal, Protocol

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
    seller_id: str
    name: str
    status: SellerStatus
    state: str = ""
    gstin: str | None = None


class ProfilePatch(Wire):
    name: ShortText | None = None
    state: ShortText | None = None
    gstin: Annotated[str, StringConstraints(pattern=r"^\d{2}[A-Z]{5}\d{4}[A-Z][1-9A-Z]Z[0-9A-Z]$")] | None = None


class Figures(Wire):
    """Revenue is what buyers paid for this seller's lines after discount, GST included, without shipping,
    of orders confirmed in the period and not cancelled; rates are shares of the period's orders (0..1).
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


class SellerOrder(Wire):
    """The seller's part of an order: no name, phone or street beyond city and state."""

    order_id: str
    status: str
    payment_status: str
    placed_at: datetime
    city: str
    state: str
    lines: tuple[dict[str, Any], ...]
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


class SellersPort(Protocol):
    async def profile(self, who: Principal) -> Profile:
        """Raises NotFound."""

    async def update_profile(self, who: Principal, patch: ProfilePatch) -> Profile: ...

    async def profiles(self, seller_ids: list[str]) -> dict[str, Profile]:
        """Internal: state and approval of these sellers; unknown ones are missing."""

    async def dashboard(
        self,
        who: Principal,
        period: str = "last_30_days",
        grain: Grain = "day",
        compare: str | None = "previous_period",
    ) -> Dashboard:
        """`period`: today, yesterday, last_7_days, … or `from..to`. Raises PeriodInvalid."""

    async def orders(
        self, who: Principal, status: str | None, limit: int = 20, cursor: str | None = None
    ) -> Page[SellerOrder]: ...

    async def products(
        self, who: Principal, low_stock: bool, limit: int = 20, cursor: str | None = None
    ) -> Page[SellerProduct]: ...
