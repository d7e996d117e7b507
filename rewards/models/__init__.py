from rewards.models.catalogue import CatalogueHead, Category, Picture
from rewards.models.gifts import PromotionalPrice, Reward, RewardStep, RewardVersion, VersionPicture

__all__ = [
    "CatalogueHead",
    "Category",
    "Picture",
    "PromotionalPrice",
    "Reward",
    "RewardStep",
    "RewardVersion",
    "VersionPicture",
]
