"""What staff fill in."""

from rewards.forms.categories import CategoryForm, category_form
from rewards.forms.comments import CommentForm, NeededCommentForm, StepForm
from rewards.forms.files import CodesFileForm, GiftsFileForm, TrackingFileForm
from rewards.forms.gifts import GiftForm, gift_fieldsets, gift_form

__all__ = [
    "CategoryForm",
    "CodesFileForm",
    "CommentForm",
    "GiftForm",
    "GiftsFileForm",
    "NeededCommentForm",
    "StepForm",
    "TrackingFileForm",
    "category_form",
    "gift_fieldsets",
    "gift_form",
]
