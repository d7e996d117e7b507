"""The form of who stands for a programme's vouchers."""

from typing import Any, ClassVar

from django import forms
from unfold.widgets import UnfoldAdminTextareaWidget

from members.models import Programme
from rewards.forms.texts import spoken
from rewards.models import VoucherIssuer


class IssuerForm(forms.ModelForm):
    """The company, and the conditions in every language of the programme, which a subclass sets for a request."""

    languages: ClassVar[list[tuple[str, str]]]

    class Meta:
        model = VoucherIssuer
        fields = ["name", "address", "company_number"]
        labels: ClassVar = {"name": "Company", "company_number": "Enterprise number"}
        help_texts: ClassVar = {
            "name": "With its legal form, such as SA or SRL.",
            "address": "Street, postal code and city, a line each.",
            "company_number": "In Belgium BE 0123.456.749.",
        }

    def conditions(self) -> dict[str, str]:
        """What was typed of the conditions, by language."""
        said = {code: self.cleaned_data[f"conditions_{code}"].strip() for code, _ in self.languages}
        return {code: text for code, text in said.items() if text}


def issuer_form(programme: Programme, issuer: VoucherIssuer | None) -> type[IssuerForm]:
    """The form for the vouchers of a programme."""
    fields: dict[str, Any] = {
        f"conditions_{code}": forms.CharField(
            label=f"Conditions ({name})",
            required=False,
            max_length=4000,
            initial=issuer.conditions.get(code, "") if issuer else "",
            help_text="For what and where vouchers are good, and what they are not.",
            widget=UnfoldAdminTextareaWidget({"rows": 3}),
        )
        for code, name in spoken(programme)
    }
    extra = {"languages": spoken(programme)}
    return type("IssuerFormOfProgramme", (IssuerForm,), {**extra, **fields, "__module__": __name__})
