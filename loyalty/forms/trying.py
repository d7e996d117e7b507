"""What staff type to try: a basket on a promotion, an event on its type."""

import json
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from django import forms
from unfold.widgets import UnfoldAdminTextareaWidget

from loyalty.forms.fields import ClockField, set_clock, text
from loyalty.records import LineRow
from loyalty.services import BasketCommand
from members.models import Programme

_EXAMPLE = "CHOC-1; 2; 25.00\nMUG-7; 1; 19.90; home; Neuhaus"


class BasketForm(forms.Form):
    """When, where, who and lines; `basket` is what was typed. Its fields are prefixed: they stand in another form."""

    prefix = "try"
    find = text(required=False, label="Reference or member number")
    member = text(required=False, max_length=64, label="Member", help_text="Empty: a guest.")
    occurred_at = ClockField(label="When", help_text="Empty: now.")
    channel = text(required=False, max_length=64)
    store = text(required=False, max_length=64)
    lines = forms.CharField(
        required=False,
        widget=UnfoldAdminTextareaWidget({"rows": 4, "placeholder": _EXAMPLE}),
        help_text="A line each: SKU; quantity; amount; and at will category; brand.",
    )

    def __init__(self, *args: Any, programme: Programme, now: datetime, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.programme, self.now = programme, now
        set_clock(self, programme.time_zone, "occurred_at")

    def clean_lines(self) -> tuple[LineRow, ...]:
        typed = [line for line in self.cleaned_data["lines"].splitlines() if line.strip()]
        if len(typed) > 1000:
            raise forms.ValidationError("At most 1,000 lines.", code="too_many")
        return tuple(_line(str(index), line) for index, line in enumerate(typed, start=1))

    def basket(self) -> BasketCommand:
        """The basket of a valid form."""
        given = self.cleaned_data
        return BasketCommand(
            member=given["member"] or None,
            occurred_at=given["occurred_at"] or self.now,
            currency=self.programme.currency,
            lines=given["lines"],
            channel=given["channel"] or None,
            store=given["store"] or None,
        )


def _line(number: str, typed: str) -> LineRow:
    words = [word.strip() for word in typed.split(";")]
    if not 3 <= len(words) <= 5:
        raise forms.ValidationError(f"Line {number}: SKU; quantity; amount.", code="invalid")
    sku, quantity, amount, category, brand = [*words, "", ""][:5]
    return LineRow(
        number,
        _number(number, quantity),
        _number(number, amount),
        sku or None,
        category or None,
        brand or None,
    )


def _number(line: str, typed: str) -> str:
    """Decimal text as the API takes it: from 0, at most 4 decimals, at most 12 digits before them."""
    try:
        value = Decimal(typed)
    except InvalidOperation:
        value = Decimal(-1)
    exponent = value.as_tuple().exponent
    if not (value.is_finite() and 0 <= value < 10**12 and isinstance(exponent, int) and exponent >= -4):
        raise forms.ValidationError(f"Line {line}: “{typed}” is no quantity or amount.", code="invalid")
    return format(value.normalize(), "f")


class EventTryForm(forms.Form):
    """An event to try: nothing is booked."""

    member = text(label="Member number", max_length=64)
    occurred_at = ClockField(label="When", help_text="Empty: now.")
    attributes = forms.CharField(
        label="Fields",
        required=False,
        max_length=4096,
        widget=UnfoldAdminTextareaWidget({"rows": 4}),
        help_text="As JSON, the way partners send them.",
    )
    device = text(
        label="Device", required=False, max_length=255, help_text="Only for types that limit devices."
    )

    def __init__(self, *args: Any, zone: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        set_clock(self, zone, "occurred_at")

    def clean_attributes(self) -> dict[str, Any]:
        try:
            found = json.loads(self.cleaned_data["attributes"] or "{}")
        except (ValueError, RecursionError):
            found = None
        if not isinstance(found, dict):
            raise forms.ValidationError('A JSON object, such as {"score": 9}.', code="invalid")
        return found
