"""Who calls. Made from the access token alone and passed to every port method."""

from services.kit.ids import seller_id_of
from services.kit.wire import Wire


class Principal(Wire):
    """A caller: a signed-in user, or a guest known only by the anonymous cart's token.

    `user_id` is `usr_…` for users and `gst_…` for guests. `token` is the bearer token as it came, for
    forwarding to a service in another process; it is never logged.
    """

    user_id: str
    roles: frozenset[str] = frozenset()
    session_id: str | None = None
    name: str | None = None
    token: str | None = None
    request_id: str | None = None
    service: bool = False

    @property
    def is_guest(self) -> bool:
        return self.user_id.startswith("gst_")

    @property
    def seller_id(self) -> str | None:
        return seller_id_of(self.user_id) if "seller" in self.roles else None

    @property
    def is_admin(self) -> bool:
        return "admin" in self.roles

    def __repr__(self) -> str:
        return f"Principal({self.user_id}, {sorted(self.roles)})"

    __str__ = __repr__


SYSTEM = Principal(user_id="usr_system", roles=frozenset({"admin"}), service=True)
"""The marketplace itself: consumers, expiry and the reconciler act as this one. No token ever gives it."""
