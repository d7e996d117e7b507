"""The menu of the back office, in the order in which a programme works: people, groups, earning, gifts."""

from typing import Any

from django.apps import apps
from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse

MENU: tuple[tuple[str, tuple[tuple[str, str, str], ...]], ...] = (
    (
        "Members",
        (
            ("members.member", "Members", "person"),
            ("loyalty.account", "Points", "account_balance_wallet"),
            ("loyalty.transaction", "Transactions", "receipt_long"),
            ("loyalty.event", "Events", "bolt"),
            ("loyalty.adjustment", "Adjustments", "tune"),
            ("members.membersession", "Sessions", "devices"),
        ),
    ),
    (
        "Groups",
        (
            ("segments.segment", "Segments", "groups"),
            ("segments.membership", "Memberships", "group_add"),
            ("segments.pin", "Pins", "push_pin"),
            ("segments.upload", "Files of members", "upload_file"),
        ),
    ),
    (
        "Earning",
        (
            ("loyalty.promotion", "Promotions", "sell"),
            ("loyalty.replay", "Replays", "replay"),
            ("loyalty.eventtype", "Event types", "category"),
            ("loyalty.tier", "Tiers", "military_tech"),
            ("loyalty.tierrules", "Tier rules", "rule"),
            ("loyalty.termsversion", "Terms", "gavel"),
            ("loyalty.product", "Products", "inventory_2"),
        ),
    ),
    (
        "Gifts",
        (
            ("rewards.reward", "Gifts", "redeem"),
            ("rewards.rewardversion", "To validate", "fact_check"),
            ("rewards.category", "Categories", "account_tree"),
            ("rewards.redemption", "Gift orders", "local_shipping"),
            ("rewards.codepool", "Pools of codes", "confirmation_number"),
            ("rewards.catalogueupload", "Catalogue files", "upload_file"),
            ("rewards.voucherissuer", "Voucher issuers", "storefront"),
        ),
    ),
    (
        "Set-up",
        (
            ("members.programme", "Programmes", "loyalty"),
            ("members.programmelanguage", "Languages", "translate"),
            ("members.consentpurpose", "Consents", "handshake"),
            ("members.partner", "Partners", "key"),
            ("auth.user", "Staff", "badge"),
            ("auth.group", "Permission groups", "shield_person"),
        ),
    ),
)
"""Title of a group, and its pages: model, title, symbol. What is registered and not here closes the menu."""


def navigation(request: HttpRequest) -> list[dict[str, Any]]:
    """The menu as this user may see it."""
    named = {label for _, pages in MENU for label, _, _ in pages}
    rest = tuple(
        (model._meta.label_lower, str(model._meta.verbose_name_plural).capitalize(), "settings")
        for model in admin.site._registry
        if model._meta.label_lower not in named
    )
    groups = [_group(request, title, pages) for title, pages in (*MENU, ("Installation", rest))]
    start = {"title": "Overview", "icon": "dashboard", "link": reverse("admin:index")}
    return [{"items": [start]}, *(group for group in groups if group["items"])]


def _group(request: HttpRequest, title: str, pages: tuple[tuple[str, str, str], ...]) -> dict[str, Any]:
    items = []
    for label, name, symbol in pages:
        model = apps.get_model(label)
        page = admin.site._registry[model]
        if page.has_module_permission(request) and page.has_view_permission(request):
            link = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
            items.append({"title": name, "icon": symbol, "link": link})
    return {"title": title, "items": items, "separator": True, "collapsible": title == "Installation"}
