"""What payments promise."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Literal, Protocol, Self

from pydantic import AliasChoices, Field, StringConstraints, model_validator

from services.kit.errors import Conflict, Refused, Unavailable
from services.kit.idempotency import CommandKey
from services.kit.money import Money, RupeesIn
from services.kit.principal import Principal
from services.kit.text import PlainText
from services.kit.wire import Page, Replayable, Wire

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


class RefundNotAllowed(Conflict):
    """The caller cannot have this money back by asking: the order is not ended, or nothing was captured."""

    code = "refund_not_allowed"


class RefundTooLarge(Refused):
    """More than is left of the payment or of a line; `details.left` in paise."""

    code = "refund_too_large"


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


RefundStatus = Literal["pending", "processed", "by_hand"]


class RefundLineIn(Wire):
    """`line_id` of the order, or `shipping:<sellerId>` for a part's shipping; `amount` in rupees."""

    line_id: Annotated[str, StringConstraints(min_length=1, max_length=80)]
    amount: Annotated[RupeesIn, Field(gt=0)]


class RequestRefund(Wire):
    """Without amount and lines: all that is left. With lines, an amount must be their sum. Rupees, at least one."""

    amount: Annotated[RupeesIn, Field(ge=100)] | None = None
    lines: Annotated[tuple[RefundLineIn, ...], Field(max_length=200)] = ()
    reason: Annotated[PlainText, StringConstraints(max_length=250)] = ""

    @model_validator(mode="after")
    def _adds_up(self) -> Self:
        if not self.lines:
            return self
        asked = sum(line.amount for line in self.lines)
        if len({line.line_id for line in self.lines}) < len(self.lines):
            raise ValueError("name each line once")
        if asked < 100 or self.amount not in {None, asked}:
            raise ValueError("the lines add up to the amount, at least one rupee")
        return self


class RefundLine(Wire):
    """What of a refund belongs to a line of the order, or to a part's shipping (`shipping:<sellerId>`)."""

    line_id: str
    seller_id: str
    amount: Money


class RefundView(Replayable):
    """`lines` add up to the amount, but are empty for money no order took.

    `by_hand`: the order was paid in cash, so whoever has the cash gives it back.
    """

    refund_id: str
    payment_id: str
    order_id: str
    amount: Money
    lines: tuple[RefundLine, ...]
    status: RefundStatus
    reason: str
    gateway_refund_id: str | None = None
    created_at: datetime


class RefundShare(Wire):
    """Of a line (or `shipping:<sellerId>`), in paise."""

    line_id: str
    amount: int


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

    async def refund(self, who: Principal, payment_id: str, command: RequestRefund, key: CommandKey) -> RefundView:
        """Want money back. An admin for any reason, up to what is left; a buyer what is left of an order or a part
        that was cancelled (which is refunded without asking too; returns are accepted by sellers).

        Raises NotFound, RefundNotAllowed, RefundTooLarge, Invalid (no such line).
        """

    async def refunds(self, who: Principal, payment_id: str) -> Page[RefundView]:
        """Newest first. Raises NotFound."""

    async def refund_lines(
        self, who: Principal, order_id: str, lines: Sequence[RefundShare], reason: str, key: str
    ) -> RefundView | None:
        """Internal: money of these lines goes back; once per `key`. None when nothing of them is left or was paid.

        Order events with `refund_due` have the same effect; both together refund once.
        """

    async def reconcile(self) -> int:
        """Ask the gateway about every payment still open after its time; how many moved."""
