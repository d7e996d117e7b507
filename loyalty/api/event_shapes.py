"""What the event endpoints take and answer, with examples that run against the demo programme."""

from typing import Annotated, Any

import msgspec
from msgspec import Meta

from config.kernel.codes import Code
from config.kernel.errors import ValidationFailed
from config.kernel.flat import FlatObject
from loyalty.api.examples import BALANCE as ACCOUNT
from loyalty.api.examples import DATES, RECEIPT_SHOWN, RULESET
from loyalty.api.serializers import Instant, Reason, read_instant
from loyalty.api.shapes import Balance, EntryShown, Receipt, Step, TakenFrom
from loyalty.events.schema import MAX_ATTRIBUTES_BYTES
from loyalty.services import EventCommand, EventReversalCommand

Device = Annotated[str, Meta(min_length=1, max_length=255)]


class EventBody(msgspec.Struct, forbid_unknown_fields=True):
    """Something a member did. `attributes` fit the schema of the type and hold no personal data; `device` is the
    caller's own identifier of a device, of which only a keyed hash is kept."""

    reference: Code
    type: Code
    member: Code
    occurred_at: Instant
    attributes: dict[str, Any] = {}
    device: Device | None = None
    metadata: FlatObject = {}


class EventReversalBody(msgspec.Struct, forbid_unknown_fields=True):
    """An event taken back. `dry_run` shows the outcome and books nothing."""

    reference: Code
    reason: Reason = ""
    dry_run: bool = False
    metadata: FlatObject = {}


class LimitShown(msgspec.Struct):
    """The limit that was reached: so many events at most; `until` says when one counts again (null: never)."""

    name: str
    most: int
    until: str | None


class EventAnswer(msgspec.Struct):
    """An event as first answered: status posted, limit_reached (0 points) or in_review (0 points until staff
    decide). `wanted` is what it gives without limits and review; `rule` names what the type asked and gave."""

    reference: str
    type: str
    status: str
    points: int
    wanted: int
    limit: LimitShown | None
    trace: list[Step]
    rule: str
    ruleset: str
    entries: list[EntryShown]
    balance: Balance
    receipt: Receipt | None
    metadata: dict[str, Any]


class ReviewShown(msgspec.Struct):
    """When staff decided, and what they said."""

    decided_at: str
    reason: str


class EventReversalSummary(msgspec.Struct):
    """How an event was taken back."""

    reference: str
    recorded_at: str
    reason: str
    points: int


class EventShown(msgspec.Struct):
    """An event as it is now: posted, in_review, refused, limit_reached or reversed."""

    reference: str
    type: str
    status: str
    member: str
    occurred_at: str
    recorded_at: str
    attributes: dict[str, Any]
    points: int
    wanted: int
    limit: LimitShown | None
    trace: list[Step]
    rule: str
    ruleset: str
    entries: list[EntryShown]
    receipt: Receipt | None
    review: ReviewShown | None
    reversal: EventReversalSummary | None
    metadata: dict[str, Any]


class EventReversed(msgspec.Struct, omit_defaults=True):
    """An event taken back: `points` moved (never positive), from where, and whether limits are free again."""

    reference: str
    event: str
    points: int
    original_points: int
    taken_from: TakenFrom
    limits_freed: bool
    event_status: str
    entries: list[EntryShown]
    balance: Balance
    receipt: Receipt | None
    reason: str
    metadata: dict[str, Any]
    dry_run: bool = False


class PointsShown(msgspec.Struct, omit_defaults=True):
    """Fixed points (`value`), or an attribute times a rate."""

    type: str
    value: str | None = None
    attribute: str | None = None
    rate: str | None = None


class CooldownShown(msgspec.Struct):
    """How long after an event the next one counts, in minutes, hours or days."""

    amount: int
    unit: str


class EventTypeShown(msgspec.Struct):
    """An event type: what it gives, the JSON Schema of its attributes, and its limits. `caps` (of a member) and
    `device_caps` say how many events count in total, by month, week (from Monday) and day."""

    type: str
    name: str
    labels: dict[str, str]
    is_active: bool
    version: int
    points: PointsShown
    attributes: dict[str, Any]
    caps: dict[str, int]
    cooldown: CooldownShown | None
    device_caps: dict[str, int]
    starts_at: str | None
    ends_at: str | None
    segments: list[str]
    review: bool
    qualifying: bool


class EventTypeList(msgspec.Struct):
    """A page of event types by code."""

    items: list[EventTypeShown]
    next_cursor: str | None


def event_command(body: EventBody) -> EventCommand:
    """The command; ValidationFailed for a wrong instant or attributes beyond 4 KB."""
    if len(msgspec.json.encode(body.attributes)) > MAX_ATTRIBUTES_BYTES:
        text = f"At most {MAX_ATTRIBUTES_BYTES} bytes of JSON."
        raise ValidationFailed.at("/attributes", "too_large", text)
    return EventCommand(
        reference=body.reference,
        type=body.type,
        member=body.member,
        occurred_at=read_instant(body.occurred_at, "/occurred_at"),
        attributes=body.attributes,
        device=body.device,
        metadata=body.metadata,
    )


def event_reversal_command(event: str, body: EventReversalBody) -> EventReversalCommand:
    """The command."""
    return EventReversalCommand(
        event=event,
        reference=body.reference,
        reason=body.reason,
        dry_run=body.dry_run,
        metadata=body.metadata,
    )


EVENT = {
    "reference": "SURVEY-7:10042",
    "type": "survey_completed",
    "member": "10042",
    "occurred_at": "2026-11-23T10:15:00+01:00",
    "attributes": {"score": 9},
}
_TRACE = [
    {"step": "event", "rule": "survey_completed", "formula": "9 × 5", "points": "45.00"},
    {"step": "rounding", "rule": "floor", "points": "0.00"},
]
REWARDED = {
    "reference": "SURVEY-7:10042",
    "type": "survey_completed",
    "status": "posted",
    "points": 45,
    "wanted": 45,
    "limit": None,
    "trace": _TRACE,
    "rule": RULESET,
    "ruleset": RULESET,
    "entries": [{"id": "7-42", "kind": "event", "points": 45, **DATES}],
    "balance": {**ACCOUNT, "pending": 45},
    "receipt": RECEIPT_SHOWN,
    "metadata": {},
}
_NOTHING = {"points": 0, "entries": [], "receipt": None, "balance": {**ACCOUNT, "pending": 0}}
LIMITED = {
    **REWARDED,
    **_NOTHING,
    "status": "limit_reached",
    "limit": {"name": "week", "most": 1, "until": "2026-11-30T00:00:00+01:00"},
    "trace": [*_TRACE, {"step": "limit", "rule": "week", "points": "-45.00"}],
}
IN_REVIEW = {
    **REWARDED,
    **_NOTHING,
    "status": "in_review",
    "trace": [*_TRACE, {"step": "review", "rule": "staff", "points": "-45.00"}],
}
EVENT_SHOWN = {
    **{name: value for name, value in REWARDED.items() if name != "balance"},
    "member": "10042",
    "occurred_at": EVENT["occurred_at"],
    "recorded_at": "2026-11-23T10:15:02+01:00",
    "attributes": {"score": 9},
    "review": None,
    "reversal": None,
}
TAKE_BACK = {"reference": "SURVEY-7:10042-R", "reason": "answers were copied"}
TAKEN_BACK = {
    "reference": "SURVEY-7:10042-R",
    "event": "SURVEY-7:10042",
    "points": -45,
    "original_points": 45,
    "taken_from": {"pending": 45, "available": 0, "debt": 0, "forgiven": 0},
    "limits_freed": True,
    "event_status": "reversed",
    "entries": [{"id": "7-43", "kind": "reversal", "points": -45}],
    "balance": {**ACCOUNT, "pending": 0},
    "receipt": {**RECEIPT_SHOWN, "seq": 43},
    "reason": "answers were copied",
    "metadata": {},
}
EVENT_TYPE = {
    "type": "survey_completed",
    "name": "Survey completed",
    "labels": {"fr": "Enquête remplie", "nl-BE": "Enquête ingevuld"},
    "is_active": True,
    "version": 1,
    "points": {"type": "attribute", "attribute": "score", "rate": "5"},
    "attributes": {
        "type": "object",
        "properties": {"score": {"type": "integer", "minimum": 0, "maximum": 10}},
        "required": ["score"],
        "additionalProperties": False,
    },
    "caps": {"week": 1},
    "cooldown": None,
    "device_caps": {},
    "starts_at": None,
    "ends_at": None,
    "segments": [],
    "review": False,
    "qualifying": False,
}
