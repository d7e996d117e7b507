from django.apps import AppConfig


class RewardsConfig(AppConfig):
    """What points are spent on, and the history in which everything comes together."""

    name = "rewards"
