"""A correction of a member's points."""

from typing import Any, cast
from uuid import uuid4

from django import forms
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextareaWidget, UnfoldBooleanSwitchWidget

from loyalty.engine.numbers import LARGEST_POSTING
from loyalty.forms.fields import ClockField, set_clock, text, whole
from loyalty.services import AdjustmentCommand
from members.models import Programme


class AdjustmentForm(forms.Form):
    """Points to add or take, with the reason. The hidden reference makes a second click harmless."""

    programme = forms.ModelChoiceField(Programme.objects.none(), widget=UnfoldAdminSelectWidget)
    member = text(label="Member number", max_length=64)
    points = whole(
        required=True,
        min_value=-LARGEST_POSTING,
        max_value=LARGEST_POSTING,
        help_text="Above zero to add, below zero to take.",
    )
    reason = forms.CharField(
        max_length=500,
        widget=UnfoldAdminTextareaWidget({"rows": 3}),
        help_text="Kept with the entry. No personal details.",
    )
    expires_at = ClockField(
        label="Points expire",
        help_text="On the programme's clock, only for points added. Empty: as the programme's terms say.",
    )
    may_owe = forms.BooleanField(
        label="May go into debt",
        required=False,
        widget=UnfoldBooleanSwitchWidget,
        help_text="Take the points even if the member has fewer available.",
    )
    reference = forms.RegexField(r"^staff-[0-9a-f-]{36}\Z", widget=forms.HiddenInput)

    def __init__(self, *args: Any, programmes: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        cast(forms.ModelChoiceField, self.fields["programme"]).queryset = programmes
        self.initial.setdefault("reference", f"staff-{uuid4()}")

    def clean_programme(self) -> Programme:
        programme: Programme = self.cleaned_data["programme"]
        set_clock(self, programme.time_zone, "expires_at")
        return programme

    def clean_points(self) -> int:
        points: int = self.cleaned_data["points"]
        if points == 0:
            raise forms.ValidationError("Adding or taking nothing changes nothing.", code="zero")
        return points

    def command(self, actor: str) -> AdjustmentCommand:
        """What was asked for, by whom (`staff:<username>`)."""
        given = self.cleaned_data
        names = ("member", "reference", "points", "reason", "expires_at", "may_owe")
        return AdjustmentCommand(actor=actor, **{name: given[name] for name in names})
