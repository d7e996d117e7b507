"""The wiring as a Django app: it brings the commands that cross all apps, and no models."""

from django.apps import AppConfig


class ConfigConfig(AppConfig):
    name = "config"
    verbose_name = "Ristourne"
