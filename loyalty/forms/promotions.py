"""A promotion as a marketing person says it: when, for whom, on what, what they get, limits."""

from typing import Any, ClassVar, cast

from django import forms
from django.http import QueryDict
from django.utils import timezone
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminFileFieldWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanSwitchWidget,
)

from config.kernel.codes import code_validator
from config.kernel.language_fields import typed
from config.kernel.texts import stripped
from loyalty.errors import RuleRefused
from loyalty.forms.fields import (
    ClockField,
    WordsField,
    choice,
    number,
    picks,
    set_clock,
    show_refusal,
    text,
    time_of_day,
    whole,
)
from loyalty.forms.labels import LABEL, label_fields
from loyalty.forms.product_files import skus_of_file
from loyalty.forms.promotion_steps import EFFECTS, POINTER_FIELDS, WEEKDAYS, initial_of, rule_of
from loyalty.models import Promotion, PromotionVersion
from loyalty.promotions.choices import (
    draft_findings,
    draft_summary,
    product_choices,
    segment_choices,
    segments_after,
    segments_linked,
)
from loyalty.promotions.lint import Finding
from loyalty.rules import PromotionDraft
from loyalty.versions import promotion_last_version, promotion_rule_of
from members.models import Programme

MODES = ("include", "exclude")
NOTHING_TO_CHOOSE = {
    "include_segments": "The programme has no segments yet: it is for everybody.",
    "exclude_segments": "The programme has no segments yet.",
    "tiers": "The programme has no tiers.",
    "pick_categories": "The product list names none. Type them below.",
    "pick_brands": "The product list names none. Type them below.",
}


class PromotionForm(forms.ModelForm):
    """The draft of a promotion, else its last rule, and what is to replace it.

    `programme` is set by `of`; after cleaning, `draft` is what was said. Publishing (`_publish` was sent)
    asks the linter too, and is refused where it finds an error.
    """

    programme: ClassVar[Programme]
    draft: PromotionDraft

    code = text(max_length=64, validators=[code_validator], help_text="Its name for partners; never changes.")
    name = text(max_length=200, help_text="What staff and members read.")
    started_from = forms.CharField(required=False, widget=forms.HiddenInput)

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

    include_segments = picks(
        label="Only members of", help_text="None chosen: everybody. Members of any of them."
    )
    exclude_segments = picks(label="But not members of", help_text="Wins over the list beside it.")
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

    pick_categories = picks(label="Categories", help_text="A product counts when any of these lists has it.")
    pick_brands = picks(label="Brands")
    categories = WordsField(
        label="Other categories", rows=2, help_text="Not in the product list: one per line."
    )
    brands = WordsField(label="Other brands", rows=2, help_text="One per line.")
    skus = WordsField(label="SKUs", help_text="Paste them, one per line. All lists empty: every product.")
    sku_file = forms.FileField(
        label="SKUs from a file",
        required=False,
        widget=UnfoldAdminFileFieldWidget,
        help_text="CSV or .xlsx with a column sku, or one SKU per line. They are added to the list.",
    )
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
        """The form for promotions of one programme: its clock, its tiers, a name in each of its languages."""
        return type(cls.__name__, (cls,), {"programme": programme, **label_fields(programme)})

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        set_clock(self, self.programme.time_zone, "starts_at", "ends_at")
        self.now = timezone.now()
        self.linked = segments_linked(self.instance, self.now) if self.instance.pk else {}
        self._offer_choices()
        if self.instance.pk:
            self.fields.pop("code", None)
            self._start_from_what_is_said()

    def _offer_choices(self) -> None:
        tiers = [(tier.code, tier.name) for tier in self.programme.tiers.all()]
        self._choices("tiers", tiers)
        segments = segment_choices(self.programme, self.now)
        for name in ("include_segments", "exclude_segments"):
            self._choices(name, segments)
        self.listed: dict[str, list[str]] = {}
        for name, field in (("categories", "category"), ("brands", "brand")):
            choices = product_choices(self.programme, field)
            self._choices(f"pick_{name}", choices)
            self.listed[name] = [code for code, _ in choices]

    def _choices(self, name: str, choices: list[tuple[str, str]]) -> None:
        """Offer them; where there is nothing to choose from, say so."""
        cast(forms.MultipleChoiceField, self.fields[name]).choices = choices
        if not choices:
            self.fields[name].help_text = NOTHING_TO_CHOOSE[name]

    def _start_from_what_is_said(self) -> None:
        version, drafted_at = promotion_last_version(self.instance), self.instance.drafted_at
        self.stands_at = f"{version.pk if version else ''}/{drafted_at.isoformat() if drafted_at else ''}"
        said = self._said(version)
        chosen = segments_after(self.linked, said)
        self.initial.update(started_from=self.stands_at)
        self.initial.update({f"{mode}_segments": [x for x in chosen if chosen[x] == mode] for mode in MODES})
        if said:
            self.initial.update(initial_of(said.rule, self.listed), name=said.name)
            self.initial.update({f"{LABEL}{language}": text for language, text in said.labels.items()})

    def _said(self, version: PromotionVersion | None) -> PromotionDraft | None:
        if self.instance.draft:
            return PromotionDraft.from_row(self.instance.draft)
        if version is None:
            return None
        rule = promotion_rule_of(self.programme, version.part)
        return PromotionDraft(self.instance.name, rule, labels=self.instance.labels)

    def clean_code(self) -> str:
        code: str = self.cleaned_data["code"]
        if Promotion.objects.filter(programme=self.programme, code=code).exists():
            raise forms.ValidationError("The programme has a promotion with this code.", code="taken")
        return code

    def clean_exclude_segments(self) -> list[str]:
        excluded: list[str] = self.cleaned_data["exclude_segments"]
        both = set(excluded) & set(self.cleaned_data.get("include_segments") or ())
        if both:
            raise forms.ValidationError(f"In both lists: {', '.join(sorted(both))}.", code="both")
        return excluded

    def clean_sku_file(self) -> None:
        """The SKUs of the file join those typed, also in the form when it is shown again."""
        upload = self.cleaned_data["sku_file"]
        if not upload:
            return
        found = skus_of_file(upload)
        skus = tuple(dict.fromkeys([*self.cleaned_data.get("skus", ()), *found]))
        self.cleaned_data["skus"] = skus
        shown = cast(QueryDict, self.data).copy()
        shown[self.add_prefix("skus")] = "\n".join(skus)
        self.data = shown

    def clean(self) -> dict[str, Any]:
        given = super().clean() or self.cleaned_data
        if self.instance.pk and given.get("started_from") != self.stands_at:
            self.add_error(None, "Somebody changed this promotion meanwhile. Open it again and look first.")
        self.draft = self.draft_so_far()
        if not self.errors:
            try:
                self.draft.rule.check()
            except RuleRefused as error:
                show_refusal(self, error, POINTER_FIELDS)
        if not self.errors and "_publish" in self.data:
            for finding in self.findings(is_deep=False):
                if finding.level == "error":
                    self.add_error(finding.field or None, finding.text)
        return given

    def start(self) -> None:
        """Let `draft` be what an unsent form shows."""
        if said := self._said(promotion_last_version(self.instance)):
            self.draft = said

    def draft_so_far(self) -> PromotionDraft:
        """What was said, as far as it can be read."""
        given = self.cleaned_data
        chosen = {code: mode for mode in MODES for code in given.get(f"{mode}_segments") or ()}
        link = {code: mode for code, mode in chosen.items() if self.linked.get(code) != mode}
        unlink = tuple(code for code, mode in self.linked.items() if chosen.get(code) != mode)
        name = given.get("name") or self.instance.name
        return PromotionDraft(name, rule_of(given), link, unlink, stripped(typed(LABEL, given)))

    def findings(self, *, is_deep: bool) -> list[Finding]:
        """What the linter says of the draft; deep: also after running it on the last receipts."""
        self.instance.programme = self.programme
        return draft_findings(self.instance, self.draft, self.now, is_deep=is_deep)

    def summary(self) -> str:
        """The draft in plain words."""
        return draft_summary(self.instance, self.draft, self.programme, self.now)
