"""Addresses of the member's pages, under /my/."""

from django.urls import path

from rewards.pages import gifts, history, home, offers, orders, purchase

urlpatterns = [
    path("", home.HomePage.as_view(), name="my-home"),
    path("history.csv", history.HistoryFile.as_view(), name="my-history-csv"),
    path("history.pdf", history.HistoryPaper.as_view(), name="my-history-pdf"),
    path("history", history.HistoryPage.as_view(), name="my-history"),
    path("purchases/<code:reference>", purchase.PurchasePage.as_view(), name="my-purchase"),
    path("offers", offers.OffersPage.as_view(), name="my-offers"),
    path("offers/<code:promotion>", offers.OfferPage.as_view(), name="my-offer"),
    path("gifts", gifts.GiftsPage.as_view(), name="my-gifts"),
    path("gifts/<code:gift>", gifts.GiftPage.as_view(), name="my-gift"),
    path("gifts/<code:gift>/order", orders.OrderGiftPage.as_view(), name="my-gift-order"),
    path("orders", orders.OrdersPage.as_view(), name="my-orders"),
    path("orders/<code:reference>", orders.OrderPage.as_view(), name="my-order"),
    path("orders/<code:reference>/voucher.pdf", orders.VoucherPaper.as_view(), name="my-voucher"),
    path(
        "orders/<code:reference>/cancel",
        orders.OrderStep.as_view(),
        {"to": "cancelled"},
        name="my-order-cancel",
    ),
    path(
        "orders/<code:reference>/return",
        orders.OrderStep.as_view(),
        {"to": "return_requested"},
        name="my-order-return",
    ),
    path("segments", home.SegmentsPage.as_view(), name="my-segments"),
]
