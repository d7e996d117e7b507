from loyalty.models.accounts import Account, Adjustment, Draw, Entry, Hold, Lot
from loyalty.models.events import Event, EventDevice, EventReversal, EventType
from loyalty.models.idempotency import IdempotencyKey
from loyalty.models.products import Product
from loyalty.models.promotions import (
    Promotion,
    PromotionBudget,
    PromotionSegment,
    PromotionUsage,
    PromotionVersion,
)
from loyalty.models.replays import Replay
from loyalty.models.rules import RulePart, Ruleset, RulesHead, TermsVersion
from loyalty.models.tiers import Tier, TierChange, TierRules, TierStanding
from loyalty.models.transactions import Reversal, Transaction

__all__ = [
    "Account",
    "Adjustment",
    "Draw",
    "Entry",
    "Event",
    "EventDevice",
    "EventReversal",
    "EventType",
    "Hold",
    "IdempotencyKey",
    "Lot",
    "Product",
    "Promotion",
    "PromotionBudget",
    "PromotionSegment",
    "PromotionUsage",
    "PromotionVersion",
    "Replay",
    "Reversal",
    "RulePart",
    "RulesHead",
    "Ruleset",
    "TermsVersion",
    "Tier",
    "TierChange",
    "TierRules",
    "TierStanding",
    "Transaction",
]
