"""Writes of loyalty, one function each; every one that moves points posts through `loyalty.apply`."""

from loyalty.apply import Call, Stale
from loyalty.events.rules import Cooldown, EventRule
from loyalty.idempotency import Write
from loyalty.ledger import Part
from loyalty.records import LineRow
from loyalty.rules import Cap, ProductSetRule, PromotionDraft, PromotionRule, TermsRule
from loyalty.services.adjustments import AdjustmentCommand, adjustment_decide, adjustment_post
from loyalty.services.baskets import BasketCommand, check_member, check_not_erased, check_programme
from loyalty.services.batches import transactions_earn
from loyalty.services.erasure import account_lock, member_erase
from loyalty.services.evaluations import basket_evaluate
from loyalty.services.event_evaluations import EventCommand, event_preview
from loyalty.services.event_outcomes import EventReversalCommand, event_decide, event_reverse
from loyalty.services.event_types import event_type_save
from loyalty.services.events import event_post
from loyalty.services.products import ProductRow, product_put, products_put
from loyalty.services.promotions import (
    needs_second_person,
    promotion_draft_discard,
    promotion_draft_publish,
    promotion_draft_save,
    promotion_end,
    promotion_pause,
    promotion_publish,
    promotion_resume,
    promotion_void,
)
from loyalty.services.replays import replay_again, replay_ask, replay_cancel, replay_draft, replay_run
from loyalty.services.reversals import ReversalCommand, transaction_reverse
from loyalty.services.rules import (
    promotion_link,
    promotion_link_end,
    promotion_link_put,
    promotion_unlink,
    rules_publish,
    terms_set,
)
from loyalty.services.settling import accounts_settle, keys_forget
from loyalty.services.spending import (
    Moved,
    Order,
    account_expect,
    account_settle,
    points_confirm,
    points_give_back,
    points_hold,
    points_redeem,
    points_release,
)
from loyalty.services.tier_reviews import tiers_review
from loyalty.services.tiers import (
    tier_create,
    tier_grant,
    tier_grant_end,
    tier_rules_set,
    tier_update,
)
from loyalty.services.transactions import transaction_earn
from loyalty.services.writes import answer, conclude, is_final, known, refused, repeat

__all__ = [
    "AdjustmentCommand",
    "BasketCommand",
    "Call",
    "Cap",
    "Cooldown",
    "EventCommand",
    "EventReversalCommand",
    "EventRule",
    "LineRow",
    "Moved",
    "Order",
    "Part",
    "ProductRow",
    "ProductSetRule",
    "PromotionDraft",
    "PromotionRule",
    "ReversalCommand",
    "Stale",
    "TermsRule",
    "Write",
    "account_expect",
    "account_lock",
    "account_settle",
    "accounts_settle",
    "adjustment_decide",
    "adjustment_post",
    "answer",
    "basket_evaluate",
    "check_member",
    "check_not_erased",
    "check_programme",
    "conclude",
    "event_decide",
    "event_post",
    "event_preview",
    "event_reverse",
    "event_type_save",
    "is_final",
    "keys_forget",
    "known",
    "member_erase",
    "needs_second_person",
    "points_confirm",
    "points_give_back",
    "points_hold",
    "points_redeem",
    "points_release",
    "product_put",
    "products_put",
    "promotion_draft_discard",
    "promotion_draft_publish",
    "promotion_draft_save",
    "promotion_end",
    "promotion_link",
    "promotion_link_end",
    "promotion_link_put",
    "promotion_pause",
    "promotion_publish",
    "promotion_resume",
    "promotion_unlink",
    "promotion_void",
    "refused",
    "repeat",
    "replay_again",
    "replay_ask",
    "replay_cancel",
    "replay_draft",
    "replay_run",
    "rules_publish",
    "terms_set",
    "tier_create",
    "tier_grant",
    "tier_grant_end",
    "tier_rules_set",
    "tier_update",
    "tiers_review",
    "transaction_earn",
    "transaction_reverse",
    "transactions_earn",
]
