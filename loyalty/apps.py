from django.apps import AppConfig


class LoyaltyConfig(AppConfig):
    """Promotions, the points engine, the ledger and transactions."""

    name = "loyalty"
