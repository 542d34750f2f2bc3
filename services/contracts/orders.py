"""What orders promise: quotes, orders and their life."""

from datetime import datetime
from typing import Annotated, Literal, Protocol

from pydantic import AliasChoices, Field, StringConstraints

from services.contracts.auth import Address
from services.kit.errors import Conflict, Refused
from services.kit.idempotency import CommandKey
from services.kit.money import Money, inr
from services.kit.principal import Principal
from services.kit.text import PlainText
from services.kit.wire import Page, Replayable, Wire

OrderStatus = Literal["pending", "confirmed", "shipped", "delivered", "cancelled", "expired", "returned"]
PartStatus = Literal["pending", "confirmed", "shipped", "delivered", "cancelled", "returned"]
PaymentStatus = Literal["unpaid", "authorized", "paid", "partially_refunded", "refunded"]
ReturnStatus = Literal["requested", "approved", "refused"]
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


class IllegalStep(Conflict):
    """The part cannot go there from where it is; `details`: status, step."""

    code = "illegal_step"


class AddressFixed(Conflict):
    """The order is confirmed or over, or would cost another sum there; `details.status`."""

    code = "address_fixed"


class ReturnNotPossible(Conflict):
    """Not delivered yet, the window is over, or as many are returned already; `details` says which and the line."""

    code = "return_not_possible"


class ReturnDecided(Conflict):
    """The return was approved or refused before; `details.status`."""

    code = "return_decided"


class NoInvoice(Conflict):
    """Invoices are written when an order is confirmed; `details.status`."""

    code = "no_invoice"


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


class ChangeAddress(Wire):
    address_id: str


class ShipPart(Wire):
    carrier: Annotated[PlainText, StringConstraints(max_length=80)] = ""
    tracking_number: Annotated[PlainText, StringConstraints(max_length=80)] = ""


class CancelPart(Wire):
    """`reason` is shown on the order only; no event carries it."""

    reason: Annotated[PlainText, StringConstraints(max_length=500)] = ""


class ReturnLineIn(Wire):
    """Without `qty` all pieces of the line that are not returned yet."""

    line_id: Annotated[str, StringConstraints(min_length=1, max_length=64)]
    qty: Annotated[int | None, Field(ge=1, validation_alias=AliasChoices("qty", "quantity"))] = None


class RequestReturn(Wire):
    """Each line at most once. Lines of several sellers become a return for each of them."""

    lines: Annotated[tuple[ReturnLineIn, ...], Field(min_length=1, max_length=50)]
    reason: Annotated[PlainText, StringConstraints(max_length=500)] = ""


class DecideReturn(Wire):
    """`restock` False keeps the goods off the shelf (damaged); without it the shop's setting decides."""

    restock: bool | None = None
    note: Annotated[PlainText, StringConstraints(max_length=500)] = ""


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
    """`price` is for one piece; `line_total` is price · qty − discount, GST included.

    `refund_due` is what of the line total has to be back with the buyer, by cancellation or accepted returns.
    """

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
    returned_qty: int = 0
    refund_due: Money = inr(0)


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
    coupon: str | None = None


class Part(Wire):
    """One seller's share of an order. `shipping_refund_due` is what of the shipping has to be back with the buyer."""

    seller_id: str
    status: PartStatus
    subtotal: Money
    shipping: Money
    line_ids: tuple[str, ...]
    carrier: str = ""
    tracking_number: str = ""
    shipped_at: datetime | None = None
    delivered_at: datetime | None = None
    cod_collected_at: datetime | None = None
    invoice_number: str | None = None
    shipping_refund_due: Money = inr(0)


class TimelineEntry(Wire):
    """`seller_id` where the step was one seller's."""

    status: str
    at: datetime
    note: str = ""
    seller_id: str | None = None


class ReturnLine(Wire):
    """`refund` is what was paid for these pieces."""

    line_id: str
    qty: int
    refund: Money


class Return(Wire):
    """Goods of one seller on their way back."""

    return_id: str
    seller_id: str
    status: ReturnStatus
    lines: tuple[ReturnLine, ...]
    refund: Money
    reason: str = ""
    note: str = ""
    requested_at: datetime
    decided_at: datetime | None = None
    restocked: bool = False


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
    coupon: str | None = None
    returns: tuple[Return, ...] = ()
    confirmed_at: datetime | None = None
    completed_at: datetime | None = None


class SellerPart(Replayable):
    """A seller's own part of an order, with where to send it. `total` is what the buyer pays for it with shipping."""

    order_id: str
    status: PartStatus
    payment_status: PaymentStatus
    payment_method: str
    part: Part
    items: tuple[OrderLine, ...]
    returns: tuple[Return, ...]
    timeline: tuple[TimelineEntry, ...]
    ship_to: Address
    total: Money
    created_at: datetime
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

    async def change_address(
        self, who: Principal, order_id: str, command: ChangeAddress, key: CommandKey | None = None
    ) -> OrderView:
        """Deliver a pending order elsewhere; the tax split follows, the total stays. Raises NotFound, AddressFixed."""

    async def part(self, who: Principal, order_id: str) -> SellerPart:
        """The calling seller's own part. Raises NotFound."""

    async def ship(self, who: Principal, order_id: str, command: ShipPart, key: CommandKey | None = None) -> SellerPart:
        """Raises NotFound, IllegalStep."""

    async def deliver(self, who: Principal, order_id: str, key: CommandKey | None = None) -> SellerPart:
        """Raises NotFound, IllegalStep."""

    async def cancel_part(
        self, who: Principal, order_id: str, command: CancelPart, key: CommandKey | None = None
    ) -> SellerPart:
        """Stock goes back on the shelf, what was paid for the part goes back. Raises NotFound, IllegalStep."""

    async def cod_collected(self, who: Principal, order_id: str, key: CommandKey | None = None) -> SellerPart:
        """The cash of a delivered part is here. Raises NotFound, IllegalStep."""

    async def request_return(self, who: Principal, order_id: str, command: RequestReturn, key: CommandKey) -> OrderView:
        """Raises NotFound, ReturnNotPossible, Invalid (no such line)."""

    async def approve_return(
        self, who: Principal, return_id: str, command: DecideReturn, key: CommandKey | None = None
    ) -> SellerPart:
        """What was paid for these pieces goes back. Raises NotFound, ReturnDecided."""

    async def refuse_return(
        self, who: Principal, return_id: str, command: DecideReturn, key: CommandKey | None = None
    ) -> SellerPart:
        """Raises NotFound, ReturnDecided."""

    async def invoice(self, who: Principal, order_id: str) -> bytes:
        """A PDF with a page for each part: all for the buyer and admins, the own one for a seller.

        Raises NotFound, NoInvoice.
        """

    async def listed(
        self, who: Principal, status: OrderStatus | None, limit: int = 20, cursor: str | None = None
    ) -> Page[OrderView]:
        """For admins: all orders, newest first; a page may hold fewer than `limit`. Raises Forbidden, Invalid."""

    async def payable(self, who: Principal, order_id: str) -> OrderView:
        """The caller's order if it can still be paid. Raises NotFound, OrderClosed."""

    async def mark_paid(self, who: Principal, fact: PaymentFact) -> MarkPaid:
        """Internal (`who.service`): money for this order was captured; repeatable."""

    async def mark_refunded(self, who: Principal, order_id: str, refunded: int) -> OrderView:
        """Internal: `refunded` paise of this order have gone back in all; repeatable."""

    async def has_received(self, user_id: str, product_id: str) -> bool:
        """Internal: whether the product was delivered to this buyer; sending it back later changes nothing."""

    async def was_ordered(self, product_id: str) -> bool:
        """Internal: whether any order ever named the product, expired and cancelled ones too."""

    async def expire_due(self) -> int:
        """Expire unpaid orders past their time and sweep holds whose order was never saved; how many ended."""
