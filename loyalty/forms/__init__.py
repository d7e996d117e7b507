"""Forms of the back office: what staff fill in becomes a rule or a command of a service."""

from loyalty.forms.adjustments import AdjustmentForm
from loyalty.forms.catalogue import ProductForm
from loyalty.forms.event_types import EVENT_TYPE_STEPS, EventTypeForm
from loyalty.forms.labels import LABEL, label_fields, with_labels
from loyalty.forms.links import LinkEndForm, LinkForm
from loyalty.forms.promotion_steps import PROMOTION_STEPS
from loyalty.forms.promotions import PromotionForm
from loyalty.forms.terms import TERMS_FIELDS, TermsForm
from loyalty.forms.tiers import TierForm, TierGrantForm, TierRulesForm
from loyalty.forms.trying import BasketForm, EventTryForm

__all__ = [
    "EVENT_TYPE_STEPS",
    "LABEL",
    "PROMOTION_STEPS",
    "TERMS_FIELDS",
    "AdjustmentForm",
    "BasketForm",
    "EventTryForm",
    "EventTypeForm",
    "LinkEndForm",
    "LinkForm",
    "ProductForm",
    "PromotionForm",
    "TermsForm",
    "TierForm",
    "TierGrantForm",
    "TierRulesForm",
    "label_fields",
    "with_labels",
]
