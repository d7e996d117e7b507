from rewards.models.catalogue import CatalogueHead, Category, Picture
from rewards.models.gifts import PromotionalPrice, Reward, RewardStep, RewardVersion, VersionPicture
from rewards.models.orders import Delivery, Move, Redemption
from rewards.models.uploads import CataloguePicture, CatalogueRow, CatalogueUpload
from rewards.models.vouchers import CodePool, PoolCode, Voucher, VoucherIssuer, VoucherUse

__all__ = [
    "CatalogueHead",
    "CataloguePicture",
    "CatalogueRow",
    "CatalogueUpload",
    "Category",
    "CodePool",
    "Delivery",
    "Move",
    "Picture",
    "PoolCode",
    "PromotionalPrice",
    "Redemption",
    "Reward",
    "RewardStep",
    "RewardVersion",
    "VersionPicture",
    "Voucher",
    "VoucherIssuer",
    "VoucherUse",
]
