"""Who may call which route: the one table. OpenAPI is made from it, and a test holds every route against it.

A route enforces its row by its own dependency (services/kit/web.py); whose things a caller may touch is decided
further in, and "not yours" is answered like "not there".
"""

from collections.abc import Mapping
from enum import Enum
from typing import Any


class Access(Enum):
    """`PROOF` routes carry their own proof: a signature, a cookie of the route, a mailed token, a one-time state."""

    ANYONE = "anyone"
    PROOF = "proof"
    GUEST = "guest"
    USER = "user"
    SELLER = "seller"
    ADMIN = "admin"

    @property
    def roles(self) -> tuple[str, ...]:
        """Roles of which a caller must have one; every account is a customer."""
        return _ROLES[self]


ANYONE, PROOF, GUEST, USER, SELLER, ADMIN = Access
_ROLES: dict[Access, tuple[str, ...]] = {
    ANYONE: (), PROOF: (), GUEST: (), USER: ("customer", "seller", "admin"), SELLER: ("seller",), ADMIN: ("admin",),
}  # fmt: skip

ROUTES: Mapping[Access, str] = {
    ANYONE: """
        POST /auth/register
        POST /auth/login
        GET /auth/csrf
        POST /auth/password/forgot
        GET /auth/google
        GET /auth/.well-known/jwks.json
        GET /products
        GET /products/suggest
        GET /products/{product_id}
        GET /products/{product_id}/similar
        GET /products/{product_id}/reviews
        GET /health
        GET /ready
    """,
    PROOF: """
        POST /auth/refresh
        POST /auth/logout
        POST /auth/email/verify
        POST /auth/password/reset
        GET /auth/google/callback
        POST /payments/razorpay/webhook
    """,
    GUEST: """
        GET /cart
        DELETE /cart
        POST /cart/items
        PATCH /cart/items/{item_ref}
        DELETE /cart/items/{item_ref}
        POST /cart/coupon
        DELETE /cart/coupon
        POST /chat/tickets
        POST /chat
        GET /chat/conversations
        GET /chat/conversations/{conversation_id}
        DELETE /chat/conversations/{conversation_id}
    """,
    USER: """
        POST /auth/logout-all
        GET /auth/sessions
        DELETE /auth/sessions/{sessionId}
        POST /auth/password/change
        GET /auth/me
        DELETE /auth/users/me
        PATCH /auth/users/me
        GET /auth/users/me/export
        GET /auth/users/me/addresses
        POST /auth/users/me/addresses
        PATCH /auth/users/me/addresses/{addressId}
        DELETE /auth/users/me/addresses/{addressId}
        POST /products/{product_id}/reviews
        POST /orders/quote
        POST /orders
        GET /orders/me
        GET /orders/{order_id}
        GET /orders/{order_id}/invoice
        POST /orders/{order_id}/cancel
        PATCH /orders/{order_id}/address
        POST /orders/{order_id}/returns
        POST /payments/razorpay/order
        POST /payments/verify
        GET /payments/{payment_id}
        POST /payments/{payment_id}/refunds
        GET /payments/{payment_id}/refunds
        GET /notifications
        POST /notifications/{id}/read
        GET /notifications/preferences
        PATCH /notifications/preferences
        GET /chat/approvals/{approval_id}
        POST /chat/approvals/{approval_id}
    """,
    SELLER: """
        POST /products
        GET /products/seller
        POST /products/import
        GET /products/export
        PATCH /products/{product_id}
        DELETE /products/{product_id}
        POST /products/{product_id}/images
        DELETE /products/{product_id}/images
        POST /products/{product_id}/stock
        GET /products/{product_id}/stock
        POST /products/{product_id}/reviews/{review_id}/reply
        POST /seller/coupons
        GET /seller/coupons
        POST /seller/coupons/{code}/end
        GET /seller/orders/{order_id}
        POST /seller/orders/{order_id}/ship
        POST /seller/orders/{order_id}/deliver
        POST /seller/orders/{order_id}/cancel
        POST /seller/orders/{order_id}/cod-collected
        POST /seller/returns/{return_id}/approve
        POST /seller/returns/{return_id}/refuse
        GET /seller/dashboard/metrics
        GET /seller/dashboard/orders
        GET /seller/dashboard/products
        GET /seller/profile
        PATCH /seller/profile
    """,
    ADMIN: """
        GET /admin/users
        POST /admin/users/{userId}/disable
        POST /admin/users/{userId}/enable
        GET /admin/sellers
        POST /admin/sellers/{seller_id}/approve
        POST /admin/sellers/{seller_id}/suspend
        GET /admin/orders
        GET /admin/dead-letters
        POST /admin/dead-letters/{letter_id}/replay
        POST /products/{product_id}/reviews/{review_id}/moderate
    """,
}

TABLE: Mapping[tuple[str, str], Access] = {
    (method, path): access
    for access, lines in ROUTES.items()
    for method, path in (line.split() for line in lines.split("\n") if line.strip())
}
"""Method and path as OpenAPI has it → who may call."""


def document(schema: dict[str, Any]) -> None:
    """Say in OpenAPI how each operation is authenticated, and for which roles."""
    schemes = schema.setdefault("components", {}).setdefault("securitySchemes", {})
    schemes["bearer"] = {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}
    for path, operations in schema["paths"].items():
        for method, operation in operations.items():
            access = TABLE.get((method.upper(), path))
            if access is None or not access.roles:
                continue
            operation["security"] = [{"bearer": []}]
            operation["x-roles"] = list(access.roles)
