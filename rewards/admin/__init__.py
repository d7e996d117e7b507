"""The back office of rewards: the catalogue and its validation, orders, pools of codes."""

from rewards.admin import categories, files, gifts, issuers, orders, pools, versions

__all__ = ["categories", "files", "gifts", "issuers", "orders", "pools", "versions"]
