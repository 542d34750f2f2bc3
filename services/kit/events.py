"""Events: facts in the past tense, in a CloudEvents 1.0 envelope."""

import fnmatch
from datetime import datetime
from typing import Any, ClassVar

from services.kit.ids import Ids
from services.kit.wire import Wire


class Event(Wire):
    """A fact. A subclass names its type, its aliases and which field is the aggregate it speaks of.

    The fields carry every non-personal fact a consumer needs; no name, e-mail, phone or street.
    """

    TYPE: ClassVar[str]
    ALIASES: ClassVar[tuple[str, ...]] = ()
    SUBJECT: ClassVar[str]

    @property
    def subject(self) -> str:
        return str(getattr(self, self.SUBJECT))


class Envelope(Wire):
    """CloudEvents 1.0 JSON. `id` is the deduplication key, `type` the routing key, `sequence` grows per subject."""

    specversion: str = "1.0"
    id: str
    type: str
    source: str
    time: datetime
    subject: str
    sequence: int = 0
    correlationid: str | None = None
    traceparent: str | None = None
    dataschema: str | None = None
    datacontenttype: str = "application/json"
    data: dict[str, Any]


def envelope_of(
    event: Event,
    *,
    ids: Ids,
    now: datetime,
    source: str,
    sequence: int = 0,
    correlation: str | None = None,
    trace: str | None = None,
) -> Envelope:
    return Envelope(
        id=ids.new("evt"),
        type=event.TYPE,
        source=f"/cohort/{source}",
        time=now,
        subject=event.subject,
        sequence=sequence,
        correlationid=correlation,
        traceparent=trace,
        dataschema=f"urn:cohort:event:{event.TYPE}:1",
        data=event.to_wire(),
    )


def matches(pattern: str, event_type: str) -> bool:
    """A topic binding such as `order.*` against a type."""
    return fnmatch.fnmatchcase(event_type, pattern)
