"""Writes of rewards: the catalogue's categories, pictures, gifts and their validation."""

from rewards.lifecycle import Status
from rewards.services.catalogue_uploads import (
    catalogue_upload_confirm,
    catalogue_upload_create,
    catalogue_upload_drop,
    catalogue_upload_run,
    catalogue_uploads_forget,
)
from rewards.services.categories import category_create, category_update
from rewards.services.content import Content, Image, content_of
from rewards.services.deliveries import deliveries_forget
from rewards.services.erasure import member_erase
from rewards.services.gifts import (
    Terms,
    promotional_price_set,
    reward_create,
    reward_revise,
    reward_update,
    stock_set,
)
from rewards.services.head import catalogue_changed
from rewards.services.moves import MoveCommand, redemption_move, reservations_lapse
from rewards.services.pictures import picture_store
from rewards.services.pools import pool_create, pool_threshold, pool_upload
from rewards.services.redemptions import DeliveryTo, RedemptionCommand, redemption_order
from rewards.services.validation import (
    Outcome,
    reward_pause,
    reward_resume,
    reward_retire,
    version_request_changes,
    version_schedule,
    version_submit,
    version_validate,
    version_withdraw,
    versions_apply,
)
from rewards.services.vouchers import UseCommand, voucher_check, voucher_issuer_set, voucher_use

__all__ = [
    "Content",
    "DeliveryTo",
    "Image",
    "MoveCommand",
    "Outcome",
    "RedemptionCommand",
    "Status",
    "Terms",
    "UseCommand",
    "catalogue_changed",
    "catalogue_upload_confirm",
    "catalogue_upload_create",
    "catalogue_upload_drop",
    "catalogue_upload_run",
    "catalogue_uploads_forget",
    "category_create",
    "category_update",
    "content_of",
    "deliveries_forget",
    "member_erase",
    "picture_store",
    "pool_create",
    "pool_threshold",
    "pool_upload",
    "promotional_price_set",
    "redemption_move",
    "redemption_order",
    "reservations_lapse",
    "reward_create",
    "reward_pause",
    "reward_resume",
    "reward_retire",
    "reward_revise",
    "reward_update",
    "stock_set",
    "version_request_changes",
    "version_schedule",
    "version_submit",
    "version_validate",
    "version_withdraw",
    "versions_apply",
    "voucher_check",
    "voucher_issuer_set",
    "voucher_use",
]
