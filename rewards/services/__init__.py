"""Writes of rewards: the catalogue's categories, pictures, gifts and their validation."""

from rewards.services.categories import category_create, category_update
from rewards.services.content import Content, Image, content_of
from rewards.services.gifts import (
    Terms,
    promotional_price_set,
    reward_create,
    reward_revise,
    reward_update,
    stock_set,
)
from rewards.services.head import catalogue_changed
from rewards.services.pictures import picture_store
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

__all__ = [
    "Content",
    "Image",
    "Outcome",
    "Terms",
    "catalogue_changed",
    "category_create",
    "category_update",
    "content_of",
    "picture_store",
    "promotional_price_set",
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
]
