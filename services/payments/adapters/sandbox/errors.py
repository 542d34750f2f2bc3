"""Razorpay's refusals, word for word where its documentation gives the words."""

from typing import Any, Self

ErrorBody = dict[str, dict[str, Any]]


class RazorpayError(Exception):
    """An answer that is not 200. `body()` is what Razorpay would send."""

    def __init__(
        self,
        description: str,
        *,
        status: int = 400,
        code: str = "BAD_REQUEST_ERROR",
        field: str | None = None,
        source: str = "business",
        step: str = "payment_initiation",
        reason: str = "input_validation_failed",
        metadata: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(description)
        self.status = status
        self._error: dict[str, Any] = {
            "code": code,
            "description": description,
            "field": field,
            "source": source,
            "step": step,
            "reason": reason,
            "metadata": metadata or {},
        }

    @classmethod
    def unplaced(cls, description: str, *, status: int = 400, code: str = "BAD_REQUEST_ERROR") -> Self:
        """An error that belongs to no step of a payment: Razorpay says NA and names no field."""
        error = cls(description, status=status, code=code, source="NA", step="NA", reason="NA")
        del error._error["field"]
        return error

    def body(self) -> ErrorBody:
        return {"error": self._error}


def key_missing() -> RazorpayError:
    return RazorpayError.unplaced("Please provide your api key for authentication purposes.", status=401)


def key_wrong() -> RazorpayError:
    return RazorpayError.unplaced("Authentication failed", status=401)


def url_unknown() -> RazorpayError:
    return RazorpayError.unplaced("The requested URL was not found on the server.")


def server_error() -> RazorpayError:
    return RazorpayError.unplaced(
        "We are facing some trouble completing your request at the moment. Please try again shortly.",
        status=500,
        code="SERVER_ERROR",
    )


def id_unknown() -> RazorpayError:
    return RazorpayError("The id provided does not exist")


def id_malformed(given: str) -> RazorpayError:
    return RazorpayError(f"{given} is not a valid id")


def order_already_paid(order_id: str) -> RazorpayError:
    return RazorpayError(
        "Your payment has been declined as the order is already paid. Please initiate the payment with a new order.",
        reason="order_already_paid",
        metadata={"order_id": order_id},
    )


def receipt_taken(order_id: str) -> RazorpayError:
    return RazorpayError("Order receipt should be unique.", field="receipt", metadata={"order_id": order_id})


def payment_failed(order_id: str, payment_id: str) -> RazorpayError:
    return RazorpayError(
        "Payment failed",
        source="bank",
        step="payment_authorization",
        reason="payment_failed",
        metadata={"payment_id": payment_id, "order_id": order_id},
    )


def vpa_invalid(order_id: str) -> RazorpayError:
    return RazorpayError(
        "Invalid VPA. Please enter a valid Virtual Payment Address",
        field="vpa",
        source="customer",
        reason="invalid_vpa",
        metadata={"order_id": order_id},
    )


def not_captured() -> RazorpayError:
    return RazorpayError("The payment status should be captured for action to be taken")


def idempotency_key_reused() -> RazorpayError:
    return RazorpayError.unplaced("Different request with the same idempotency key has already been processed.")


def idempotency_key_malformed() -> RazorpayError:
    return RazorpayError.unplaced(
        "The idempotency key must be at least 10 characters long and may only hold "
        "alphabets, numbers, hyphens and underscores."
    )
