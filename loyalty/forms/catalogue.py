"""Products."""

from typing import ClassVar

from django import forms

from loyalty.models import Product


class ProductForm(forms.ModelForm):
    """A SKU of a programme."""

    class Meta:
        model = Product
        fields: ClassVar = ["programme", "sku", "name", "category", "brand"]
        help_texts: ClassVar = {
            "category": "Counts for lines that name none.",
            "brand": "Counts for lines that name none.",
        }
