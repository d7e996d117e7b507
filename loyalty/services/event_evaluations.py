"""Events before they are booked: the command, what is gathered, the checks, and what one would give."""

import hashlib
import hmac
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

import msgspec
from django.conf import settings

from config.kernel.errors import FieldError, NotFound, ValidationFailed
from loyalty import chain, gather
from loyalty.engine import Ruleset
from loyalty.engine.numbers import LARGEST_POSTING
from loyalty.events.deciding import Decision, decide, trace
from loyalty.events.rules import AttributeRefused
from loyalty.events.schema import exact
from loyalty.events.types import TypeRule, type_rule
from loyalty.gather import EventContext, TierAsk
from loyalty.idempotency import Write
from loyalty.models import Event
from loyalty.rulesets import Timeline
from loyalty.services.baskets import check_member, check_programme, check_window
from loyalty.services.evaluations import points_dates


@dataclass(frozen=True, slots=True)
class EventCommand:
    """Something a member did. `device` is the caller's identifier of a device; only an HMAC of it is kept."""

    reference: str
    type: str
    member: str
    occurred_at: datetime
    attributes: dict[str, Any] = field(default_factory=dict)
    device: str | None = None
    metadata: dict[str, Any] = field(default_factory=dict)

    def content(self) -> bytes:
        """SHA-256 of what makes two events the same: all but reference, device and metadata."""
        attributes = msgspec.json.encode(normalised(exact(self.attributes)), order="sorted")
        return chain.digest(self.type, self.member, self.occurred_at, attributes)


def normalised(value: Any) -> Any:
    """JSON values in which equal numbers are written alike: 9, 9.0 and 9.00 are one content."""
    if isinstance(value, dict):
        return {name: normalised(item) for name, item in value.items()}
    if isinstance(value, list):
        return [normalised(item) for item in value]
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else str(value.normalize())
    return value


def device_hash(programme_id: int, device: str) -> bytes:
    """HMAC-SHA256 of a device's identifier under DEVICE_KEY: tells no device and links no two programmes."""
    text = f"{programme_id}:{device}".encode()
    return hmac.new(settings.DEVICE_KEY.encode(), text, hashlib.sha256).digest()


def gather_event(write: Write, command: EventCommand, device: bytes | None) -> tuple[EventContext, Timeline]:
    """Everything about the event and the rules in force, in one query unless the rules changed."""
    return gather.under_rules(
        write.programme_id,
        lambda known: gather.event(
            programme_id=write.programme_id,
            number=command.member,
            type_=command.type,
            reference=command.reference,
            at=command.occurred_at,
            day=gather.day_under(known, command.occurred_at),
            device=device,
            now=write.now,
            key=write.key,
            tiers=TierAsk.of(known.tiers if known else None, write.now),
        ),
    )


def event_preview(*, programme_id: int, command: EventCommand, now: datetime) -> dict[str, Any]:
    """What an event would give now: the answer without booking. Raises what posting it would raise."""
    device = device_hash(programme_id, command.device) if command.device else None
    context, rules = gather_event(Write(programme_id, now), command, device)
    check_programme(context.head)
    if context.type is None:
        raise NotFound
    check_member(context.holding.person)
    check_window(command.occurred_at, context.head, now)
    found = type_rule(programme_id, context.type.part)
    ruleset = rules.at(command.occurred_at)
    check_event(command, found, context)
    decision = decided(command, found, context, ruleset)
    active, expiry = points_dates(command.occurred_at, now, ruleset)
    limit = decision.limit.name if decision.limit else None
    waits = decision.status == Event.Status.IN_REVIEW
    return {
        "status": decision.status,
        "points": decision.points,
        "wanted": decision.wanted,
        "limit": decision.limit,
        "trace": trace(found.rule, found.code, command.attributes, ruleset.terms, limit, waits),
        "activates_at": active,
        "expires_at": expiry,
    }


def check_event(command: EventCommand, found: TypeRule, context: EventContext) -> None:
    """ValidationFailed with every reason why the type takes no such event of this member."""
    rule, errors = found.rule, list[FieldError]()
    if context.type is not None and not context.type.is_active:
        errors.append(FieldError("/type", "event_type_inactive", "This event type is switched off."))
    if not rule.runs_at(command.occurred_at):
        text = "occurred_at is outside the window in which this event type runs."
        errors.append(FieldError("/occurred_at", "outside_window", text))
    if rule.segments and context.segments.isdisjoint(rule.segments):
        text = "The member was in none of the event type's segments then."
        errors.append(FieldError("/member", "not_in_segment", text))
    if rule.device_caps and command.device is None:
        errors.append(FieldError("/device", "missing", "This event type limits devices: say which it was."))
    errors += found.attribute_errors(command.attributes)
    if errors:
        raise ValidationFailed(errors=errors)


def decided(command: EventCommand, found: TypeRule, context: EventContext, ruleset: Ruleset) -> Decision:
    """The decision about an event that is allowed; ValidationFailed when its points cannot be told."""
    try:
        decision = decide(
            found.rule,
            occurred_at=command.occurred_at,
            attributes=command.attributes,
            counted=context.counted,
            on_device=context.on_device,
            terms=ruleset.terms,
            approval_limit=context.head.approval_limit,
        )
    except AttributeRefused as error:
        text = "A number from 0 with at most 10 digits and 4 decimals."
        raise ValidationFailed.at(f"/attributes/{error}", "invalid_amount", text) from error
    if decision.wanted > LARGEST_POSTING:
        pointer = f"/attributes/{found.rule.attribute}"
        raise ValidationFailed.at(pointer, "too_many_points", "One posting moves at most 2**53 points.")
    return decision
