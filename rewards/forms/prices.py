"""The form of a promotional price."""

from typing import Any

from django import forms
from unfold.widgets import UnfoldAdminSelectWidget

from loyalty.models import Promotion
from members.models import Programme
from rewards.forms.fields import whole_field


class PriceForm(forms.Form):
    """What a gift costs whom a promotion is for; without points its own price again."""

    points = whole_field(
        "Points", min_value=1, help_text="What a piece costs these members. Empty: its own price again."
    )


def price_form(programme: Programme) -> type[PriceForm]:
    """The form for gifts of a programme, with its promotions that have not ended."""
    promotion = forms.ModelChoiceField(
        Promotion.objects.filter(programme=programme, ended_at=None).order_by("code"),
        help_text="The price is for whom the promotion is for, and as long as it runs.",
        widget=UnfoldAdminSelectWidget,
    )
    fields: dict[str, Any] = {"promotion": promotion, "field_order": ["promotion", "points"]}
    return type("PriceFormOfProgramme", (PriceForm,), {**fields, "__module__": __name__})
