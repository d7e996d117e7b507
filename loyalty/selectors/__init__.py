"""Reads of loyalty; the programme comes first. They write nothing and show the settled view."""

from loyalty.answers import balance as figures_shown
from loyalty.answers import entries_shown, local, receipt
from loyalty.answers import ordered as metadata_shown
from loyalty.gather import (
    HEAD,
    HEAD_END,
    LOT,
    MEMBER,
    MEMBER_SIZE,
    OPEN_LOTS_AND,
    Head,
    Holding,
    base_params,
    head_of,
)
from loyalty.gather import holding_of as read_holding
from loyalty.records import EntryRow
from loyalty.selectors.events import event_shown, event_types_of
from loyalty.selectors.movements import (
    KINDS,
    ORDER_KINDS,
    STATUSES,
    Filters,
    Movement,
    all_movements,
    movements,
)
from loyalty.selectors.names import product_names, promotion_names, tier_names
from loyalty.selectors.offers import MemberOffer, member_offers
from loyalty.selectors.person import dossier_of, erasure_of
from loyalty.selectors.points import (
    Points,
    adjustment_shown,
    balance_shown,
    holding_of,
    points_in,
    points_of,
    settled,
)
from loyalty.selectors.products import product_of, products_of
from loyalty.selectors.promotions import (
    PromotionWords,
    promotion_by_code,
    promotion_links,
    promotion_words,
    promotions_of,
    promotions_open_now,
    promotions_open_to,
)
from loyalty.selectors.snapshot import Snapshot, snapshot_of
from loyalty.selectors.tiers import HeldTier, tier_changes, tier_in, tier_of
from loyalty.selectors.transactions import purchase_shown, transaction_shown

__all__ = [
    "HEAD",
    "HEAD_END",
    "KINDS",
    "LOT",
    "MEMBER",
    "MEMBER_SIZE",
    "OPEN_LOTS_AND",
    "ORDER_KINDS",
    "STATUSES",
    "EntryRow",
    "Filters",
    "Head",
    "HeldTier",
    "Holding",
    "MemberOffer",
    "Movement",
    "Points",
    "PromotionWords",
    "Snapshot",
    "adjustment_shown",
    "all_movements",
    "balance_shown",
    "base_params",
    "dossier_of",
    "entries_shown",
    "erasure_of",
    "event_shown",
    "event_types_of",
    "figures_shown",
    "head_of",
    "holding_of",
    "local",
    "member_offers",
    "metadata_shown",
    "movements",
    "points_in",
    "points_of",
    "product_names",
    "product_of",
    "products_of",
    "promotion_by_code",
    "promotion_links",
    "promotion_names",
    "promotion_words",
    "promotions_of",
    "promotions_open_now",
    "promotions_open_to",
    "purchase_shown",
    "read_holding",
    "receipt",
    "settled",
    "snapshot_of",
    "tier_changes",
    "tier_in",
    "tier_names",
    "tier_of",
    "transaction_shown",
]
