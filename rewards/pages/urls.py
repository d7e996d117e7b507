"""Addresses of the member's pages, under /my/."""

from django.urls import path

from rewards.pages import gifts, history, home

urlpatterns = [
    path("", home.HomePage.as_view(), name="my-home"),
    path("history", history.HistoryPage.as_view(), name="my-history"),
    path("purchases/<code:reference>", history.PurchasePage.as_view(), name="my-purchase"),
    path("gifts", gifts.GiftsPage.as_view(), name="my-gifts"),
    path("gifts/<code:gift>", gifts.GiftPage.as_view(), name="my-gift"),
    path("segments", home.SegmentsPage.as_view(), name="my-segments"),
]
