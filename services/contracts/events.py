"""The registry of events: every type on the exchange, its aliases, and what it carries.

`data` holds every non-personal fact a consumer needs; no name, e-mail, phone or street.
"""

from datetime import datetime

from services.kit.events import Event
from services.kit.wire import Wire


class UserCreated(Event):
    TYPE = "user.created"
    ALIASES = ("user.registered",)
    SUBJECT = "user_id"

    user_id: str
    roles: tuple[str, ...]
    seller_id: str | None = None


class UserUpdated(Event):
    TYPE = "user.updated"
    SUBJECT = "user_id"

    user_id: str
    roles: tuple[str, ...] = ()
    deleted: bool = False


class ProductCreated(Event):
    """`product_ids` holds one product, or up to 500 of an import batch."""

    TYPE = "product.created"
    SUBJECT = "seller_id"

    seller_id: str
    product_ids: tuple[str, ...]


class ProductUpdated(Event):
    TYPE = "product.updated"
    SUBJECT = "product_id"

    product_id: str
    seller_id: str
    fields: tuple[str, ...] = ()


class ProductDeleted(Event):
    TYPE = "product.deleted"
    SUBJECT = "product_id"

    product_id: str
    seller_id: str


class InventoryUpdated(Event):
    """Level-triggered: read the product for its stock of now."""

    TYPE = "inventory.updated"
    SUBJECT = "product_id"

    product_id: str
    seller_id: str
    available: int


class InventoryLow(Event):
    TYPE = "inventory.low"
    SUBJECT = "product_id"

    product_id: str
    seller_id: str
    variant_id: str
    sku: str
    title: str
    available: int


class OrderLineFact(Wire):
    """One line of an order as the events tell it; amounts in paise, `net` after discount and with tax.

    `refund_due` is what of `net` has to be back with the buyer in all, by cancelled parts and accepted returns; it only
    grows, and payments see to the difference.
    """

    line_id: str
    product_id: str
    variant_id: str
    seller_id: str
    title: str
    category: str
    brand: str | None = None
    qty: int
    unit_price: int
    discount: int = 0
    net: int
    tax: int
    commission: int = 0
    refund_due: int = 0


class OrderPartFact(Wire):
    """One seller's part: `shipping` in paise, and what of it has to be back with the buyer in all."""

    seller_id: str
    status: str
    shipping: int
    shipping_refund_due: int = 0


class OrderEvent(Event):
    """What every order event carries: the whole order as of now, without personal data.

    Cash on delivery is collected once `payment_status` is paid.
    """

    SUBJECT = "order_id"

    order_id: str
    user_id: str
    cart_id: str
    cart_version: int
    status: str
    payment_status: str
    payment_method: str
    currency: str = "INR"
    total: int
    tax: int
    shipping: int
    discount: int
    city: str
    state: str
    lines: tuple[OrderLineFact, ...]
    parts: tuple[OrderPartFact, ...] = ()
    placed_at: datetime
    confirmed_at: datetime | None = None
    coupon: str | None = None
    version: int


class OrderCreated(OrderEvent):
    TYPE = "order.created"


class OrderConfirmed(OrderEvent):
    TYPE = "order.confirmed"


class OrderUpdated(OrderEvent):
    TYPE = "order.updated"


class OrderShipped(OrderEvent):
    TYPE = "order.shipped"


class OrderDelivered(OrderEvent):
    TYPE = "order.delivered"


class OrderCompleted(OrderEvent):
    TYPE = "order.completed"


class OrderCancelled(OrderEvent):
    TYPE = "order.cancelled"
    reason: str = ""


class OrderExpired(OrderEvent):
    TYPE = "order.expired"


class OrderReturned(OrderEvent):
    TYPE = "order.returned"


class PaymentEvent(Event):
    SUBJECT = "payment_id"

    payment_id: str
    order_id: str
    user_id: str
    amount: int
    currency: str = "INR"
    method: str
    transaction_id: str | None = None


class PaymentSucceeded(PaymentEvent):
    TYPE = "payment.success"
    ALIASES = ("payment.completed",)


class PaymentFailed(PaymentEvent):
    TYPE = "payment.failed"
    reason: str = ""


class PaymentRefunded(PaymentEvent):
    """`refund_id` is the gateway's; `refunded` is what of this payment has gone back in all.

    Of a charge beside the payment (`transaction_id` is that charge's) `stray` is what went back of it.
    """

    TYPE = "payment.refunded"
    refund_id: str
    refunded: int
    stray: int = 0


class PayoutChanged(PaymentEvent):
    """What a seller gets of a payment, as of `version`; `net` = goods + shipping - commission - refunds.

    `refunds` is the seller's share of what went back: the commission on it is given back with it. `status`: due,
    transferred, partially_reversed, reversed, cancelled, or collected (cash; the commission is owed).
    """

    TYPE = "payment.payout"

    payout_id: str
    seller_id: str
    goods: int
    shipping: int
    commission: int
    refunds: int
    net: int
    status: str
    version: int


class ReviewCreated(Event):
    TYPE = "review.created"
    SUBJECT = "product_id"

    product_id: str
    seller_id: str
    user_id: str
    rating: int


ORDER_EVENTS: dict[str, type[OrderEvent]] = {
    cls.TYPE: cls
    for cls in (
        OrderCreated,
        OrderConfirmed,
        OrderUpdated,
        OrderShipped,
        OrderDelivered,
        OrderCompleted,
        OrderCancelled,
        OrderExpired,
        OrderReturned,
    )
}
REGISTRY: dict[str, type[Event]] = {
    **ORDER_EVENTS,
    **{
        cls.TYPE: cls
        for cls in (
            UserCreated,
            UserUpdated,
            ProductCreated,
            ProductUpdated,
            ProductDeleted,
            InventoryUpdated,
            InventoryLow,
            PaymentSucceeded,
            PaymentFailed,
            PaymentRefunded,
            PayoutChanged,
            ReviewCreated,
        )
    },
}

QUEUES: dict[str, tuple[str, ...]] = {
    "notification-queue": ("user.*", "order.*", "payment.*", "inventory.low"),
    "order-queue": ("payment.*", "inventory.updated"),
    "cart-queue": ("user.created", "order.*", "product.updated", "product.deleted"),
    "payment-settlement-queue": ("order.*", "payment.*"),
    "seller-updates-queue": ("user.created", "order.*", "payment.*", "product.*", "inventory.*", "review.created"),
    "search-index-queue": ("product.*", "inventory.*", "review.created"),
    "ai-events-queue": ("user.*", "order.*", "payment.*", "review.created"),
}
"""Queue → topics, as bound on the exchange."""
