"""The form of who stands for a programme's vouchers."""

from collections.abc import Sequence
from typing import Any, ClassVar

from django import forms
from unfold.widgets import UnfoldAdminTextareaWidget

from config.kernel.language_fields import Named, language_fields, typed
from config.kernel.texts import stripped
from members.models import Programme
from members.selectors import languages_of
from rewards.models import VoucherIssuer

CONDITIONS = "conditions_"


class IssuerForm(forms.ModelForm):
    """The company, and the conditions in every language of the programme, which a subclass sets for a request."""

    languages: ClassVar[Sequence[Named]]

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
        return stripped(typed(CONDITIONS, self.cleaned_data))


def issuer_form(programme: Programme, issuer: VoucherIssuer | None) -> type[IssuerForm]:
    """The form for the vouchers of a programme."""
    languages = languages_of(programme)
    fields = language_fields(
        CONDITIONS,
        languages,
        label="Conditions",
        length=4000,
        said=issuer.conditions if issuer else {},
        help_text="For what and where vouchers are good, and what they are not.",
        widget=UnfoldAdminTextareaWidget({"rows": 3}),
    )
    extra: dict[str, Any] = {"languages": languages, "__module__": __name__}
    return type("IssuerFormOfProgramme", (IssuerForm,), extra | fields)
