"""Changes of event types. What was given under a type before never changes: events keep what they got it by."""

from datetime import datetime

from django.db import transaction

from config.kernel.errors import FieldError
from config.kernel.models import check_fields
from config.kernel.texts import Texts
from loyalty.errors import RuleRefused
from loyalty.events.rules import EventRule
from loyalty.models import EventType, RulePart
from loyalty.rulesets import part_hash
from loyalty.services.labels import labels_checked
from members.models import Programme
from segments.models import Segment


@transaction.atomic
def event_type_save(
    *,
    programme: Programme,
    code: str,
    name: str,
    rule: EventRule,
    now: datetime,
    labels: Texts | None = None,
    is_active: bool = True,
) -> EventType:
    """Create an event type, or change it for events that are sent from now on. `labels` None: as before.

    RuleRefused, ValidationFailed.
    """
    rule.check()
    _check_known(programme, rule)
    said = None if labels is None else labels_checked(programme, labels)
    body = rule.part(code)
    part = part_hash(body)
    RulePart.objects.get_or_create(programme=programme, hash=part, defaults={"body": body})
    row = EventType.objects.select_for_update().filter(programme=programme, code=code).first()
    if row is None:
        row = EventType(programme=programme, code=code, part=part)
    elif row.part != part:
        row.part, row.version = part, row.version + 1
    row.name, row.is_active, row.updated_at = name, is_active, now
    row.labels = row.labels if said is None else said
    check_fields(row, checks_uniqueness=False)
    row.save()
    return row


def _check_known(programme: Programme, rule: EventRule) -> None:
    segments = set(rule.segments)
    known = Segment.objects.filter(programme=programme, code__in=segments).values_list("code", flat=True)
    errors = [
        FieldError("/segments", "unknown_segment", f"There is no segment {code}.")
        for code in sorted(segments - set(known))
    ]
    if errors:
        raise RuleRefused(errors=errors)
