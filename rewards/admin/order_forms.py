"""What staff say when they move orders and upload files."""

from django import forms
from unfold.forms import BaseDialogForm
from unfold.widgets import (
    UnfoldAdminFileFieldWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
)


class StepForm(BaseDialogForm):
    """A step of an order: why, and the parcel's number."""

    note = forms.CharField(max_length=500, required=False, widget=UnfoldAdminTextareaWidget)
    tracking = forms.CharField(
        label="Tracking number", max_length=100, required=False, widget=UnfoldAdminTextInputWidget
    )


class TrackingFileForm(forms.Form):
    """A file with the columns reference and tracking, of parcels that left."""

    file = forms.FileField(
        label="CSV or XLSX with the columns reference and tracking", widget=UnfoldAdminFileFieldWidget
    )


class GiftsFileForm(forms.Form):
    """A file of gifts, alone or in a ZIP with the pictures it names."""

    file = forms.FileField(
        label="CSV or XLSX with the columns of an export, or a ZIP of it and its pictures",
        help_text="A row names its gift by code; cells that read as they do in an export change nothing.",
        widget=UnfoldAdminFileFieldWidget,
    )


class CodesFileForm(forms.Form):
    """A file with a column code."""

    file = forms.FileField(label="CSV or XLSX with a column code", widget=UnfoldAdminFileFieldWidget)
