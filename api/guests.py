"""Guests: an anonymous shopper is a random id in a signed cookie, and owns a cart by it."""

import hashlib
import hmac

from services.kit.ids import Ids, is_id

GUEST_COOKIE = "cohort_cart"
COOKIE_SECONDS = 30 * 24 * 3600


class GuestSigner:
    """Makes and checks cookie values `gst_<hex>.<signature>`."""

    def __init__(self, secret: bytes, ids: Ids) -> None:
        self._secret = secret
        self._ids = ids

    def issue(self) -> tuple[str, str]:
        """A new guest id and the cookie value that proves it."""
        guest_id = self._ids.new("gst")
        return guest_id, f"{guest_id}.{self._signature(guest_id)}"

    def verify(self, value: str) -> str | None:
        """The guest id, or None when the value is not one of ours."""
        guest_id, _, signature = value.partition(".")
        genuine = hmac.compare_digest(self._signature(guest_id).encode(), signature.encode())
        return guest_id if genuine and is_id(guest_id, "gst") else None

    def _signature(self, guest_id: str) -> str:
        return hmac.new(self._secret, guest_id.encode(), hashlib.sha256).hexdigest()


def guest_cookie(value: str, *, secure: bool) -> str:
    """The Set-Cookie header."""
    flags = "; Secure" if secure else ""
    return f"{GUEST_COOKIE}={value}; Path=/; Max-Age={COOKIE_SECONDS}; HttpOnly; SameSite=Lax{flags}"
