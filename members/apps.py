"""Members: someone takes part."""

from django.apps import AppConfig


class MembersConfig(AppConfig):
    name = "members"
