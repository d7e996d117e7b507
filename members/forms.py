"""Forms of the back office and of the member's pages."""

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget

from members.models import Member, Partner, ProgrammeLanguage


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
