"""The gateway as payments see it: what is asked of it, and what it says of one attempt to pay. Amounts are paise."""

from dataclasses import dataclass
from typing import Any, Literal, Protocol

from services.contracts.payments import Method

Entity = dict[str, Any]
State = Literal["created", "authorized", "captured", "failed", "lapsed"]

_KEPT = (
    "id", "entity", "amount", "currency", "status", "order_id", "method", "captured", "amount_refunded",
    "refund_status", "international", "bank", "wallet", "fee", "tax", "error_code", "error_description",
    "error_source", "error_step", "error_reason", "created_at",
)  # fmt: skip
_CARD_KEPT = ("network", "type", "issuer", "international")
_RANKS: tuple[State, ...] = ("captured", "authorized", "lapsed", "failed", "created")


class GatewayPort(Protocol):
    """A payment gateway that speaks Razorpay's entities.

    Raises GatewayUnavailable (unknown outcome, repeat with the same arguments) or GatewayRefused (final).
    """

    key_id: str

    async def create_order(
        self, receipt: str, amount: int, currency: str = "INR", notes: dict[str, str] | None = None
    ) -> Entity:
        """The one order of this receipt, made now or on an earlier call."""

    async def fetch_order(self, order_id: str) -> Entity: ...

    async def fetch_payments(self, order_id: str) -> list[Entity]:
        """Every attempt to pay this order."""

    async def fetch_payment(self, payment_id: str) -> Entity: ...

    async def capture(self, payment_id: str, amount: int, currency: str = "INR") -> Entity: ...

    async def refund(
        self, payment_id: str, amount: int, idempotency_key: str, notes: dict[str, str] | None = None
    ) -> Entity:
        """One refund per key, however often it is asked for."""

    async def fetch_refunds(self, payment_id: str) -> list[Entity]: ...

    async def transfer(
        self, payment_id: str, account: str, amount: int, currency: str = "INR", notes: dict[str, str] | None = None
    ) -> Entity:
        """Pass a part of a captured payment on; each call moves money anew."""

    async def fetch_transfers(self, payment_id: str) -> list[Entity]: ...

    async def fetch_transfer(self, transfer_id: str) -> Entity: ...

    async def reverse(self, transfer_id: str, amount: int) -> Entity:
        """Take a part of a transfer back; each call moves money anew."""

    def verify_signature(self, order_id: str, payment_id: str, signature: str) -> bool: ...

    def verify_webhook(self, raw: bytes, signature: str, secrets: list[str]) -> bool: ...


@dataclass(frozen=True)
class GatewayFact:
    """What the gateway says of one attempt to pay: where it stands and how much of it went back in all."""

    transaction_id: str
    razorpay_order_id: str
    state: State
    amount: int
    currency: str
    refunded: int
    method: str
    reason: str
    raw: Entity
    refund_id: str | None = None

    @classmethod
    def of(cls, entity: Entity, refund_id: str | None = None) -> "GatewayFact":
        """Read a Razorpay payment entity. Raises ValueError when it is not one."""
        try:
            return cls(
                transaction_id=_text(entity["id"]),
                razorpay_order_id=_text(entity["order_id"]),
                state=_state(entity),
                amount=_paise(entity["amount"]),
                currency=_text(entity["currency"]),
                refunded=_paise(entity.get("amount_refunded") or 0),
                method=method_of(entity),
                reason=str(entity.get("error_description") or ""),
                raw=masked(entity),
                refund_id=refund_id,
            )
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"not a payment entity: {error!r}") from error

    @property
    def rank(self) -> int:
        """Of several attempts, the one that says most comes first."""
        return _RANKS.index(self.state)


def masked(entity: Entity) -> Entity:
    """The entity as we may keep it: no e-mail, phone or name, only the end of a card and the start of a VPA."""
    kept = {name: entity[name] for name in _KEPT if entity.get(name) is not None}
    card = entity.get("card")
    if isinstance(card, dict):
        last = str(card.get("last4") or "")[-4:]
        kept["card"] = {**{n: card[n] for n in _CARD_KEPT if n in card}, "number": f"**** **** **** {last}"}
    if entity.get("vpa"):
        kept["vpa"] = _masked_vpa(str(entity["vpa"]))
    return kept


def _masked_vpa(vpa: str) -> str:
    name, _, bank = vpa.partition("@")
    return f"{name[:1]}***@{bank}"


def method_of(entity: Entity) -> Method:
    """Our word for how the buyer paid."""
    named: dict[str, Method] = {"upi": "upi", "netbanking": "netbanking"}
    if entity.get("method") in {"card", "emi"}:
        card = entity.get("card")
        return "debit_card" if isinstance(card, dict) and card.get("type") == "debit" else "credit_card"
    return named.get(str(entity.get("method")), "wallet")


def _state(entity: Entity) -> State:
    """Razorpay's state; an authorisation that was never captured lapses as `refunded`."""
    status = entity["status"]
    if status == "refunded":
        return "captured" if entity.get("captured") else "lapsed"
    if status not in {"created", "authorized", "captured", "failed"}:
        raise ValueError(f"not a payment state: {status!r}")
    return status  # type: ignore[no-any-return]


def _text(value: object) -> str:
    if not isinstance(value, str) or not value:
        raise ValueError(f"not an id: {value!r}")
    return value


def _paise(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise ValueError(f"not paise: {value!r}")
    return value
