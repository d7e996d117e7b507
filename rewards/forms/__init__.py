"""What staff fill in."""

from rewards.forms.categories import CategoryForm, category_form
from rewards.forms.comments import CommentForm, NeededCommentForm, ScheduleForm, StepForm, ValidateForm
from rewards.forms.files import CodesFileForm, GiftsFileForm, TrackingFileForm
from rewards.forms.gifts import GiftForm, gift_fieldsets, gift_form
from rewards.forms.issuers import IssuerForm, issuer_form
from rewards.forms.prices import PriceForm, price_form

__all__ = [
    "CategoryForm",
    "CodesFileForm",
    "CommentForm",
    "GiftForm",
    "GiftsFileForm",
    "IssuerForm",
    "NeededCommentForm",
    "PriceForm",
    "ScheduleForm",
    "StepForm",
    "TrackingFileForm",
    "ValidateForm",
    "category_form",
    "gift_fieldsets",
    "gift_form",
    "issuer_form",
    "price_form",
]
