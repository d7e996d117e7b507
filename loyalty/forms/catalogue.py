"""Tiers and products."""

from typing import ClassVar

from django import forms

from config.kernel.codes import code_validator
from loyalty.forms.fields import text
from loyalty.models import Product, Tier


class TierForm(forms.ModelForm):
    """A level of a programme; its multiplier comes with the terms."""

    code = text(max_length=64, validators=[code_validator], help_text="Its name for partners; never changes.")

    class Meta:
        model = Tier
        fields: ClassVar = ["programme", "code", "name", "rank"]

    def clean_rank(self) -> int:
        rank: int = self.cleaned_data["rank"]
        others = Tier.objects.exclude(pk=self.instance.pk)
        if self.instance.pk and others.filter(programme=self.instance.programme_id, rank=rank).exists():
            raise forms.ValidationError("Another tier of the programme has this rank.", code="taken")
        return rank


class ProductForm(forms.ModelForm):
    """A SKU of a programme."""

    class Meta:
        model = Product
        fields: ClassVar = ["programme", "sku", "name", "category", "brand"]
        help_texts: ClassVar = {
            "category": "Counts for lines that name none.",
            "brand": "Counts for lines that name none.",
        }
