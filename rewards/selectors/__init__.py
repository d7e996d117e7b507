"""Reads of rewards; the programme comes first. They write nothing."""

from rewards.selectors.history import Told, history_all, history_page, movements_page, movements_told
from rewards.selectors.orders import (
    OwnOrder,
    languages_for,
    order_of_member,
    order_since,
    orders_of_member,
    redemption_shown,
)
from rewards.selectors.person import dossier_of, erasure_of, orders_under_way
from rewards.selectors.takers import taker_in, taker_of
from rewards.selectors.vouchers import pools_low, voucher_pdf

__all__ = [
    "OwnOrder",
    "Told",
    "dossier_of",
    "erasure_of",
    "history_all",
    "history_page",
    "languages_for",
    "movements_page",
    "movements_told",
    "order_of_member",
    "order_since",
    "orders_of_member",
    "orders_under_way",
    "pools_low",
    "redemption_shown",
    "taker_in",
    "taker_of",
    "voucher_pdf",
]
