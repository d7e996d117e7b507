"""Forms of the member's pages."""

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from django import forms
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _
from uuid_utils.compat import uuid7

from loyalty.selectors import STATUSES
from rewards.lifecycle import ENDED_BEFORE, Status
from rewards.pages import words
from rewards.pages.statement import Period
from rewards.services import DeliveryTo

_FIRST_DAY, _LAST_DAY = date(1900, 1, 1), date(2999, 12, 31)
_SPENT = [status for status in Status if status not in {Status.RESERVED, *ENDED_BEFORE}]
"""Where an order stands that moved points."""


REFERENCE = r"\AMY-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\Z"
"""Of an order placed on these pages: members take no reference that a shop might need."""


def new_reference() -> str:
    """Nobody's yet."""
    return f"MY-{uuid7()}"


class HistoryForm(forms.Form):
    """What of her history a member wants to see: a kind, a status, and days of the programme, both inclusive."""

    def __init__(self, sent: Mapping[str, Any]) -> None:
        super().__init__(sent, label_suffix="")
        self.fields |= {
            "kind": forms.ChoiceField(choices=words.KINDS.items(), required=False),
            "status": forms.ChoiceField(label=_("Status"), choices=self._statuses, required=False),
            "from": _day(_("From")),
            "to": _day(_("Until")),
        }

    @staticmethod
    def _statuses() -> list[tuple[Any, Any]]:
        def named(codes: Iterable[str]) -> list[tuple[str, str]]:
            return [(code, capfirst(str(words.STATUSES[code]))) for code in codes]

        return [("", _("Every status")), (_("Points"), named(STATUSES)), (_("Orders"), named(_SPENT))]

    def clean(self) -> None:
        first, last = self.cleaned_data.get("from"), self.cleaned_data.get("to")
        if first and last and last < first:
            self.add_error("to", _("The last day is before the first."))

    @property
    def is_forged(self) -> bool:
        """Whether it asks for what the page offers nowhere; a wrong day may be a slip."""
        return not {"kind", "status"}.isdisjoint(self.errors)

    @property
    def is_narrowed(self) -> bool:
        """Whether more than a kind is asked for."""
        return not self.asked.keys() <= {"kind"}

    @property
    def asked(self) -> dict[str, str]:
        """What narrows the history, as the page's address says it."""
        return {name: self.data[name] for name in self.fields if self.data.get(name)}

    @property
    def period(self) -> Period:
        return Period(self.cleaned_data["from"], self.cleaned_data["to"])


class DeliveryForm(forms.Form):
    """Where a gift goes: an address for what is sent by post, nothing for the rest.

    `reference` is the order's, made with the page, and `points` what the page said that it costs.
    """

    reference = forms.CharField(validators=[RegexValidator(REFERENCE)], widget=forms.HiddenInput)
    points = forms.IntegerField(required=False, widget=forms.HiddenInput)

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
            given = {name: self.cleaned_data[name] for name in self.fields if name not in self.base_fields}
            return DeliveryTo("post", address={name: text for name, text in given.items() if text})
        return DeliveryTo("email", email=email) if email else None


def _line(label: Any, autocomplete: str, length: int = 100, *, required: bool = True) -> forms.CharField:
    widget = forms.TextInput(attrs={"autocomplete": autocomplete})
    return forms.CharField(label=label, max_length=length, required=required, widget=widget)


def _day(label: Any) -> forms.DateField:
    return forms.DateField(
        label=label,
        required=False,
        input_formats=["%Y-%m-%d"],
        widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}),
        validators=[MinValueValidator(_FIRST_DAY), MaxValueValidator(_LAST_DAY)],
    )
