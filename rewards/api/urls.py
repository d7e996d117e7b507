"""Addresses of rewards, under /api/v1/."""

from django.urls import path

from rewards.api import catalogue, orders, promotional, views

urlpatterns = [
    path("categories", catalogue.CategoriesView.as_view(), name="categories"),
    path("gifts", catalogue.GiftsView.as_view(), name="gifts"),
    path("gifts/<code:gift>", catalogue.GiftView.as_view(), name="gift"),
    path("redemptions", orders.RedemptionsView.as_view(), name="redemptions"),
    path("redemptions/<code:reference>", orders.RedemptionView.as_view(), name="redemption"),
    path("redemptions/<code:reference>/confirm", orders.ConfirmView.as_view(), name="redemption-confirm"),
    path("redemptions/<code:reference>/cancel", orders.CancelView.as_view(), name="redemption-cancel"),
    path("redemptions/<code:reference>/status", orders.StatusView.as_view(), name="redemption-status"),
    path("vouchers/check", orders.VoucherCheckView.as_view(), name="voucher-check"),
    path("vouchers/use", orders.VoucherUseView.as_view(), name="voucher-use"),
    path(
        "members/<code:member>/promotional-products",
        promotional.PromotionalProductsView.as_view(),
        name="promotional-products",
    ),
    path("members/<code:member>/history", views.HistoryView.as_view(), name="history"),
]
