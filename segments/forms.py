"""The form of a segment: its name, and what members read of it in each language."""

from typing import Any

from django import forms
from unfold.widgets import UnfoldAdminTextInputWidget

from members.selectors import languages_of
from segments.models import DESCRIPTION_MAX_LENGTH, Segment

_PREFIX = "description_"


class SegmentForm(forms.ModelForm):
    """A segment as it is added; what members read is written once its programme is known."""

    class Meta:
        model = Segment
        fields = ("programme", "code", "name", "kind", "is_shown_to_members")
        labels = {"is_shown_to_members": "Shown to members"}


def segment_form(segment: Segment) -> type[SegmentForm]:
    """The form of a segment that exists, with a text for each language of its programme."""
    texts: dict[str, Any] = {
        f"{_PREFIX}{language.code}": forms.CharField(
            label=f"Members read, {language.name}",
            required=False,
            max_length=DESCRIPTION_MAX_LENGTH,
            initial=segment.descriptions.get(language.code, ""),
            widget=UnfoldAdminTextInputWidget,
            help_text="Why they are in this group, on their page of groups. The reasons of staff stay inside.",
        )
        for language in languages_of(segment.programme)
    }
    return type("SegmentForm", (SegmentForm,), texts)


def description_fields(segment: Segment) -> list[str]:
    """The names of the form's texts."""
    return [f"{_PREFIX}{language.code}" for language in languages_of(segment.programme)]


def descriptions_of(fields: dict[str, Any]) -> dict[str, str]:
    """What was typed, by language, of those that differ."""
    return {name.removeprefix(_PREFIX): text for name, text in fields.items() if name.startswith(_PREFIX)}
