"""Which promotion to replay, over which days."""

from datetime import date, timedelta
from typing import Any, cast

from django import forms
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget, UnfoldBooleanSwitchWidget

from loyalty.models import Promotion, Transaction
from members.models import Programme


def day(**kwargs: Any) -> forms.DateField:
    """A day of the programme."""
    return forms.DateField(widget=UnfoldAdminTextInputWidget({"type": "date"}), **kwargs)


class ReplayForm(forms.Form):
    """A promotion of one of the user's programmes, and a period of baskets."""

    promotion = forms.ModelChoiceField(
        Promotion.objects.none(),
        widget=UnfoldAdminSelectWidget,
        help_text="Its draft, if it has one; else what it says now or said last.",
    )
    first_day = day(label="From")
    last_day = day(label="To", help_text="Both days included, on the programme's clock.")
    is_throughout = forms.BooleanField(
        label="As if it ran the whole period",
        required=False,
        initial=True,
        widget=UnfoldBooleanSwitchWidget,
        help_text="Off: only where its own start and end, and those of its segments, allow it.",
    )

    def __init__(self, *args: Any, programmes: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        promotions = Promotion.objects.filter(programme__in=programmes).select_related("programme")
        cast(forms.ModelChoiceField, self.fields["promotion"]).queryset = promotions


def last_month_of(programme: Programme) -> tuple[date, date] | None:
    """The thirty days up to the newest basket; None before the first."""
    newest = Transaction.objects.filter(programme=programme).order_by("-occurred_at").values("day").first()
    return (newest["day"] - timedelta(days=29), newest["day"]) if newest else None
