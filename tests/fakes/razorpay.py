"""A gateway in memory with Razorpay's money rules: a receipt names one order, a key one refund."""

import asyncio
import hashlib
import hmac
import json
from collections import Counter
from random import Random
from typing import Any

from services.payments.adapters.errors import GatewayRefused, GatewayUnavailable

Entity = dict[str, Any]
WEBHOOK_SECRET = "the-webhook-secret"
KEY_SECRET = "the-key-secret"


class FakeRazorpay:
    """`lose` names calls whose next answer never comes although they took effect; `away` fails before any effect.

    With `moods` three calls of ten fail, half of them after they took effect.
    """

    key_id = "rzp_test_fake"

    def __init__(self) -> None:
        self.orders: dict[str, Entity] = {}
        self.payments: dict[str, Entity] = {}
        self.refunds: dict[str, Entity] = {}
        self.transfers: dict[str, Entity] = {}
        self.calls: Counter[str] = Counter()
        self.lose: Counter[str] = Counter()
        self.away = False
        self.moods: Random | None = None
        self._receipts: dict[str, str] = {}
        self._events = 0

    # what the shop asks

    async def create_order(
        self, receipt: str, amount: int, currency: str = "INR", notes: dict[str, str] | None = None
    ) -> Entity:
        await self._reached("create_order")
        if receipt not in self._receipts:
            order_id = f"order_{len(self.orders):014}"
            self._receipts[receipt] = order_id
            self.orders[order_id] = {
                "id": order_id, "amount": amount, "currency": currency, "receipt": receipt, "status": "created",
                "notes": notes or {},
            }  # fmt: skip
        self._lost("create_order")
        return dict(self.orders[self._receipts[receipt]])

    async def fetch_order(self, order_id: str) -> Entity:
        await self._reached("fetch_order")
        return dict(_known(self.orders, order_id))

    async def fetch_payments(self, order_id: str) -> list[Entity]:
        await self._reached("fetch_payments")
        return [dict(p) for p in self.payments.values() if p["order_id"] == order_id][::-1]

    async def fetch_payment(self, payment_id: str) -> Entity:
        await self._reached("fetch_payment")
        return dict(_known(self.payments, payment_id))

    async def capture(self, payment_id: str, amount: int, currency: str = "INR") -> Entity:
        await self._reached("capture")
        payment = _known(self.payments, payment_id)
        if payment["status"] != "authorized" or amount != payment["amount"]:
            raise GatewayRefused("BAD_REQUEST_ERROR", "This payment has already been captured")
        payment.update(status="captured", captured=True)
        self._lost("capture")
        return dict(payment)

    async def refund(
        self, payment_id: str, amount: int, idempotency_key: str, notes: dict[str, str] | None = None
    ) -> Entity:
        await self._reached("refund")
        assert len(idempotency_key) >= 10
        if idempotency_key not in self.refunds:
            payment = _known(self.payments, payment_id)
            if payment["amount_refunded"] + amount > payment["amount"] or not payment["captured"]:
                raise GatewayRefused("BAD_REQUEST_ERROR", "The payment has been fully refunded already")
            payment["amount_refunded"] += amount
            if payment["amount_refunded"] == payment["amount"]:
                payment["status"] = "refunded"
            refund_id = f"rfnd_{len(self.refunds):014}"
            self.refunds[idempotency_key] = {"id": refund_id, "payment_id": payment_id, "amount": amount}
        self._lost("refund")
        return dict(self.refunds[idempotency_key])

    async def fetch_refunds(self, payment_id: str) -> list[Entity]:
        await self._reached("fetch_refunds")
        return [dict(r) for r in self.refunds.values() if r["payment_id"] == payment_id]

    async def transfer(
        self, payment_id: str, account: str, amount: int, currency: str = "INR", notes: dict[str, str] | None = None
    ) -> Entity:
        await self._reached("transfer")
        payment = _known(self.payments, payment_id)
        sent = sum(t["amount"] - t["amount_reversed"] for t in self.transfers.values() if t["source"] == payment_id)
        if amount < 100 or not payment["captured"] or sent + amount > payment["amount"] - payment["amount_refunded"]:
            raise GatewayRefused("BAD_REQUEST_ERROR", "The sum of transfers is greater than the captured amount")
        transfer_id = f"trf_{len(self.transfers):014}"
        self.transfers[transfer_id] = {
            "id": transfer_id, "source": payment_id, "recipient": account, "amount": amount, "currency": currency,
            "amount_reversed": 0, "notes": notes or [],
        }  # fmt: skip
        self._lost("transfer")
        return dict(self.transfers[transfer_id])

    async def fetch_transfers(self, payment_id: str) -> list[Entity]:
        await self._reached("fetch_transfers")
        return [dict(t) for t in self.transfers.values() if t["source"] == payment_id]

    async def fetch_transfer(self, transfer_id: str) -> Entity:
        await self._reached("fetch_transfer")
        return dict(_known(self.transfers, transfer_id))

    async def reverse(self, transfer_id: str, amount: int) -> Entity:
        await self._reached("reverse")
        transfer = _known(self.transfers, transfer_id)
        if not 100 <= amount <= transfer["amount"] - transfer["amount_reversed"]:
            raise GatewayRefused("BAD_REQUEST_ERROR", "The reversal amount is greater than the transfer amount")
        transfer["amount_reversed"] += amount
        self._lost("reverse")
        return {"id": f"rvrsl_{self.calls['reverse']:014}", "transfer_id": transfer_id, "amount": amount}

    def verify_signature(self, order_id: str, payment_id: str, signature: str) -> bool:
        return hmac.compare_digest(sign(f"{order_id}|{payment_id}".encode(), KEY_SECRET), signature)

    def verify_webhook(self, raw: bytes, signature: str, secrets: list[str]) -> bool:
        return any(hmac.compare_digest(sign(raw, secret).encode(), signature.encode()) for secret in secrets)

    # what the buyer and the bank do

    def attempt(self, order_id: str, status: str = "captured", **changes: Any) -> Entity:
        """A new attempt to pay this order."""
        payment_id = f"pay_{len(self.payments):014}"
        entity = {
            "id": payment_id, "entity": "payment", "amount": self.orders[order_id]["amount"], "currency": "INR",
            "status": status, "order_id": order_id, "method": "upi", "captured": status == "captured",
            "amount_refunded": 0, "vpa": "success@razorpay", "email": "asha@example.in", "contact": "+919800000000",
            "error_description": "the bank said no" if status == "failed" else None, **changes,
        }  # fmt: skip
        self.payments[payment_id] = entity
        return entity

    def signature(self, payment: Entity) -> str:
        return sign(f"{payment['order_id']}|{payment['id']}".encode(), KEY_SECRET)

    def notice(self, name: str, payment: Entity, *, secret: str = WEBHOOK_SECRET, **payload: Any) -> "Notice":
        """The signed webhook that tells of this payment as it is now."""
        self._events += 1
        body = {"event": name, "payload": {"payment": {"entity": payment}, **payload}}
        raw = json.dumps(body).encode()
        return raw, sign(raw, secret), f"evt_{self._events}"

    @property
    def captured(self) -> int:
        """Paise this gateway took and has not given back."""
        return sum(p["amount"] - p["amount_refunded"] for p in self.payments.values() if p["captured"])

    async def _reached(self, call: str) -> None:
        self.calls[call] += 1
        await asyncio.sleep(0)
        if self.away or (self.moods and self.moods.random() < 0.15):
            raise GatewayUnavailable("away")

    def _lost(self, call: str) -> None:
        if self.moods and self.moods.random() < 0.15:
            raise GatewayUnavailable("the answer was lost")
        if self.lose[call]:
            self.lose[call] -= 1
            raise GatewayUnavailable("the answer was lost")


Notice = tuple[bytes, str, str]


def sign(raw: bytes, secret: str) -> str:
    return hmac.new(secret.encode(), raw, hashlib.sha256).hexdigest()


def _known(rows: dict[str, Entity], key: str) -> Entity:
    if key not in rows:
        raise GatewayRefused("BAD_REQUEST_ERROR", "The id provided does not exist")
    return rows[key]
