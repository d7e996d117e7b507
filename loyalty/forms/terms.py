"""The terms of a programme: earn rate, rounding, delay, lifetime and tier multipliers."""

from typing import Any, ClassVar

from django import forms

from loyalty.errors import RuleRefused
from loyalty.forms.fields import choice, number, plain_text, show_refusal, whole
from loyalty.models import TermsVersion
from loyalty.rules import TermsRule
from loyalty.versions import terms_in_force
from members.models import Programme

TERMS_FIELDS = ["earn_rate", "rounding", "delay_days", "lifetime_months", "lifetime_end"]
_ROUNDINGS = [
    ("floor", "Down to whole points"),
    ("half_up", "To the nearest whole point, halves up"),
    ("ceil", "Up to whole points"),
]
_ENDS = [("", "On the day itself"), ("month", "At the end of the month"), ("year", "At the end of the year")]


class TermsForm(forms.ModelForm):
    """Starts from the terms in force; `rule` is what was said. `programme` is set by `of`."""

    programme: ClassVar[Programme]
    tier_fields: ClassVar[dict[str, str]] = {}
    rule: TermsRule

    earn_rate = number(required=True, initial="1", help_text="Base points per unit of money.")
    rounding = choice(_ROUNDINGS)
    delay_days = whole(required=True, initial=0, help_text="Days until points become available. 0: at once.")
    lifetime_months = whole(help_text="Months that points live once available. Empty: for ever.")
    lifetime_end = choice(_ENDS, required=False, label="Points expire")

    class Meta:
        model = TermsVersion
        fields: ClassVar[list[str]] = []

    @classmethod
    def of(cls, programme: Programme) -> type["TermsForm"]:
        """The form for the terms of one programme, with a field for each of its tiers."""
        tiers = {f"tier_{tier.code}": tier for tier in programme.tiers.all()}
        fields = {
            name: number(label=f"Multiplier of {tier.name}", help_text="1.5: half as many points again.")
            for name, tier in tiers.items()
        }
        codes = {name: tier.code for name, tier in tiers.items()}
        return type(cls.__name__, (cls,), {"programme": programme, "tier_fields": codes, **fields})

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        terms = terms_in_force(self.programme)
        if terms and not self.instance.pk:
            lifetime = terms["lifetime"] or {"months": None, "end": ""}
            initial = {name: terms[name] for name in ("earn_rate", "rounding", "delay_days")}
            initial |= {"lifetime_months": lifetime["months"], "lifetime_end": lifetime["end"] or ""}
            initial |= {name: terms["tiers"].get(code) for name, code in self.tier_fields.items()}
            self.initial.update(initial)

    def clean(self) -> dict[str, Any]:
        given = super().clean() or self.cleaned_data
        if self.errors:
            return given
        tiers = {code: plain_text(given[name]) for name, code in self.tier_fields.items()}
        self.rule = TermsRule(
            earn_rate=plain_text(given["earn_rate"]) or "",
            rounding=given["rounding"],
            delay_days=given["delay_days"],
            lifetime_months=given["lifetime_months"],
            lifetime_end=given["lifetime_end"] or None,
            tiers={code: multiplier for code, multiplier in tiers.items() if multiplier is not None},
        )
        try:
            self.rule.check()
        except RuleRefused as error:
            names = {f"/tiers/{code}": name for name, code in self.tier_fields.items()}
            show_refusal(self, error, names)
        return given
