"""What orders promise: quotes, orders and their life."""

from datetime import datetime
from typing import Annotated, Literal, Protocol

from pydantic import StringConstraints

from services.contracts.auth import Address
from services.kit.errors import Conflict, Refused
from services.kit.idempotency import CommandKey
from services.kit.money import Money
from services.kit.principal import Principal
from services.kit.text import PlainText
from services.kit.wire import Page, Replayable, Wire

OrderStatus = Literal["pending", "confirmed", "shipped", "delivered", "cancelled", "expired", "returned"]
PaymentStatus = Literal["unpaid", "authorized", "paid", "partially_refunded", "refunded"]
PaymentMethod = Literal["razorpay", "cod"]


class CartEmpty(Refused):
    code = "cart_empty"


class QuoteChanged(Conflict):
    """The quote no longer holds; `details.quote` is the fresh one and `details.changes` says what moved:

    cart, prices, amounts, address, payment_method, expired; `unknown` when the hash is none of ours.
    """

    code = "quote_changed"


class CartAlreadyOrdered(Conflict):
    """This version of the cart is an order already; `details.orderId`."""

    code = "cart_already_ordered"


class AddressRequired(Refused):
    """No address was named and the buyer has none."""

    code = "address_required"


class NotCancellable(Conflict):
    code = "not_cancellable"


class OrderClosed(Conflict):
    """The order is expired, cancelled or already paid, so this step is not possible; `details.status`."""

    code = "order_closed"


class MethodNotAvailable(Refused):
    code = "payment_method_not_available"


class SellerUnavailable(Refused):
    code = "seller_unavailable"


class QuoteRequest(Wire):
    """Without `address_id` the default address is meant."""

    address_id: str | None = None
    payment_method: PaymentMethod = "razorpay"


class PlaceOrder(Wire):
    address_id: str | None = None
    quote_hash: Annotated[str, StringConstraints(max_length=128)] | None = None
    payment_method: PaymentMethod = "razorpay"


class CancelOrder(Wire):
    """`reason` is shown on the order only; no event carries it."""

    reason: Annotated[PlainText, StringConstraints(max_length=500)] = ""


class TaxSplit(Wire):
    """GST inside the price of a line, in paise: CGST and SGST within a state, else IGST. `rate` is in percent."""

    rate: int
    cgst: int = 0
    sgst: int = 0
    igst: int = 0

    @property
    def total(self) -> int:
        return self.cgst + self.sgst + self.igst


class OrderLine(Wire):
    """`price` is for one piece; `line_total` is price · qty − discount, GST included."""

    line_id: str
    product_id: str
    variant_id: str
    seller_id: str
    title: str
    category: str
    brand: str | None = None
    options: dict[str, str] = {}
    sku: str = ""
    image: str | None = None
    qty: int
    price: Money
    discount: Money
    line_total: Money
    tax: TaxSplit


class Quote(Wire):
    """`quote_hash` stands for exactly these lines, amounts, address, method and cart version until `expires_at`."""

    quote_hash: str
    expires_at: datetime
    cart_id: str
    cart_version: int
    lines: tuple[OrderLine, ...]
    subtotal: Money
    discount: Money
    shipping: Money
    tax: Money
    total: Money
    address: Address
    payment_method: PaymentMethod


class Part(Wire):
    """One seller's share of an order."""

    seller_id: str
    status: Literal["pending", "confirmed", "shipped", "delivered", "cancelled", "returned"]
    subtotal: Money
    shipping: Money
    line_ids: tuple[str, ...]


class TimelineEntry(Wire):
    status: str
    at: datetime
    note: str = ""


class OrderView(Replayable):
    order_id: str
    user_id: str
    status: OrderStatus
    payment_status: PaymentStatus
    payment_method: PaymentMethod | str
    items: tuple[OrderLine, ...]
    subtotal: Money
    total: Money
    tax: Money
    shipping: Money
    discount: Money
    parts: tuple[Part, ...]
    timeline: tuple[TimelineEntry, ...]
    shipping_address: Address
    cart_id: str
    cart_version: int
    payment_id: str | None = None
    refunded: Money
    created_at: datetime
    expires_at: datetime | None = None
    version: int


class PaymentFact(Wire):
    """What payments tells orders about money that was captured."""

    payment_id: str
    order_id: str
    amount: int
    method: str


class MarkPaid(Wire):
    """`accepted` is False when the order was no longer open: the money must go back."""

    accepted: bool
    order: OrderView


class SeedLine(Wire):
    """A line of a finished order; `unit_price` in paise, GST included."""

    product_id: str
    variant_id: str
    seller_id: str
    title: str
    category: str
    brand: str | None = None
    options: dict[str, str] = {}
    sku: str = ""
    image: str | None = None
    qty: int
    unit_price: int


class SeedOrder(Wire):
    """An order of the past for bulk loading; tax, shipping and commission are worked out by the usual rules."""

    order_id: str
    user_id: str
    status: OrderStatus
    payment_status: PaymentStatus
    payment_method: str
    address: Address
    lines: tuple[SeedLine, ...]
    placed_at: datetime
    confirmed_at: datetime | None = None
    shipped_at: datetime | None = None
    delivered_at: datetime | None = None
    cancelled_at: datetime | None = None
    expired_at: datetime | None = None
    returned_at: datetime | None = None
    payment_id: str | None = None


class OrdersPort(Protocol):
    async def quote(self, who: Principal, request: QuoteRequest) -> Quote:
        """What an order would cost now; nothing is held.

        Raises CartEmpty, AddressRequired, NotFound (address), OutOfStock, ProductGone, MethodNotAvailable,
        SellerUnavailable.
        """

    async def place(self, who: Principal, command: PlaceOrder, key: CommandKey) -> OrderView:
        """Turn the caller's cart into an order; safe to repeat with the same key.

        Raises QuoteChanged, CartEmpty, OutOfStock, CartAlreadyOrdered, and what `quote` raises.
        """

    async def get(self, who: Principal, order_id: str) -> OrderView:
        """The buyer's own (or any, for an admin). Raises NotFound."""

    async def mine(self, who: Principal, limit: int = 20, cursor: str | None = None) -> Page[OrderView]:
        """Newest first."""

    async def cancel(
        self, who: Principal, order_id: str, command: CancelOrder, key: CommandKey | None = None
    ) -> OrderView:
        """Raises NotFound, NotCancellable. Frees the stock; what was paid is refunded."""

    async def payable(self, who: Principal, order_id: str) -> OrderView:
        """The caller's order if it can still be paid. Raises NotFound, OrderClosed."""

    async def mark_paid(self, who: Principal, fact: PaymentFact) -> MarkPaid:
        """Internal (`who.service`): money for this order was captured; repeatable."""

    async def mark_refunded(self, who: Principal, order_id: str, refunded: int) -> OrderView:
        """Internal: `refunded` paise of this order have gone back in all; repeatable."""

    async def expire_due(self) -> int:
        """Expire unpaid orders past their time and sweep holds whose order was never saved; how many ended."""
