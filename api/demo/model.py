"""What the demo world is made of. Money is in paise with GST included; times are UTC."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

PaymentMethod = Literal["credit_card", "debit_card", "upi", "netbanking", "wallet", "cod"]
OrderStatus = Literal["confirmed", "shipped", "delivered", "cancelled", "expired", "returned"]
PaymentStatus = Literal["unpaid", "paid", "refunded"]


@dataclass(frozen=True, slots=True)
class DemoAdmin:
    user_id: str
    name: str
    email: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class DemoSeller:
    seller_id: str
    user_id: str
    name: str
    shop_name: str
    email: str
    phone: str
    city: str
    state: str
    gstin: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class DemoAddress:
    address_id: str
    name: str
    phone: str
    street: str
    city: str
    state: str
    country: str
    zip_code: str


@dataclass(frozen=True, slots=True)
class DemoBuyer:
    user_id: str
    name: str
    email: str
    phone: str
    address: DemoAddress
    created_at: datetime


@dataclass(frozen=True, slots=True)
class DemoVariant:
    variant_id: str
    sku: str
    options: Mapping[str, str]
    price: int
    compare_at_price: int | None
    stock: int


@dataclass(frozen=True, slots=True)
class DemoProduct:
    """`popularity` is a positive weight with a long tail; `rating_average` is 0.0 while `rating_count` is 0."""

    product_id: str
    seller_id: str
    title: str
    description: str
    category: tuple[str, str]
    brand: str
    attributes: Mapping[str, str]
    images: tuple[str, ...]
    variants: tuple[DemoVariant, ...]
    rating_average: float
    rating_count: int
    popularity: float
    status: Literal["active"]
    created_at: datetime


@dataclass(frozen=True, slots=True)
class DemoOrderLine:
    product_id: str
    variant_id: str
    seller_id: str
    title: str
    qty: int
    price: int


@dataclass(frozen=True, slots=True)
class DemoOrder:
    """`paid_at` is when the money came: minutes after the order, or at the door for cash on delivery."""

    order_id: str
    user_id: str
    address: DemoAddress
    payment_method: PaymentMethod
    status: OrderStatus
    payment_status: PaymentStatus
    lines: tuple[DemoOrderLine, ...]
    created_at: datetime
    confirmed_at: datetime | None = None
    paid_at: datetime | None = None
    shipped_at: datetime | None = None
    delivered_at: datetime | None = None
    cancelled_at: datetime | None = None
    expired_at: datetime | None = None
    returned_at: datetime | None = None

    @property
    def subtotal(self) -> int:
        return sum(line.qty * line.price for line in self.lines)


@dataclass(frozen=True, slots=True)
class DemoReview:
    review_id: str
    product_id: str
    user_id: str
    order_id: str
    rating: int
    text: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class DemoWorld:
    seed: int
    now: datetime
    admin: DemoAdmin
    sellers: tuple[DemoSeller, ...]
    buyers: tuple[DemoBuyer, ...]
    products: tuple[DemoProduct, ...]
    orders: tuple[DemoOrder, ...]
    reviews: tuple[DemoReview, ...]
