"""Addresses of rewards, under /api/v1/."""

from django.urls import path

from rewards.api import catalogue, views

urlpatterns = [
    path("categories", catalogue.CategoriesView.as_view(), name="categories"),
    path("gifts", catalogue.GiftsView.as_view(), name="gifts"),
    path("gifts/<code:gift>", catalogue.GiftView.as_view(), name="gift"),
    path("members/<code:member>/history", views.HistoryView.as_view(), name="history"),
]
