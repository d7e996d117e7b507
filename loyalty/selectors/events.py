"""Event types, and events as they are now."""

from datetime import datetime
from typing import Any

from django.db.models import QuerySet

from config.kernel.errors import NotFound
from loyalty import gather
from loyalty.events import answers as event_answers
from loyalty.events.types import type_rule
from loyalty.models import EventType
from loyalty.rulesets import by_hash
from loyalty.versions import part_of
from members.models import Programme


def event_types_of(programme: Programme) -> QuerySet[EventType]:
    """The programme's event types with the `body` of their part."""
    return EventType.objects.filter(programme=programme).annotate(body=part_of("programme_id", "part"))


def event_shown(programme_id: int, reference: str, now: datetime) -> dict[str, Any]:
    """An event as it is now, with trace, review and reversal. NotFound."""
    context = gather.booked_event(programme_id=programme_id, event=reference, reference="", now=now, key=None)
    event = context.event
    if event is None:
        raise NotFound
    rule, ruleset = type_rule(programme_id, event.row.part), by_hash(programme_id, event.row.ruleset)
    return event_answers.shown(event, rule, ruleset, context.reversal)
