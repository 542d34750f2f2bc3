"""What payments promise."""

from datetime import datetime
from typing import Annotated, Any, Literal, Protocol

from pydantic import AliasChoices, Field, StringConstraints

from services.kit.errors import Conflict, Refused, Unavailable
from services.kit.idempotency import CommandKey
from services.kit.money import Money
from services.kit.principal import Principal
from services.kit.wire import Replayable, Wire

Method = Literal["credit_card", "debit_card", "upi", "netbanking", "wallet", "cod"]
Status = Literal["pending", "authorized", "completed", "failed", "refunded"]


class SignatureInvalid(Refused):
    code = "signature_invalid"


class GatewayAway(Unavailable):
    code = "gateway_unavailable"


class PaymentRefused(Refused):
    """The gateway said no; `details.reason` in its words."""

    code = "payment_refused"


class NothingToPay(Conflict):
    code = "nothing_to_pay"


class OpenPayment(Wire):
    order_id: str


class GatewayOrder(Replayable):
    """What the buyer's checkout needs; `amount` in paise."""

    payment_id: str
    order_id: str
    razorpay_order_id: str
    key_id: str
    amount: int
    currency: str


GatewayId = Annotated[str, StringConstraints(min_length=1, max_length=64)]


class VerifyPayment(Wire):
    """What the checkout handed to its caller; Razorpay's own field names are accepted."""

    order_id: Annotated[GatewayId, Field(validation_alias=AliasChoices("orderId", "razorpay_order_id"))]
    payment_id: Annotated[GatewayId, Field(validation_alias=AliasChoices("paymentId", "razorpay_payment_id"))]
    signature: Annotated[
        str,
        StringConstraints(min_length=1, max_length=256),
        Field(validation_alias=AliasChoices("signature", "razorpay_signature")),
    ]


class PaymentView(Replayable):
    """`method` is `razorpay` until the buyer has chosen one of `Method` in the gateway's checkout.

    `gateway` holds `razorpayOrderId` and the gateway's own entity, card and VPA masked; it is empty for cash.
    """

    payment_id: str
    order_id: str
    user_id: str
    amount: Money
    amount_refunded: Money
    method: str
    status: Status
    transaction_id: str | None
    gateway: dict[str, Any]
    created_at: datetime
    version: int = 0


class PaymentsPort(Protocol):
    async def open(self, who: Principal, command: OpenPayment, key: CommandKey) -> GatewayOrder:
        """Open the gateway's order for one of the caller's orders; one per order however often it is asked.

        Raises NotFound, OrderClosed, NothingToPay (cash, free or paid already), GatewayAway, PaymentRefused.
        """

    async def verify(self, who: Principal, command: VerifyPayment, key: CommandKey) -> PaymentView:
        """Check the signature against the gateway order we stored, and complete the payment once it is captured.

        Raises SignatureInvalid, NotFound, GatewayAway, PaymentRefused (failed, or not this order's amount).
        """

    async def webhook(self, raw: bytes, signature: str, event_id: str) -> bool:
        """Feed the one transition function; False when this event had its effect before or means nothing to us.

        Raises SignatureInvalid; GatewayAway when it cannot be placed now and must be sent again.
        """

    async def get(self, who: Principal, payment_id: str) -> PaymentView:
        """Raises NotFound."""

    async def of_order(self, who: Principal, order_id: str) -> PaymentView | None: ...

    async def reconcile(self) -> int:
        """Ask the gateway about every payment still open after its time; how many moved."""
