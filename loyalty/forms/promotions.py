"""A promotion as a marketing person says it: when, for whom, on what, what they get, limits."""

from dataclasses import asdict
from typing import Any, ClassVar, cast

from django import forms
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanSwitchWidget,
)

from config.kernel.codes import code_validator
from loyalty.engine.ruleset import SCOPES
from loyalty.errors import RuleRefused
from loyalty.forms.fields import (
    ClockField,
    WordsField,
    choice,
    number,
    plain_text,
    set_clock,
    show_refusal,
    text,
    time_of_day,
    whole,
)
from loyalty.models import Promotion
from loyalty.rules import Cap, ProductSetRule, PromotionRule
from loyalty.versions import promotion_last_version, promotion_rule_of
from members.models import Programme

EFFECTS = [
    ("multiplier", "Multiply the base points"),
    ("rate", "Extra points per unit of money"),
    ("per_item", "Extra points per item"),
    ("fixed", "Extra points, once a transaction"),
]
WEEKDAYS = [
    (day, name)
    for day, name in enumerate(
        ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"), start=1
    )
]
PROMOTION_STEPS: list[tuple[str, dict[str, Any]]] = [
    ("Promotion", {"fields": [("code", "name"), "started_from"]}),
    ("When", {"fields": [("starts_at", "ends_at"), "weekdays", ("hours_from", "hours_until")]}),
    ("For whom", {"fields": ["tiers", ("first", "birthday_days")]}),
    (
        "On what",
        {
            "fields": [
                ("categories", "brands"),
                "skus",
                ("channels", "stores"),
                ("minimum_amount", "minimum_quantity"),
            ]
        },
    ),
    ("What they get", {"fields": [("effect", "value"), "qualifying"]}),
    (
        "Limits",
        {
            "fields": [
                ("cap_transaction_points", "cap_transaction_uses"),
                ("cap_day_points", "cap_day_uses"),
                ("cap_month_points", "cap_month_uses"),
                ("cap_total_points", "cap_total_uses"),
                ("cap_budget_points", "cap_budget_uses"),
                ("exclusivity_group", "priority"),
            ]
        },
    ),
]
_FIELDS = {
    "/effect/type": "effect",
    "/effect/value": "value",
    "/window/until": "ends_at",
    "/hours": "hours_from",
}
_FIELDS |= {f"/caps/{scope}/{unit}": f"cap_{scope}_{unit}" for scope in SCOPES for unit in ("points", "uses")}


class PromotionForm(forms.ModelForm):
    """The rule in force, or the last one of a paused promotion, and what is to replace it.

    `programme` is set by `of`; after cleaning, `rule` is what was said.
    """

    programme: ClassVar[Programme]
    rule: PromotionRule

    code = text(max_length=64, validators=[code_validator], help_text="Its name for partners; never changes.")
    name = text(max_length=200, help_text="What staff and members read.")
    started_from = forms.IntegerField(required=False, widget=forms.HiddenInput)

    starts_at = ClockField(label="Starts", help_text="Empty: it has no beginning.")
    ends_at = ClockField(label="Ends", help_text="The first moment it no longer runs. Empty: no end.")
    weekdays = forms.TypedMultipleChoiceField(
        choices=WEEKDAYS,
        coerce=int,
        empty_value=[],
        required=False,
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
        help_text="None chosen: every day.",
    )
    hours_from = time_of_day(label="From hour", help_text="Empty: all day.")
    hours_until = time_of_day(label="Until hour", help_text="Not later than the first: it passes midnight.")

    tiers = forms.MultipleChoiceField(
        required=False,
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
        help_text="None chosen: members of every tier, and without one.",
    )
    first = forms.BooleanField(
        label="Only the first transaction", required=False, widget=UnfoldBooleanSwitchWidget
    )
    birthday_days = whole(
        label="Days after the birthday", help_text="0: on the birthday only. Empty: on any day."
    )

    categories = WordsField(help_text="One per line. A product in any of the three lists counts.")
    brands = WordsField(help_text="One per line.")
    skus = WordsField(label="SKUs", help_text="One per line. All three lists empty: every product.")
    channels = WordsField(rows=2, help_text="Such as web or till. Empty: every channel.")
    stores = WordsField(rows=2, help_text="Store codes. Empty: every store.")
    minimum_amount = number(help_text="Of the products above, in the programme's currency.")
    minimum_quantity = number(help_text="Of the products above.")

    effect = choice(EFFECTS)
    value = number(required=True, help_text="3 with “multiply”: three times the base points in all.")
    qualifying = forms.BooleanField(
        label="Counts for the tier", required=False, widget=UnfoldBooleanSwitchWidget
    )

    cap_transaction_points = number(label="Points a transaction")
    cap_transaction_uses = whole(label="Uses a transaction")
    cap_day_points = number(label="Points a member and day")
    cap_day_uses = whole(label="Uses a member and day")
    cap_month_points = number(label="Points a member and month")
    cap_month_uses = whole(label="Uses a member and month")
    cap_total_points = number(label="Points a member in total")
    cap_total_uses = whole(label="Uses a member in total")
    cap_budget_points = number(label="Budget: points over all members")
    cap_budget_uses = whole(label="Budget: uses over all members")
    exclusivity_group = forms.CharField(
        max_length=64,
        required=False,
        widget=UnfoldAdminTextInputWidget,
        help_text="Of the promotions of one group only the best for the member applies.",
    )
    priority = whole(required=True, initial=100, help_text="Lower comes first.")

    class Meta:
        model = Promotion
        fields: ClassVar = ["code", "name"]

    @classmethod
    def of(cls, programme: Programme) -> type["PromotionForm"]:
        """The form for promotions of one programme: its clock, its tiers."""
        return type(cls.__name__, (cls,), {"programme": programme})

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        set_clock(self, self.programme.time_zone, "starts_at", "ends_at")
        tiers = [(tier.code, tier.name) for tier in self.programme.tiers.all()]
        cast(forms.MultipleChoiceField, self.fields["tiers"]).choices = tiers
        if self.instance.pk:
            self.fields.pop("code", None)
            self._start_from_last_version()

    def _start_from_last_version(self) -> None:
        version = promotion_last_version(self.instance)
        self.last_version_id = version.pk if version else None
        self.initial["started_from"] = self.last_version_id
        if version:
            self.initial.update(_initial(promotion_rule_of(self.programme, version.part)))

    def clean_code(self) -> str:
        code: str = self.cleaned_data["code"]
        if Promotion.objects.filter(programme=self.programme, code=code).exists():
            raise forms.ValidationError("The programme has a promotion with this code.", code="taken")
        return code

    def clean(self) -> dict[str, Any]:
        given = super().clean() or self.cleaned_data
        if self.instance.pk and given.get("started_from") != self.last_version_id:
            self.add_error(None, "Somebody changed this promotion meanwhile. Open it again and look first.")
        if not self.errors:
            self.rule = _rule(given)
            try:
                self.rule.check()
            except RuleRefused as error:
                show_refusal(self, error, _FIELDS)
        return given


def _rule(given: dict[str, Any]) -> PromotionRule:
    hours = (given["hours_from"], given["hours_until"])
    products = ProductSetRule(given["skus"], given["categories"], given["brands"])
    caps = {
        scope: Cap(plain_text(given[f"cap_{scope}_points"]), given[f"cap_{scope}_uses"]) for scope in SCOPES
    }
    plain_fields = ("effect", "priority", "starts_at", "ends_at", "channels", "stores", "first")
    return PromotionRule(
        **{name: given[name] for name in plain_fields},
        value=plain_text(given["value"]) or "",
        weekdays=tuple(given["weekdays"]),
        hours=hours if any(hours) else None,
        tiers=tuple(given["tiers"]),
        birthday_days=given["birthday_days"],
        products=products if products != ProductSetRule() else None,
        minimum_amount=plain_text(given["minimum_amount"]),
        minimum_quantity=plain_text(given["minimum_quantity"]),
        caps={scope: cap for scope, cap in caps.items() if cap != Cap()},
        exclusivity_group=given["exclusivity_group"] or None,
        qualifying=given["qualifying"],
    )


def _initial(rule: PromotionRule) -> dict[str, Any]:
    given = asdict(rule)
    initial = {name: given[name] for name in given if name not in ("products", "caps", "hours")}
    products = rule.products or ProductSetRule()
    initial |= {"skus": products.skus, "categories": products.categories, "brands": products.brands}
    if rule.hours:
        initial["hours_from"], initial["hours_until"] = rule.hours
    for scope, cap in rule.caps.items():
        initial |= {f"cap_{scope}_points": cap.points, f"cap_{scope}_uses": cap.uses}
    return initial
