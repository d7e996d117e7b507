"""Addresses of rewards, under /api/v1/."""

from django.urls import path

from rewards.api import views

urlpatterns = [
    path("members/<code:member>/history", views.HistoryView.as_view(), name="history"),
]
