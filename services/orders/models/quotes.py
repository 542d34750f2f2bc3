"""Quotes need no storage: the hash carries its expiry and is signed, a later quote is compared with it."""

import hashlib
import hmac
from datetime import UTC, datetime

import orjson

from services.contracts.orders import Quote

_FIELDS = ("cart", "prices", "amounts", "address", "payment_method")
_DIGEST = 8


class QuoteSeal:
    """Signs quotes for one buyer with a secret of the shop."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    def hash_of(self, quote: Quote, user_id: str) -> str:
        """expiry, a short digest of each part, and the signature over all of it."""
        facts = _facts(quote)
        digests = "".join(self._mac(name, facts[name])[:_DIGEST] for name in _FIELDS)
        head = f"q1.{int(quote.expires_at.timestamp()):x}.{digests}"
        return f"{head}.{self._mac(head, [user_id, facts])}"

    def changes(self, quote_hash: str, fresh: Quote, user_id: str, now: datetime) -> list[str]:
        """What moved between the quote of that hash and the fresh one; nothing when it still holds."""
        expires_at, digests = _read(quote_hash)
        if expires_at is None:
            return ["unknown"]
        expected = self.hash_of(fresh.model_copy(update={"expires_at": expires_at}), user_id)
        moved = _moved(digests, _read(expected)[1])
        if not moved and not hmac.compare_digest(expected.encode(), quote_hash.encode()):
            return ["unknown"]
        return [*moved, "expired"] if expires_at <= now else moved

    def _mac(self, label: str, facts: object) -> str:
        message = label.encode() + b"\n" + orjson.dumps(facts, option=orjson.OPT_SORT_KEYS)
        return hmac.new(self._secret, message, hashlib.sha256).hexdigest()


def _facts(quote: Quote) -> dict[str, object]:
    address = quote.address.model_dump(exclude={"is_default"})
    money = (quote.subtotal, quote.discount, quote.shipping, quote.tax, quote.total)
    return {
        "cart": [
            quote.cart_id,
            quote.cart_version,
            [[line.variant_id, line.qty] for line in quote.lines],
            quote.coupon,
        ],
        "prices": [[line.variant_id, line.price.amount, line.price.currency] for line in quote.lines],
        "amounts": [amount.amount for amount in money],
        "address": address,
        "payment_method": quote.payment_method,
    }


def _pieces(quote: Quote) -> list[tuple[str, int]]:
    return [(line.variant_id, line.qty) for line in quote.lines]


def _read(quote_hash: str) -> tuple[datetime | None, str]:
    """Expiry and digests; no expiry when it is none of ours."""
    version, _, rest = quote_hash.partition(".")
    expiry, _, rest = rest.partition(".")
    digests, _, _ = rest.partition(".")
    if version != "q1" or len(digests) != _DIGEST * len(_FIELDS):
        return None, ""
    try:
        return datetime.fromtimestamp(int(expiry, 16), UTC), digests
    except (ValueError, OverflowError, OSError):
        return None, ""


def _moved(before: str, now: str) -> list[str]:
    starts = range(0, _DIGEST * len(_FIELDS), _DIGEST)
    return [
        name for name, at in zip(_FIELDS, starts, strict=True) if before[at : at + _DIGEST] != now[at : at + _DIGEST]
    ]
