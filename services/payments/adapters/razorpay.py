"""Razorpay through its official SDK, whose blocking calls run in threads of their own."""

import asyncio
import hashlib
import hmac
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, cast

import razorpay
import requests

from services.payments.adapters.errors import GatewayRefused, GatewayUnavailable

Entity = dict[str, Any]

_RETRY_LATER = (408, 409, 429)
_RECEIPT_TAKEN = "Order receipt should be unique."


class RazorpayGateway:
    """Every method raises GatewayUnavailable (try again, same arguments) or GatewayRefused (final).

    `base_url` None is Razorpay itself. `timeout` is in seconds, for connecting and for each silence while reading.
    Amounts are paise. Answers are Razorpay's entities as they are.
    """

    def __init__(
        self, key_id: str, key_secret: str, base_url: str | None = None, timeout: float = 10.0, *, threads: int = 8
    ) -> None:
        self.key_id = key_id
        self._key_secret = key_secret
        self._base_url = base_url
        self._timeout = timeout
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="razorpay")
        self._local = threading.local()
        self._sessions: list[_Session] = []

    async def create_order(
        self, receipt: str, amount: int, currency: str = "INR", notes: dict[str, str] | None = None
    ) -> Entity:
        """The order of this receipt, made now or on an earlier call with the same amount."""
        body = {
            "amount": amount,
            "currency": currency,
            "receipt": receipt,
            "notes": notes or {},
            "unique_receipt": True,
        }
        try:
            return await self._call(lambda client: client.order.create(dict(body), timeout=self._timeout))
        except GatewayRefused as refusal:
            if refusal.description != _RECEIPT_TAKEN:
                raise
            return await self._order_of(receipt, amount, currency, refusal)

    async def fetch_order(self, order_id: str) -> Entity:
        return await self._call(lambda client: client.order.fetch(order_id, timeout=self._timeout))

    async def fetch_payments(self, order_id: str) -> list[Entity]:
        """Every attempt to pay this order."""
        found = await self._call(lambda client: client.order.payments(order_id, timeout=self._timeout))
        return cast("list[Entity]", found["items"])

    async def fetch_payment(self, payment_id: str) -> Entity:
        return await self._call(lambda client: client.payment.fetch(payment_id, timeout=self._timeout))

    async def capture(self, payment_id: str, amount: int, currency: str = "INR") -> Entity:
        return await self._call(
            lambda client: client.payment.capture(payment_id, amount, {"currency": currency}, timeout=self._timeout)
        )

    async def refund(
        self, payment_id: str, amount: int, idempotency_key: str, notes: dict[str, str] | None = None
    ) -> Entity:
        """One refund per key (at least 10 letters, digits, `-` or `_`), however often it is asked for."""
        body = {"amount": amount, "notes": notes or {}}
        return await self._call(
            lambda client: client.payment.refund(
                payment_id, dict(body), headers={"X-Refund-Idempotency": idempotency_key}, timeout=self._timeout
            )
        )

    async def fetch_refunds(self, payment_id: str) -> list[Entity]:
        found = await self._call(lambda client: client.payment.fetch_multiple_refund(payment_id, timeout=self._timeout))
        return cast("list[Entity]", found["items"])

    async def transfer(
        self, payment_id: str, account: str, amount: int, currency: str = "INR", notes: dict[str, str] | None = None
    ) -> Entity:
        """Route: pass a part of a captured payment to a linked account. Not repeatable: look at the transfers first."""
        part = {"account": account, "amount": amount, "currency": currency, "notes": notes or {}}
        made = await self._call(
            lambda client: client.payment.transfer(payment_id, {"transfers": [dict(part)]}, timeout=self._timeout)
        )
        return cast("Entity", made["items"][0])

    async def fetch_transfers(self, payment_id: str) -> list[Entity]:
        found = await self._call(lambda client: client.payment.transfers(payment_id, timeout=self._timeout))
        return cast("list[Entity]", found["items"])

    async def fetch_transfer(self, transfer_id: str) -> Entity:
        return await self._call(lambda client: client.transfer.fetch(transfer_id, timeout=self._timeout))

    async def reverse(self, transfer_id: str, amount: int) -> Entity:
        """Take a part of a transfer back. Not repeatable: look at what is reversed first."""
        return await self._call(
            lambda client: client.transfer.reverse(transfer_id, {"amount": amount}, timeout=self._timeout)
        )

    def verify_signature(self, order_id: str, payment_id: str, signature: str) -> bool:
        """Whether Razorpay's checkout signed this pair."""
        return _signed(f"{order_id}|{payment_id}".encode(), signature, self._key_secret)

    def verify_webhook(self, raw: bytes, signature: str, secrets: list[str]) -> bool:
        """Whether one of the secrets (new and old during a rotation) signed exactly these bytes."""
        return any(_signed(raw, signature, secret) for secret in secrets)

    def close(self) -> None:
        """End the threads after their running calls, and their connections."""
        self._threads.shutdown(wait=True, cancel_futures=True)
        for session in self._sessions:
            session.close()

    async def _order_of(self, receipt: str, amount: int, currency: str, refusal: GatewayRefused) -> Entity:
        found = await self._call(lambda client: client.order.all({"receipt": receipt}, timeout=self._timeout))
        for order in cast("list[Entity]", found["items"]):
            if (order["amount"], order["currency"]) == (amount, currency):
                return order
        raise refusal

    async def _call(self, ask: Callable[[razorpay.Client], Any]) -> Entity:
        loop = asyncio.get_running_loop()
        return cast("Entity", await loop.run_in_executor(self._threads, lambda: ask(self._client())))

    def _client(self) -> razorpay.Client:
        """This thread's own client: a requests session is not made to be shared."""
        client = getattr(self._local, "client", None)
        if client is None:
            session = _Session(trust_env=self._base_url is None)
            options = {"base_url": self._base_url} if self._base_url else {}
            client = razorpay.Client(session=session, auth=(self.key_id, self._key_secret), **options)
            self._sessions.append(session)
            self._local.client = client
        return client


class _Session(requests.Session):
    """Turns answers into this package's errors before the SDK makes strings of them."""

    def __init__(self, *, trust_env: bool) -> None:
        super().__init__()
        self.trust_env = trust_env

    def request(self, *args: Any, **kwargs: Any) -> requests.Response:
        try:
            response = super().request(*args, **kwargs)
        except requests.RequestException as error:
            raise GatewayUnavailable(f"no answer from the gateway: {type(error).__name__}") from error
        if not response.ok:
            raise _error(response.status_code, _json(response))
        if not isinstance(_json(response), dict):
            raise GatewayUnavailable("the gateway's answer is not JSON", response.status_code)
        return response


def _json(response: requests.Response) -> Any:
    try:
        return response.json()
    except requests.JSONDecodeError:
        return None


def _error(status: int, body: Any) -> GatewayUnavailable | GatewayRefused:
    error = body.get("error") if isinstance(body, dict) else None
    if not isinstance(error, dict):
        return GatewayUnavailable(f"the gateway answered {status} without saying why", status)
    code, description = str(error.get("code", "")), str(error.get("description", ""))
    if status >= 500 or status in _RETRY_LATER or code == "SERVER_ERROR":
        return GatewayUnavailable(f"{code}: {description}", status)
    return GatewayRefused(code, description, status=status, field=error.get("field"), reason=error.get("reason"))


def _signed(message: bytes, signature: str, secret: str) -> bool:
    expected = hmac.new(secret.encode(), message, hashlib.sha256).hexdigest()
    return hmac.compare_digest(expected.encode(), signature.encode())
