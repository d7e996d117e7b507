"""The back office of rewards."""

from rewards.admin import categories, gifts, versions

__all__ = ["categories", "gifts", "versions"]
