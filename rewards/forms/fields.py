"""Fields of the catalogue's forms."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from unfold.widgets import (
    UnfoldAdminDecimalFieldWidget,
    UnfoldAdminFileFieldWidget,
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminSelectMultipleWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanSwitchWidget,
)


class WallClockField(forms.CharField):
    """An instant, typed on the programme's wall clock."""

    def __init__(self, zone: ZoneInfo, **kwargs: Any) -> None:
        self.zone = zone
        super().__init__(
            required=False, widget=UnfoldAdminTextInputWidget({"type": "datetime-local"}), **kwargs
        )

    def prepare_value(self, value: Any) -> Any:
        if not isinstance(value, datetime):
            return value
        return value.astimezone(self.zone).replace(tzinfo=None).isoformat(timespec="minutes")

    def clean(self, value: Any) -> Any:
        text = super().clean(value)
        try:
            return datetime.fromisoformat(text).replace(tzinfo=self.zone) if text else None
        except ValueError:
            raise forms.ValidationError("A date and a time, e.g. 2026-11-23T10:15.") from None


def text_field(label: str, **kwargs: Any) -> forms.CharField:
    return forms.CharField(label=label, required=False, widget=UnfoldAdminTextInputWidget, **kwargs)


def whole_field(label: str, **kwargs: Any) -> forms.IntegerField:
    kwargs = {"required": False, "min_value": 0, **kwargs}
    return forms.IntegerField(label=label, widget=UnfoldAdminIntegerFieldWidget, **kwargs)


def amount_field(label: str, **kwargs: Any) -> forms.DecimalField:
    return forms.DecimalField(label=label, required=False, widget=UnfoldAdminDecimalFieldWidget, **kwargs)


def switch_field(label: str, **kwargs: Any) -> forms.BooleanField:
    return forms.BooleanField(label=label, required=False, widget=UnfoldBooleanSwitchWidget, **kwargs)


def several_field(label: str, codes: Iterable[tuple[str, str]], **kwargs: Any) -> forms.MultipleChoiceField:
    choices = list(codes)
    widget = UnfoldAdminSelectMultipleWidget({"size": min(max(len(choices), 3), 12)})
    return forms.MultipleChoiceField(label=label, choices=choices, required=False, widget=widget, **kwargs)


def upload_field(label: str) -> forms.FileField:
    return forms.FileField(
        label=label,
        required=False,
        widget=UnfoldAdminFileFieldWidget,
        help_text="PNG, JPEG or WebP, at most 10 MiB. It is judged by its content and made anew.",
    )
