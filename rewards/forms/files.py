"""Files that staff upload."""

from datetime import date

from django import forms
from django.core.validators import MaxValueValidator
from unfold.widgets import UnfoldAdminFileFieldWidget, UnfoldAdminTextInputWidget


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
    """A file with a column code, and how long its codes are good for."""

    file = forms.FileField(
        label="CSV or XLSX with a column code",
        help_text="All codes are taken, or none. They are encrypted, and no page shows them again.",
        widget=UnfoldAdminFileFieldWidget,
    )
    last_day = forms.DateField(
        label="Last day these codes are valid",
        required=False,
        validators=[MaxValueValidator(date(2999, 12, 31))],
        help_text="On the programme's clock. Empty: without end.",
        widget=UnfoldAdminTextInputWidget({"type": "date"}),
    )
