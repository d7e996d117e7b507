"""Segments: who is in which group."""

from django.apps import AppConfig


class SegmentsConfig(AppConfig):
    name = "segments"
