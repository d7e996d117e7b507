"""Which segments a promotion is for: links are added and ended, never changed."""

from typing import Any, ClassVar, cast

from django import forms
from django.utils import timezone
from unfold.widgets import UnfoldAdminSelectWidget

from loyalty.forms.fields import ClockField, choice, set_clock
from loyalty.models import Promotion, PromotionSegment
from segments.models import Segment

_MODES = [
    ("include", "Only for members of this segment"),
    ("exclude", "Not for members of this segment"),
]


class LinkForm(forms.ModelForm):
    """A new link of one promotion, set by `of`, to a segment of its programme."""

    promotion: ClassVar[Promotion]

    segment = forms.ModelChoiceField(Segment.objects.none(), widget=UnfoldAdminSelectWidget)
    mode = choice(_MODES)
    valid_from = ClockField(label="From", help_text="Empty: from now on.")
    valid_until = ClockField(label="Until", help_text="Empty: no end.")

    class Meta:
        model = PromotionSegment
        fields: ClassVar = ["segment", "mode", "valid_from", "valid_until"]

    @classmethod
    def of(cls, promotion: Promotion) -> type["LinkForm"]:
        """The form for links of one promotion."""
        return type(cls.__name__, (cls,), {"promotion": promotion})

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        segments = Segment.objects.filter(programme=self.promotion.programme_id)
        cast(forms.ModelChoiceField, self.fields["segment"]).queryset = segments
        set_clock(self, self.promotion.programme.time_zone, "valid_from", "valid_until")

    def clean_valid_from(self) -> Any:
        return self.cleaned_data["valid_from"] or timezone.now()

    def clean(self) -> dict[str, Any]:
        given = super().clean() or self.cleaned_data
        start, end, segment = (given.get(name) for name in ("valid_from", "valid_until", "segment"))
        if start and end and end <= start:
            self.add_error("valid_until", "It would end before it starts.")
        elif start and segment and _overlaps(self.promotion, segment, start, end):
            self.add_error("segment", "The promotion is linked to this segment at that time already.")
        return given


def _overlaps(promotion: Promotion, segment: Segment, start: Any, end: Any) -> bool:
    others = PromotionSegment.objects.filter(promotion=promotion, segment=segment)
    if end:
        others = others.filter(valid_from__lt=end)
    return others.exclude(valid_until__lte=start).exists()


class LinkEndForm(forms.ModelForm):
    """When a link ends. It may be moved while it lies ahead."""

    ends_at = ClockField(label="Ends", help_text="Empty: now.")

    class Meta:
        model = PromotionSegment
        fields: ClassVar[list[str]] = []

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        set_clock(self, self.instance.promotion.programme.time_zone, "ends_at")
        self.initial["ends_at"] = self.instance.valid_until

    def clean_ends_at(self) -> Any:
        now = timezone.now()
        end = self.cleaned_data["ends_at"] or now
        if end < now:
            raise forms.ValidationError("The end lies in the past.", code="in_the_past")
        others = PromotionSegment.objects.filter(
            promotion=self.instance.promotion_id,
            segment=self.instance.segment_id,
            valid_from__gt=self.instance.valid_from,
            valid_from__lt=end,
        )
        if others.exists():
            raise forms.ValidationError("Another link to this segment starts before that.", code="overlaps")
        return end
