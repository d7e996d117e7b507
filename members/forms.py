"""Forms of the back office and of the member's pages."""

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy as _
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminFileFieldWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanSwitchWidget,
)

from config.kernel.errors import PictureRefused
from config.kernel.language_fields import language_fields
from config.kernel.pictures import check, read_upload
from config.kernel.texts import LABEL_LENGTH
from members.models import ConsentPurpose, Member, Partner, Programme, ProgrammeLanguage
from members.models.consents import WORDING_MAX_LENGTH
from members.selectors import languages_of


class PartnerForm(forms.ModelForm):
    """A partner and what it may do."""

    allowed_scopes = forms.MultipleChoiceField(
        choices=sorted(settings.SCOPES.items()),
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
        required=False,
    )

    class Meta:
        model = Partner
        fields: ClassVar = ["programme", "name", "allowed_scopes", "return_urls"]


class ProgrammeForm(forms.ModelForm):
    """A programme, with its logo as a file."""

    logo_file = forms.FileField(
        label="Logo",
        required=False,
        widget=UnfoldAdminFileFieldWidget({"accept": "image/png,image/jpeg,image/webp"}),
        help_text="PNG, JPEG or WebP; on members' pages it stands on white, 32 pixels high.",
    )
    without_logo = forms.BooleanField(
        label="Take the logo away", required=False, widget=UnfoldBooleanSwitchWidget
    )

    class Meta:
        model = Programme
        exclude: ClassVar = ["created_at"]
        widgets: ClassVar = {"colour": UnfoldAdminTextInputWidget({"placeholder": "#7b3f00"})}

    def clean_logo_file(self) -> bytes | None:
        """Its bytes, once they were seen to be a picture."""
        file = self.cleaned_data["logo_file"]
        if not file:
            return None
        try:
            content = read_upload(file)
            check(content)
        except PictureRefused as error:
            raise forms.ValidationError(error.detail) from None
        return content


class SignInForm(forms.Form):
    """The address a sign-in link is sent to."""

    email = forms.EmailField(
        label=_("E-mail address"),
        max_length=254,
        widget=forms.EmailInput(attrs={"autocomplete": "email", "autofocus": True}),
    )


class ProfileForm(forms.Form):
    """What a member may change herself at once: her language. Each consent is said by itself."""

    def __init__(
        self, member: Member, languages: Iterable[ProgrammeLanguage], sent: Mapping[str, Any] | None = None
    ) -> None:
        super().__init__(sent, initial={"language": member.language}, label_suffix="")
        self.fields["language"] = forms.ChoiceField(
            label=_("Language"), choices=[(x.code, x.name) for x in languages]
        )


class ConsentForm(forms.Form):
    """A member says yes or no to one purpose, in the words that she read."""

    code = forms.CharField(required=False, strip=False)
    value = forms.TypedChoiceField(choices=[("yes", ""), ("no", "")], coerce=lambda text: text == "yes")
    wording = forms.IntegerField(required=False, min_value=1, max_value=2**15 - 1)


class PurposeForm(forms.ModelForm):
    """What members may agree to, as it is added; its words are written once its programme is known."""

    class Meta:
        model = ConsentPurpose
        fields: ClassVar = ["programme", "code", "position", "is_offered"]

    @classmethod
    def of(cls, purpose: ConsentPurpose) -> type["PurposeForm"]:
        """The form of a purpose that exists, with its words in each language of its programme."""
        seen = forms.CharField(required=False, widget=forms.HiddenInput, initial=_stands(purpose))
        return type(cls.__name__, (cls,), {"started_from": seen, **purpose_texts(purpose)})

    def clean(self) -> dict[str, Any]:
        given = super().clean() or self.cleaned_data
        if "started_from" in self.fields and given.get("started_from") != _stands(self.instance):
            self.add_error(None, "Somebody changed this purpose meanwhile. Open it again and look first.")
        return given


def _stands(purpose: ConsentPurpose) -> str:
    """What a purpose says now, as a mark that changes with it."""
    last = purpose.wordings.first()
    return f"{last.number if last else 0}/{purpose.position}/{purpose.is_offered}"


NAME, TEXT = "name_", "text_"


def purpose_texts(purpose: ConsentPurpose) -> dict[str, Any]:
    """Names and texts of a purpose, by language."""
    last = purpose.wordings.first()
    names, texts = (last.names, last.texts) if last else ({}, {})
    languages = languages_of(purpose.programme)
    asked = language_fields(
        NAME, languages, label="Name", length=LABEL_LENGTH, said=names, help_text="In a few words."
    )
    explained = language_fields(
        TEXT,
        languages,
        label="Text",
        length=WORDING_MAX_LENGTH,
        said=texts,
        help_text="What exactly they agree to. Other words are a new wording: who agreed to the old is asked again.",
        widget=UnfoldAdminTextareaWidget,
    )
    return {**asked, **explained}
