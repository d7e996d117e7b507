"""Loyalty in the back office: rules are changed by versions, points through services only."""

from loyalty.admin.accounts import AccountAdmin
from loyalty.admin.adjustments import AdjustmentAdmin
from loyalty.admin.catalogue import ProductAdmin
from loyalty.admin.event_types import EventTypeAdmin
from loyalty.admin.events import EventAdmin
from loyalty.admin.links import PromotionSegmentAdmin
from loyalty.admin.promotions import PromotionAdmin
from loyalty.admin.replays import ReplayAdmin
from loyalty.admin.terms import TermsVersionAdmin
from loyalty.admin.tiers import TierAdmin, TierRulesAdmin
from loyalty.admin.transactions import TransactionAdmin

__all__ = [
    "AccountAdmin",
    "AdjustmentAdmin",
    "EventAdmin",
    "EventTypeAdmin",
    "ProductAdmin",
    "PromotionAdmin",
    "PromotionSegmentAdmin",
    "ReplayAdmin",
    "TermsVersionAdmin",
    "TierAdmin",
    "TierRulesAdmin",
    "TransactionAdmin",
]
