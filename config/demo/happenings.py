"""What members of `choco-club` did besides buying: event types, and some events with one that waits for staff.

Member 10042 has no event that was posted: her entries are those the documentation shows.
"""

from datetime import datetime, timedelta
from typing import Any

from loyalty.services import (
    Cooldown,
    EventCommand,
    EventRule,
    Write,
    event_post,
    event_type_save,
)
from members.models import Programme

SURVEY = {
    "type": "object",
    "properties": {"score": {"type": "integer", "minimum": 0, "maximum": 10}},
    "required": ["score"],
    "additionalProperties": False,
}
REVIEW = {
    "type": "object",
    "properties": {
        "stars": {"type": "integer", "minimum": 1, "maximum": 5},
        "product": {"type": "string", "maxLength": 64},
    },
    "required": ["stars"],
    "additionalProperties": False,
}
TYPES = {
    "survey_completed": (
        "Survey completed",
        {"fr": "Enquête remplie", "nl-BE": "Enquête ingevuld"},
        EventRule(attribute="score", rate="5", schema=SURVEY, caps={"week": 1}),
    ),
    "social_share": (
        "Shared with friends",
        {"fr": "Partagé avec des amis", "nl-BE": "Gedeeld met vrienden"},
        EventRule(points=25, caps={"day": 1, "month": 4}, cooldown=Cooldown(12, "hours")),
    ),
    "birthday_wish": (
        "Happy birthday",
        {"fr": "Joyeux anniversaire", "nl-BE": "Gelukkige verjaardag"},
        EventRule(points=100, caps={"month": 1}, cooldown=Cooldown(300, "days")),
    ),
    "review_written": (
        "Review written",
        {"fr": "Avis écrit", "nl-BE": "Review geschreven"},
        EventRule(points=40, schema=REVIEW, caps={"week": 2}, review=True),
    ),
}
HAPPENED: tuple[tuple[str, str, str, int, dict[str, Any]], ...] = (
    ("SURVEY-1:10015", "survey_completed", "10015", 25, {"score": 9}),
    ("SURVEY-1:10031", "survey_completed", "10031", 25, {"score": 7}),
    ("SURVEY-2:10031", "survey_completed", "10031", 25, {"score": 10}),
    ("SHARE-1:10007", "social_share", "10007", 19, {}),
    ("SHARE-2:10007", "social_share", "10007", 9, {}),
    ("BDAY:10015", "birthday_wish", "10015", 20, {}),
    ("REVIEW-1:10042", "review_written", "10042", 1, {"stars": 5, "product": "CHOC-1"}),
    ("REVIEW-1:10023", "review_written", "10023", 2, {"stars": 2, "product": "TEA-3"}),
)
"""Reference, type, member, days ago and attributes; the second survey of a week meets its limit."""


def events_create(programme: Programme, now: datetime) -> None:
    """The types, long ago, and the events, each at its own time."""
    for code, (name, labels, rule) in TYPES.items():
        event_type_save(
            programme=programme,
            code=code,
            name=name,
            rule=rule,
            labels={"en": name} | labels,
            now=now - timedelta(days=400),
        )
    for reference, type_, member, days, attributes in HAPPENED:
        at = now - timedelta(days=days)
        command = EventCommand(reference, type_, member, at, dict(attributes))
        event_post(write=Write(programme.pk, at + timedelta(seconds=2)), command=command)
