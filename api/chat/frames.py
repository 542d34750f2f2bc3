"""The frames a client may send, and the errors it gets back."""

from typing import Annotated, Any, Literal

import orjson
from pydantic import Field, StringConstraints, TypeAdapter, ValidationError

from agents.session import MAX_TEXT
from services.kit.errors import CohortError, Conflict, Invalid, Unavailable
from services.kit.wire import Wire

SUBPROTOCOL = "cohort.chat.v1"
MAX_FRAME = 65_536

MessageText = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=MAX_TEXT)]
MessageId = Annotated[str, StringConstraints(min_length=1, max_length=100)]
ConversationId = Annotated[str, StringConstraints(pattern=r"^cnv_[0-9a-f]{32}$")]
ShortId = Annotated[str, StringConstraints(min_length=1, max_length=100)]
As = Annotated[Literal["buyer", "seller"] | None, Field(validation_alias="as")]


class MessageFrame(Wire):
    type: Literal["message"]
    id: MessageId
    text: MessageText
    conversation_id: ConversationId | None = None
    speak_as: As = None


class ApproveFrame(Wire):
    type: Literal["approve"]
    approval_id: ShortId
    decision: Literal["approve", "reject"]


class CancelFrame(Wire):
    """`turnId`, or the id of the message while no frame of its turn has come yet."""

    type: Literal["cancel"]
    turn_id: ShortId


class ResumeFrame(Wire):
    type: Literal["resume"]
    conversation_id: ConversationId
    after: Annotated[int, Field(ge=0, le=2**53)] = 0


class PingFrame(Wire):
    type: Literal["ping"]


ClientFrame = MessageFrame | ApproveFrame | CancelFrame | ResumeFrame | PingFrame
_FRAME: TypeAdapter[ClientFrame] = TypeAdapter(Annotated[ClientFrame, Field(discriminator="type")])
_TYPES = ("message", "approve", "cancel", "resume", "ping")


class BadFrame(Invalid):
    """Not JSON, or not an object."""

    code = "bad_frame"


class UnknownType(Invalid):
    code = "unknown_type"


class Busy(Conflict):
    """A turn is running and as many messages as may wait are waiting; send it again later with the same id."""

    code, retryable = "busy", True


class Draining(Unavailable):
    code = "draining"


def parse(raw: str) -> ClientFrame:
    """Raises BadFrame, UnknownType, Invalid (names the field)."""
    try:
        value = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise BadFrame("a frame is one JSON object") from error
    if not isinstance(value, dict):
        raise BadFrame("a frame is one JSON object")
    if value.get("type") not in _TYPES:
        raise UnknownType(f"type must be one of {', '.join(_TYPES)}", field="type")
    try:
        return _FRAME.validate_python(value)
    except ValidationError as error:
        raise invalid(error, value) from error


def invalid(error: ValidationError, value: dict[str, Any]) -> Invalid:
    first = error.errors()[0]
    field = ".".join(str(part) for part in first["loc"] if part not in _TYPES)
    sent = value.get("id")
    details = {"messageId": sent} if isinstance(sent, str) and len(sent) <= 100 else None
    return Invalid(f"{field}: {first['msg']}", field=field, details=details)


def error_frame(error: CohortError, **more: Any) -> dict[str, Any]:
    """An error of the connection, or of one frame on it."""
    frame: dict[str, Any] = {
        "type": "error",
        "code": error.code,
        "message": error.message,
        "retryable": error.retryable,
    }
    if error.field:
        frame["field"] = error.field
    if error.retry_after is not None:
        frame["retryAfter"] = error.retry_after
    return {**error.details, **frame, **more}
