"""Forms of the member's pages."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from config.kernel.codes import code_validator
from rewards.services import DeliveryTo


class DeliveryForm(forms.Form):
    """Where a gift goes: an address for what is sent by post, nothing for the rest.

    `reference` is the order's, made with the page.
    """

    reference = forms.CharField(max_length=64, validators=[code_validator], widget=forms.HiddenInput)

    def __init__(
        self, kind: str, sent: Mapping[str, Any] | None = None, initial: dict[str, Any] | None = None
    ) -> None:
        super().__init__(sent, initial=initial, label_suffix="")
        self.is_sent = kind == "physical"
        if self.is_sent:
            self.fields |= {
                "name": _line(_("Name"), "name"),
                "street": _line(_("Street and number"), "street-address"),
                "postal_code": _line(_("Postal code"), "postal-code", 20),
                "city": _line(_("Place"), "address-level2"),
                "country": _line(_("Country"), "country-name"),
                "phone": _line(_("Telephone"), "tel", 40, required=False),
            }

    def delivery(self, email: str) -> DeliveryTo | None:
        """Where it goes: by post, or by e-mail where the member has an address."""
        if self.is_sent:
            given = {name: self.cleaned_data[name] for name in self.fields if name != "reference"}
            return DeliveryTo("post", address={name: text for name, text in given.items() if text})
        return DeliveryTo("email", email=email) if email else None


def _line(label: Any, autocomplete: str, length: int = 100, *, required: bool = True) -> forms.CharField:
    widget = forms.TextInput(attrs={"autocomplete": autocomplete})
    return forms.CharField(label=label, max_length=length, required=required, widget=widget)
