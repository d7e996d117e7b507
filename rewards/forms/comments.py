"""What staff say when they decide on a version or move an order."""

from django import forms
from unfold.forms import BaseDialogForm
from unfold.widgets import UnfoldAdminTextareaWidget, UnfoldAdminTextInputWidget


class CommentForm(BaseDialogForm):
    """A decision with its reason."""

    comment = forms.CharField(
        label="Comment", required=False, widget=UnfoldAdminTextareaWidget({"rows": 3}), max_length=2000
    )


class NeededCommentForm(CommentForm):
    """A decision that has to say why."""

    comment = forms.CharField(
        label="What has to change", widget=UnfoldAdminTextareaWidget({"rows": 4}), max_length=2000
    )


class ScheduleForm(BaseDialogForm):
    """From when a version is shown."""

    live_at = forms.DateTimeField(
        label="Go live at",
        required=False,
        input_formats=["%Y-%m-%dT%H:%M"],
        help_text="On the programme's clock. Empty: at once, or when its own window begins.",
        widget=UnfoldAdminTextInputWidget({"type": "datetime-local"}),
    )


class ValidateForm(CommentForm, ScheduleForm):
    """The client's yes, and from when."""


class StepForm(BaseDialogForm):
    """A step of an order: why, and the parcel's number."""

    note = forms.CharField(max_length=500, required=False, widget=UnfoldAdminTextareaWidget)
    tracking = forms.CharField(
        label="Tracking number", max_length=100, required=False, widget=UnfoldAdminTextInputWidget
    )
