"""What can go wrong between payments and a gateway.

GatewayError
├── GatewayUnavailable   no answer, or one that says nothing about the request: try again with the same keys
└── GatewayRefused       the gateway understood and said no: trying again changes nothing
"""


class GatewayError(Exception):
    pass


class GatewayUnavailable(GatewayError):
    """The outcome is unknown; the request may or may not have taken effect."""

    def __init__(self, message: str, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status


class GatewayRefused(GatewayError):
    """A final answer. `code`, `description`, `field` and `reason` are the gateway's own words."""

    def __init__(
        self, code: str, description: str, *, status: int = 400, field: str | None = None, reason: str | None = None
    ) -> None:
        super().__init__(f"{code}: {description}")
        self.code = code
        self.description = description
        self.status = status
        self.field = field
        self.reason = reason
