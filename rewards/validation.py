"""The life of a gift's version, from draft to live: one table, pure.

A version that is live is shown from an instant until another: what it is called now (scheduled, live, paused
or retired) follows from that span, the gift's own switch and the clock, so nothing has to happen in between.
"""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum


class Action(StrEnum):
    """What somebody does to a version."""

    SUBMIT = "submit"
    VALIDATE = "validate"
    REQUEST_CHANGES = "request_changes"
    SCHEDULE = "schedule"
    WITHDRAW = "withdraw"


class Switch(StrEnum):
    """What somebody does to the gift as a whole."""

    PAUSE = "pause"
    RESUME = "resume"
    RETIRE = "retire"


class Shown(StrEnum):
    """What a version is called at an instant."""

    DRAFT = "draft"
    SUBMITTED = "submitted"
    CHANGES_REQUESTED = "changes_requested"
    VALIDATED = "validated"
    SCHEDULED = "scheduled"
    LIVE = "live"
    PAUSED = "paused"
    RETIRED = "retired"


VERSION: Mapping[tuple[Shown, Action], str] = {
    (Shown.DRAFT, Action.SUBMIT): "submitted",
    (Shown.CHANGES_REQUESTED, Action.SUBMIT): "submitted",
    (Shown.SUBMITTED, Action.VALIDATE): "validated",
    (Shown.SUBMITTED, Action.REQUEST_CHANGES): "changes_requested",
    (Shown.VALIDATED, Action.SCHEDULE): "live",
    (Shown.DRAFT, Action.WITHDRAW): "retired",
    (Shown.SUBMITTED, Action.WITHDRAW): "retired",
    (Shown.CHANGES_REQUESTED, Action.WITHDRAW): "retired",
    (Shown.VALIDATED, Action.WITHDRAW): "retired",
    (Shown.SCHEDULED, Action.WITHDRAW): "retired",
}
"""The state a version has after an action; what is not here is not allowed."""

GIFT: Mapping[tuple[str, Switch], str] = {
    ("active", Switch.PAUSE): "paused",
    ("paused", Switch.RESUME): "active",
    ("active", Switch.RETIRE): "retired",
    ("paused", Switch.RETIRE): "retired",
}
"""The state a gift has after somebody turned its switch."""


def actions(shown: Shown) -> list[str]:
    """What may be done to a version now."""
    return sorted(action for state, action in VERSION if state == shown)


def switches(state: str) -> list[str]:
    """What may be done to a gift now."""
    return sorted(switch for known, switch in GIFT if known == state)


def shown_state(
    *, gift: str, state: str, shown_from: datetime | None, shown_until: datetime | None, now: datetime
) -> Shown:
    """What a version is called now, by its own state, its span and the gift's switch."""
    if gift == "retired":
        return Shown.RETIRED
    if state != "live" or shown_from is None:
        return Shown(state)
    if shown_until is not None and shown_until <= now:
        return Shown.RETIRED
    if now < shown_from:
        return Shown.SCHEDULED
    return Shown.PAUSED if gift == "paused" else Shown.LIVE
