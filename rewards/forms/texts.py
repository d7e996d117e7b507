"""What the forms of gifts and categories share: texts in every language of the programme, and a picture."""

from collections.abc import Sequence
from typing import Any, ClassVar

from django import forms
from django.utils import timezone

from config.kernel.errors import RistourneError
from config.kernel.language_fields import Named
from config.kernel.pictures import read_upload
from members.models import Programme
from rewards.models import Picture
from rewards.services import picture_store


class TextsForm(forms.ModelForm):
    """What the forms of gifts and categories share. `programme` is set by the subclass for a request."""

    programme: ClassVar[Programme]
    languages: ClassVar[Sequence[Named]]

    def texts(self, name: str) -> dict[str, str]:
        """What was typed for a text, by language."""
        return {x.code: self.cleaned_data.get(f"{name}_{x.code}", "") for x in self.languages}

    def uploaded(self, name: str) -> Picture | None:
        """The picture that was uploaded, kept; None without one. Raises PictureRefused."""
        file = self.cleaned_data.get(name)
        if not file:
            return None
        return picture_store(programme=self.programme, content=read_upload(file), now=timezone.now())

    def clean(self) -> dict[str, Any]:
        """Pictures are judged here, so that a refusal stands at the field."""
        cleaned = super().clean() or self.cleaned_data
        self.picture = None
        try:
            self.picture = self.uploaded("upload")
        except RistourneError as error:
            self.add_error("upload", error.detail)
        return cleaned
