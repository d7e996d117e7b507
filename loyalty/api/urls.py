"""Addresses of loyalty, under /api/v1/."""

from django.urls import path

from loyalty.api import accounts, events, me, members, products, promotions, views

urlpatterns = [
    path("transactions", views.TransactionsView.as_view(), name="transactions"),
    path("basket-evaluations", views.EvaluationsView.as_view(), name="basket-evaluations"),
    path("promotions", promotions.PromotionsView.as_view(), name="promotions"),
    path(
        "promotions/<code:promotion>/segments",
        promotions.PromotionSegmentsView.as_view(),
        name="promotion-segments",
    ),
    path(
        "promotions/<code:promotion>/segments/<code:segment>",
        promotions.PromotionSegmentView.as_view(),
        name="promotion-segment",
    ),
    path("transactions/batch", views.BatchView.as_view(), name="transactions-batch"),
    path("transactions/<code:reference>", views.TransactionView.as_view(), name="transaction"),
    path("transactions/<code:reference>/reversals", views.ReversalsView.as_view(), name="reversals"),
    path("members", members.MembersView.as_view(), name="members"),
    path("members/<code:member>", members.MemberView.as_view(), name="member"),
    path("members/<code:member>/balance", accounts.BalanceView.as_view(), name="balance"),
    path("members/<code:member>/adjustments", accounts.AdjustmentsView.as_view(), name="adjustments"),
    path(
        "members/<code:member>/adjustments/<code:reference>",
        accounts.AdjustmentView.as_view(),
        name="adjustment",
    ),
    path("events", events.EventsView.as_view(), name="events"),
    path("events/<code:reference>", events.EventView.as_view(), name="event"),
    path("events/<code:reference>/reversals", events.EventReversalsView.as_view(), name="event-reversals"),
    path("event-types", events.EventTypesView.as_view(), name="event-types"),
    path("products", products.ProductsView.as_view(), name="products"),
    path("products/<code:sku>", products.ProductView.as_view(), name="product"),
    path("me", me.MeView.as_view(), name="me"),
]
