"""Forms of the back office and of the member's pages."""

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy as _
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminFileFieldWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanSwitchWidget,
)

from config.kernel.errors import PictureRefused
from config.kernel.pictures import check, read_upload
from members.models import Member, Partner, Programme, ProgrammeLanguage


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
        label=_("E-mail address"), widget=forms.EmailInput(attrs={"autocomplete": "email", "autofocus": True})
    )


class ProfileForm(forms.Form):
    """What a member may change herself: her language, and each consent she was asked for."""

    def __init__(
        self, member: Member, languages: Iterable[ProgrammeLanguage], sent: Mapping[str, Any] | None = None
    ) -> None:
        super().__init__(sent, initial={"language": member.language}, label_suffix="")
        self.fields["language"] = forms.ChoiceField(
            label=_("Language"), choices=[(x.code, x.name) for x in languages]
        )
        self.consent_names = [name for name, given in member.consents.items() if isinstance(given, bool)]
        for name in self.consent_names:
            self.fields[f"consent:{name}"] = forms.BooleanField(
                label=name.replace("_", " ").capitalize(), required=False, initial=member.consents[name]
            )

    def consents(self) -> dict[str, bool]:
        """The consents as they were ticked."""
        return {name: self.cleaned_data[f"consent:{name}"] for name in self.consent_names}
