"""Names for members in forms: one for each language of the programme."""

from typing import Any

from django import forms

from config.kernel.language_fields import language_fields
from config.kernel.texts import LABEL_LENGTH, Texts
from members.models import Programme
from members.selectors import languages_of

LABEL = "label_"


def label_fields(
    programme: Programme, said: Texts | None = None, *, tells_changes: bool = False
) -> dict[str, forms.CharField]:
    """A name for each language; where there is none, members read the one that staff use."""
    languages = languages_of(programme)
    return language_fields(
        LABEL,
        languages,
        label="Name for members",
        length=LABEL_LENGTH,
        said=said,
        tells_changes=tells_changes,
    )


def with_labels(steps: list[tuple[str, dict[str, Any]]], programme: Programme | None) -> list[Any]:
    """The steps of a form, and after the first one the names by language."""
    names = list(label_fields(programme)) if programme else []
    named = ("Names for members", {"fields": names, "classes": ["collapse"]})
    return [steps[0], *([named] if names else []), *steps[1:]]
