"""Forms of the back office."""

from typing import ClassVar

from django import forms
from django.conf import settings
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget

from members.models import Partner


class PartnerForm(forms.ModelForm):
    """A partner and what it may do."""

    allowed_scopes = forms.MultipleChoiceField(
        choices=sorted(settings.SCOPES.items()),
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
        required=False,
    )

    class Meta:
        model = Partner
        fields: ClassVar = ["programme", "name", "allowed_scopes"]
