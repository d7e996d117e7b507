"""Fields that several forms share, and refusals shown at the fields they are about."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, cast
from zoneinfo import ZoneInfo

from django import forms
from django.utils.dateparse import parse_datetime
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminDecimalFieldWidget,
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
)

from config.kernel.errors import RistourneError


class ClockField(forms.Field):
    """An instant, typed on the programme's wall clock. `zone` is set by the form; the value is in UTC.

    A repeated hour counts as its first, a missing one moves forward (as everywhere on the platform).
    """

    zone: ZoneInfo = ZoneInfo("UTC")

    def __init__(self, **kwargs: Any) -> None:
        widget = UnfoldAdminTextInputWidget({"type": "datetime-local"})
        super().__init__(widget=widget, required=kwargs.pop("required", False), **kwargs)

    def prepare_value(self, value: Any) -> Any:
        if not isinstance(value, datetime):
            return value
        local = value.astimezone(self.zone).replace(tzinfo=None)
        return local.isoformat(timespec="seconds" if local.second else "minutes")

    def to_python(self, value: Any) -> datetime | None:
        if not value:
            return None
        try:
            at = parse_datetime(value)
            if at is not None:
                return (at if at.tzinfo else at.replace(tzinfo=self.zone)).astimezone(UTC)
        except (ValueError, OverflowError):
            pass
        raise forms.ValidationError("A date and a time, e.g. 2026-11-23T10:15.", code="invalid")

    def has_changed(self, initial: Any, value: Any) -> bool:
        return self.prepare_value(initial) != self.prepare_value(self.to_python(value))


class WordsField(forms.CharField):
    """A list of words, one per line or between commas; the value is a tuple without repetitions."""

    def __init__(self, *, rows: int = 3, **kwargs: Any) -> None:
        widget = UnfoldAdminTextareaWidget({"rows": rows})
        super().__init__(required=False, widget=widget, **kwargs)

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(value) if isinstance(value, tuple | list) else value

    def clean(self, value: Any) -> tuple[str, ...]:
        words = (word.strip() for word in re.split(r"[\n,;]", super().clean(value)))
        return tuple(dict.fromkeys(word for word in words if word))

    def has_changed(self, initial: Any, value: Any) -> bool:
        return tuple(initial or ()) != self.clean(value)


def set_clock(form: forms.BaseForm, zone: str, *names: str) -> None:
    """Let these fields of a form speak the time of a zone (IANA)."""
    for name in names:
        cast(ClockField, form.fields[name]).zone = ZoneInfo(zone)


def text(**kwargs: Any) -> forms.CharField:
    """A line of text."""
    return forms.CharField(widget=UnfoldAdminTextInputWidget(kwargs.pop("attrs", None)), **kwargs)


def time_of_day(**kwargs: Any) -> forms.CharField:
    """ "HH:MM"."""
    return text(required=False, attrs={"type": "time"}, **kwargs)


def number(**kwargs: Any) -> forms.DecimalField:
    """A decimal number; the rule it goes into says what it may be."""
    kwargs = {"required": False, **kwargs}
    return forms.DecimalField(widget=UnfoldAdminDecimalFieldWidget({"step": "any"}), **kwargs)


def whole(**kwargs: Any) -> forms.IntegerField:
    """A whole number."""
    return forms.IntegerField(widget=UnfoldAdminIntegerFieldWidget, **{"required": False, **kwargs})


def choice(choices: list[tuple[str, str]], **kwargs: Any) -> forms.ChoiceField:
    """One of a few."""
    return forms.ChoiceField(choices=choices, widget=UnfoldAdminSelectWidget, **kwargs)


def picks(**kwargs: Any) -> forms.MultipleChoiceField:
    """Any of many; the form sets the choices."""
    return forms.MultipleChoiceField(
        required=False, widget=UnfoldAdminCheckboxSelectMultipleWidget({"class": "picks"}), **kwargs
    )


def plain_text(value: Decimal | None) -> str | None:
    """A decimal as text without exponent; None stays None."""
    return None if value is None else format(value, "f")


def show_refusal(form: forms.BaseForm, error: RistourneError, names: Mapping[str, str] | None = None) -> None:
    """Put each error of a refusal at its field: `names` by pointer, else the pointer's own words
    ("/window/until" is field window_until); what has no field is told above the form."""
    if not error.errors:
        form.add_error(None, error.detail)
    for pointer, _, detail in error.errors:
        name = (names or {}).get(pointer) or pointer.strip("/").replace("/", "_")
        form.add_error(name if name in form.fields else None, detail)
