"""The form of a segment: its name, and what members read of it in each language."""

from typing import Any

from django import forms

from config.kernel.language_fields import language_fields
from config.kernel.texts import LABEL_LENGTH
from members.selectors import languages_of
from segments.models import DESCRIPTION_MAX_LENGTH, Segment

LABEL, DESCRIPTION = "label_", "description_"


class SegmentForm(forms.ModelForm):
    """A segment as it is added; what members read is written once its programme is known."""

    class Meta:
        model = Segment
        fields = ("programme", "code", "name", "kind", "is_shown_to_members")
        labels = {"is_shown_to_members": "Shown to members"}


def segment_form(segment: Segment) -> type[SegmentForm]:
    """The form of a segment that exists, with its texts in each language of its programme."""
    return type("SegmentForm", (SegmentForm,), dict(text_fields(segment)))


def text_fields(segment: Segment) -> dict[str, Any]:
    """What members read: what the segment is called, and why they are in it."""
    languages = languages_of(segment.programme)
    return language_fields(
        LABEL,
        languages,
        label="Name for members",
        length=LABEL_LENGTH,
        said=segment.labels,
        tells_changes=True,
    ) | language_fields(
        DESCRIPTION,
        languages,
        label="Members read",
        length=DESCRIPTION_MAX_LENGTH,
        said=segment.descriptions,
        tells_changes=True,
        help_text="Why they are in this group, on their page of groups. The reasons of staff stay inside.",
    )
