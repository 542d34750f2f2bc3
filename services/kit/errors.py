"""The one tree of errors.

CohortError
├── Invalid            422  the request cannot be understood or breaks a rule of shape
├── Unauthenticated    401  no or no valid credentials
├── Forbidden          403  known caller, not allowed
├── NotFound           404  not there, or not yours: the same answer
├── Conflict           409  the state of the shop says no
│   └── InFlight       409  the same Idempotency-Key is being worked on (Retry-After)
├── Gone               410
├── TooLarge           413
├── Unsupported        415
├── Refused            422  understood, but the rules of the shop forbid it
├── RateLimited        429  (Retry-After)
└── Unavailable        503  a part is away (Retry-After)

A service declares its own errors as subclasses with a stable `code`. Three renderings exist: problem+json
(api/errors.py), the same class again in an HTTP client, and a tool result a chat model can act on.
"""

from typing import Any, ClassVar


class CohortError(Exception):
    """A fact that stops a request. `message` says what, where and what would be right; it is shown to callers."""

    code: ClassVar[str] = "error"
    status: ClassVar[int] = 500
    retryable: ClassVar[bool] = False

    def __init__(
        self,
        message: str,
        *,
        field: str | None = None,
        details: dict[str, Any] | None = None,
        retry_after: int | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.field = field
        self.details = details or {}
        self.retry_after = retry_after
        self.replayed = False

    def problem(self, request_id: str | None = None) -> dict[str, Any]:
        """The RFC 9457 members."""
        body: dict[str, Any] = {
            "type": f"urn:cohort:error:{self.code}",
            "title": self.code.replace("_", " "),
            "status": self.status,
            "detail": self.message,
            "code": self.code,
        }
        if self.field:
            body["field"] = self.field
        if self.details:
            body["details"] = self.details
        if request_id:
            body["requestId"] = request_id
        return body


class Invalid(CohortError):
    code, status = "invalid", 422


class Unauthenticated(CohortError):
    code, status = "unauthenticated", 401


class Forbidden(CohortError):
    code, status = "forbidden", 403


class NotFound(CohortError):
    code, status = "not_found", 404

    @classmethod
    def of(cls, what: str) -> "NotFound":
        """The one answer for "not there" and "not yours"."""
        return cls(f"no such {what}")


class Conflict(CohortError):
    code, status = "conflict", 409


class InFlight(Conflict):
    code, retryable = "idempotency_in_flight", True


class IdempotencyConflict(CohortError):
    code, status = "idempotency_conflict", 422


class IdempotencyKeyRequired(CohortError):
    code, status = "idempotency_key_required", 400


class BadRequest(CohortError):
    code, status = "bad_request", 400


class Gone(CohortError):
    code, status = "gone", 410


class TooLarge(CohortError):
    code, status = "too_large", 413


class Unsupported(CohortError):
    code, status = "unsupported_media_type", 415


class Refused(CohortError):
    code, status = "refused", 422


class RateLimited(CohortError):
    code, status, retryable = "rate_limited", 429, True


class Unavailable(CohortError):
    code, status, retryable = "unavailable", 503, True


def error_classes() -> dict[str, type[CohortError]]:
    """Every declared error by its code, for clients that turn a problem body back into the same class."""
    found: dict[str, type[CohortError]] = {}
    queue: list[type[CohortError]] = [CohortError]
    while queue:
        cls = queue.pop()
        found[cls.code] = cls
        queue.extend(cls.__subclasses__())
    return found


def from_problem(body: dict[str, Any], retry_after: int | None = None) -> CohortError:
    """The error a problem+json body stands for."""
    cls = error_classes().get(str(body.get("code")), CohortError)
    return cls(
        str(body.get("detail", "")), field=body.get("field"), details=body.get("details"), retry_after=retry_after
    )
