"""What a condition may ask, with which operators, and what their values are."""

from enum import Enum
from typing import NamedTuple


class Kind(Enum):
    """What the value of an operator is."""

    NOTHING = "nothing"
    TEXT = "text"
    TEXTS = "texts"
    STATUSES = "statuses"
    NUMBER = "number"
    WHOLE = "whole"
    YEARS = "years"
    DAYS = "days"
    DATE = "date"


STATUSES = ("active", "closed")

COMPARISONS = {
    "more_than": "more than",
    "at_least": "at least",
    "equals": "exactly",
    "at_most": "at most",
    "less_than": "less than",
}


class Field(NamedTuple):
    """A field: its name for people, and the kind of value that each of its operators takes.

    `has_name`: which attribute is asked stands in `name`. `has_period`: sums over `days` (the last ones, today
    included), over `first_day` to `last_day` (inclusive), or over all time.
    """

    label: str
    operators: dict[str, Kind]
    has_name: bool = False
    has_period: bool = False


def _compared(kind: Kind) -> dict[str, Kind]:
    return dict.fromkeys(COMPARISONS, kind)


FIELDS: dict[str, Field] = {
    "spend": Field("Money spent", _compared(Kind.NUMBER), has_period=True),
    "transactions": Field("Transactions", _compared(Kind.WHOLE), has_period=True),
    "earned": Field("Points earned", _compared(Kind.WHOLE), has_period=True),
    "burned": Field("Points burned", _compared(Kind.WHOLE), has_period=True),
    "last_transaction": Field(
        "Last transaction",
        {"more_than_days": Kind.DAYS, "within_days": Kind.DAYS, "never": Kind.NOTHING},
    ),
    "tier": Field("Tier", {"in": Kind.TEXTS, "none": Kind.NOTHING}),
    "age": Field("Age", _compared(Kind.YEARS)),
    "language": Field("Language", {"in": Kind.TEXTS}),
    "enrolled": Field(
        "Enrolment", {"within_days": Kind.DAYS, "before": Kind.DATE, "since": Kind.DATE}
    ),
    "status": Field("Status", {"in": Kind.STATUSES}),
    "attribute": Field(
        "Attribute",
        {"equals": Kind.TEXT, "in": Kind.TEXTS, "exists": Kind.NOTHING}
        | {op: Kind.NUMBER for op in COMPARISONS if op != "equals"},
        has_name=True,
    ),
}  # fmt: skip
