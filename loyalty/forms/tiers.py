"""Tiers: levels, their rules, and a grant by hand."""

from typing import Any, ClassVar

from django import forms
from unfold.forms import BaseDialogForm
from unfold.widgets import UnfoldAdminTextareaWidget, UnfoldAdminTextInputWidget

from config.kernel.codes import code_validator
from loyalty.forms.fields import text
from loyalty.forms.labels import label_fields
from loyalty.models import Tier, TierRules
from loyalty.tiers import CALENDAR


class TierForm(forms.ModelForm):
    """A level of a programme; its multiplier comes with the terms."""

    code = text(max_length=64, validators=[code_validator], help_text="Its name for partners; never changes.")

    class Meta:
        model = Tier
        fields: ClassVar = ["programme", "code", "name", "rank", "threshold"]

    @classmethod
    def of(cls, tier: Tier) -> type["TierForm"]:
        """The form of a tier that exists: its code stays, and it has a name in each language of its programme."""
        names = label_fields(tier.programme, tier.labels, tells_changes=True)
        return type(cls.__name__, (cls,), {"code": None, **names})

    def clean_rank(self) -> int:
        rank: int = self.cleaned_data["rank"]
        others = Tier.objects.exclude(pk=self.instance.pk)
        if self.instance.pk and others.filter(programme=self.instance.programme_id, rank=rank).exists():
            raise forms.ValidationError("Another tier of the programme has this rank.", code="taken")
        return rank


class TierRulesForm(forms.ModelForm):
    """The period over which tiers are reached."""

    class Meta:
        model = TierRules
        fields: ClassVar = ["programme", "period", "length", "keeps_following"]

    def clean(self) -> dict[str, Any]:
        given = super().clean() or self.cleaned_data
        period = given.get("period")
        if period in CALENDAR and given.get("length") != 1:
            self.add_error("length", "A calendar period is looked at one at a time: 1.")
        if period not in CALENDAR and given.get("keeps_following"):
            self.add_error("keeps_following", "Only calendar periods have a following one.")
        return given


class TierGrantForm(BaseDialogForm):
    """A tier by hand: which, to the end of which day, and why."""

    tier = forms.CharField(
        label="Tier code", max_length=64, widget=UnfoldAdminTextInputWidget, help_text="Of this programme."
    )
    last_day = forms.DateField(
        label="Last day",
        widget=UnfoldAdminTextInputWidget({"type": "date"}),
        help_text="The grant ends when this day ends on the programme's clock.",
    )
    reason = forms.CharField(
        max_length=500,
        widget=UnfoldAdminTextareaWidget({"rows": 3}),
        help_text="Kept in the history. No personal details.",
    )
