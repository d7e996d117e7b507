"""The back office of loyalty: staff stay in their programmes, rules become versions, points go through services."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth import get_user_model
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from loyalty.errors import RuleRefused
from loyalty.models import (
    Account,
    Adjustment,
    Draw,
    Entry,
    Lot,
    Product,
    Promotion,
    PromotionSegment,
    RulePart,
    RulesHead,
    TermsVersion,
    Tier,
    Transaction,
)
from loyalty.rules import Cap, ProductSetRule, PromotionRule
from loyalty.services import promotion_link, tier_create, tier_update
from members.models import Member, Programme
from segments.models import Segment
from segments.services import segment_create
from tests.factories import LONG_AGO, ApiClient, MemberFactory
from tests.loyalty.desks import BACKEND, CONFIRMED, adding, errors, page, texts
from tests.loyalty.worlds import MONDAY, adjust, balance, earn, euros, publish, simple_terms
from tests.loyalty.worlds import reverse as take_back

REFERENCE = "staff-00000000-0000-4000-8000-00000000000"
LEDGER = (Account, Transaction, Adjustment)
pytestmark = pytest.mark.django_db

RULE: dict[str, Any] = {"effect": "fixed", "value": "25", "priority": "100"}
"""What the form of a promotion needs at least."""


def published(promotion: Promotion) -> dict[str, Any]:
    """The part of the promotion's version in force."""
    version = promotion.versions.get(valid_until=None)
    return RulePart.objects.get(programme=promotion.programme, hash=version.part).body


def ledger_rows(till: ApiClient, ada: Member) -> dict[Any, Any]:
    """One row of each ledger page."""
    ada.programme.approval_limit = 100
    ada.programme.save()
    assert earn(till, "POS-1").status_code == 201
    assert adjust(till, ada.number, 500, "ADJ-WAITS").status_code == 202
    return {model: model.objects.get() for model in LEDGER}


# --- Who sees what -------------------------------------------------------------------------------------


def test_staff_see_the_ledger_of_their_programmes(
    desk: Client, root: Client, club: Segment, till: ApiClient, ada: Member
) -> None:
    for model, row in ledger_rows(till, ada).items():
        for client in (desk, root):
            assert b"10042" in client.get(page(model)).content
            assert b"10042" in client.get(page(model, row)).content


def test_staff_of_another_programme_see_nothing(
    stranger: Client, club: Segment, till: ApiClient, ada: Member
) -> None:
    for model, row in ledger_rows(till, ada).items():
        for query in ("", "?q=10042", "?q=POS-1", "?q=ADJ-WAITS", f"?programme={ada.programme_id}"):
            answer = stranger.get(page(model) + query)
            assert list(answer.context["cl"].result_list) == []
            assert b"choco-club" not in answer.content.lower()
        assert stranger.get(page(model, row)).status_code == 302
    for row in (Promotion.objects.first(), TermsVersion.objects.get(), Tier.objects.get(), link_of(club)):
        assert row is not None
        assert stranger.get(page(type(row), row)).status_code == 302
        assert stranger.post(page(type(row), row), {"name": "mine", **RULE}).status_code in {302, 403}
        assert b"choco-club" not in stranger.get(page(type(row))).content.lower()


def link_of(segment: Segment) -> PromotionSegment:
    return PromotionSegment.objects.get(segment=segment)


def test_staff_of_another_programme_act_on_nothing(
    stranger: Client, club: Segment, till: ApiClient, ada: Member
) -> None:
    rows = ledger_rows(till, ada)
    promotion = Promotion.objects.get(code="PR-CHOC3X")
    for name, row in (
        ("promotion_pause", promotion),
        ("promotion_void_last", promotion),
        ("account_verify", rows[Account]),
        ("account_adjust", rows[Account]),
        ("adjustment_approve", rows[Adjustment]),
        ("adjustment_refuse", rows[Adjustment]),
    ):
        assert stranger.post(reverse(f"admin:loyalty_{name}", args=[row.pk]), CONFIRMED).status_code == 404
    chosen = {"action": "approve_chosen", "_selected_action": [rows[Adjustment].pk]}
    stranger.post(page(Adjustment) + "?status=all", chosen)
    assert promotion.versions.filter(valid_until=None).exists()
    assert Adjustment.objects.get().status == "waiting"


@pytest.mark.parametrize("identifier", ["no-such-id", "0", "999999999999999999999999"])
def test_an_id_that_is_none_is_not_found(desk: Client, identifier: str) -> None:
    for name in ("promotion_pause", "account_verify", "adjustment_approve"):
        assert desk.post(reverse(f"admin:loyalty_{name}", args=[identifier]), CONFIRMED).status_code == 404
    for model in LEDGER:
        address = reverse(f"admin:loyalty_{model._meta.model_name}_change", args=[identifier])
        assert desk.get(address).status_code == 302


@pytest.mark.parametrize("model", LEDGER, ids=lambda model: model.__name__)
def test_nobody_writes_ledger_rows(
    root: Client, club: Segment, till: ApiClient, ada: Member, model: Any
) -> None:
    row = ledger_rows(till, ada)[model]
    before = model.objects.values().get()
    assert root.post(adding(model), {"points": "1000"}).status_code == 403
    assert root.post(page(model, row), {"points": "1000", "available": "1000"}).status_code == 403
    delete = reverse(f"admin:loyalty_{model._meta.model_name}_delete", args=[row.pk])
    assert root.post(delete, {"post": "yes"}).status_code == 403
    root.post(page(model), {"action": "delete_selected", "_selected_action": [row.pk], "post": "yes"})
    assert model.objects.values().get() == before


def test_rows_with_two_keys_have_no_pages() -> None:
    assert {Entry, Lot, Draw}.isdisjoint(admin.site._registry)


@pytest.mark.parametrize(
    "model",
    [Account, Adjustment, Product, Promotion, TermsVersion, Tier, Transaction],
    ids=lambda x: x.__name__,
)
def test_empty_lists_open(desk: Client, model: Any) -> None:
    assert b"Nothing here yet" in desk.get(page(model)).content
    assert desk.get(page(model) + "?q=x").status_code == 200


# --- Products and tiers --------------------------------------------------------------------------------


def test_products(desk: Client, programme: Programme, eve: ApiClient) -> None:
    form = {
        "programme": programme.pk,
        "sku": "CHOC-1",
        "name": "Praline",
        "category": "chocolate",
        "brand": "",
    }
    assert desk.post(adding(Product), form).status_code == 302
    product = Product.objects.get()
    desk.post(page(Product, product), {"name": "Praline", "category": "sweets", "brand": "Neuhaus"})
    product.refresh_from_db()
    assert (product.sku, product.category, product.brand) == ("CHOC-1", "sweets", "Neuhaus")
    assert errors(desk.post(adding(Product), form))
    foreign = desk.post(adding(Product), form | {"programme": eve.partner.programme_id, "sku": "X"})
    assert "programme" in errors(foreign)
    assert Product.objects.count() == 1


def test_tiers(desk: Client, programme: Programme) -> None:
    for code, rank in (("SILVER", 1), ("GOLD", 2)):
        form = {"programme": programme.pk, "code": code, "name": code.title(), "rank": rank}
        assert desk.post(adding(Tier), form).status_code == 302
    gold = Tier.objects.get(code="GOLD")
    assert "rank" in errors(desk.post(page(Tier, gold), {"name": "Gold", "rank": "1"}))
    desk.post(page(Tier, gold), {"name": "Or", "rank": "3"})
    gold.refresh_from_db()
    assert (gold.code, gold.name, gold.rank) == ("GOLD", "Or", 3)


def test_a_tier_is_named_for_members(desk: Client, programme: Programme) -> None:
    gold = tier_create(programme=programme, code="GOLD", name="Gold", rank=1, threshold=500)
    shown = desk.get(page(Tier, gold)).context["adminform"].form.fields
    assert [name for name in shown if name.startswith("label_")] == ["label_fr", "label_nl-BE"]
    desk.post(page(Tier, gold), {"name": "Gold", "rank": "1", "threshold": "500", "label_fr": " Or "})
    gold.refresh_from_db()
    assert (gold.labels, gold.threshold) == ({"fr": "Or"}, 500)
    desk.post(page(Tier, gold), {"name": "Gold", "rank": "1", "label_fr": "Or", "label_nl-BE": "Goud"})
    gold.refresh_from_db()
    assert gold.labels == {"fr": "Or", "nl-BE": "Goud"}
    assert gold.history.count() == 3
    with pytest.raises(RuleRefused):
        tier_update(tier=gold, name="Gold", rank=1, labels={"de": "Gold"})


# --- Terms ---------------------------------------------------------------------------------------------

TERMS = {
    "earn_rate": "2",
    "rounding": "half_up",
    "delay_days": "7",
    "lifetime_months": "24",
    "lifetime_end": "month",
    "tier_SILVER": "1.25",
}


def test_terms_start_from_those_in_force(desk: Client, club: Segment) -> None:
    form = desk.get(adding(TermsVersion)).context["adminform"].form
    shown = {name: form[name].value() for name in form.fields}
    assert shown == {
        "earn_rate": "1",
        "rounding": "floor",
        "delay_days": 14,
        "lifetime_months": 12,
        "lifetime_end": "year",
        "tier_SILVER": "1.5",
    }


def test_saved_terms_are_a_new_version(desk: Client, club: Segment, till: ApiClient) -> None:
    first = TermsVersion.objects.get()
    assert desk.post(adding(TermsVersion), TERMS).status_code == 302
    first.refresh_from_db()
    second = TermsVersion.objects.get(valid_until=None)
    assert first.valid_until == second.valid_from == MONDAY
    body = RulePart.objects.get(hash=second.part).body
    assert (body["earn_rate"], body["rounding"], body["delay_days"]) == ("2", "half_up", 7)
    assert (body["lifetime"], body["tiers"]) == ({"months": 24, "end": "month"}, {"SILVER": "1.25"})
    answer = earn(till, "POS-1", **euros("10.00"), occurred_at=MONDAY.isoformat())
    assert answer.json()["points"] == 25
    listed = desk.get(page(TermsVersion)).content.decode()
    assert "until 23 Nov 2026 10:15" in listed
    assert "2 per EUR" in desk.get(page(TermsVersion, second)).content.decode()


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("earn_rate", "-1"),
        ("earn_rate", "0.00001"),
        ("delay_days", "99999"),
        ("lifetime_months", "0"),
        ("tier_SILVER", "0.5"),
        ("rounding", "sideways"),
    ],
)
def test_wrong_terms_are_told_at_their_field(desk: Client, club: Segment, field: str, value: str) -> None:
    assert list(errors(desk.post(adding(TermsVersion), TERMS | {field: value}))) == [field]
    assert TermsVersion.objects.count() == 1


def test_terms_are_never_changed(root: Client, club: Segment) -> None:
    version = TermsVersion.objects.get()
    assert root.post(page(TermsVersion, version), TERMS).status_code == 403
    version.refresh_from_db()
    assert version.valid_until is None


def test_staff_of_many_programmes_choose_one_first(
    root: Client, stranger: Client, programme: Programme, eve: ApiClient
) -> None:
    choice = root.get(adding(TermsVersion)).content.decode()
    assert f"?programme={programme.pk}" in choice
    assert f"?programme={eve.partner.programme_id}" in choice
    assert (
        root.get(adding(TermsVersion, programme=programme.pk)).context["adminform"].form.programme
        == programme
    )
    forced = stranger.post(adding(TermsVersion, programme=programme.pk), TERMS)
    assert b"choco-club" not in forced.content
    assert not TermsVersion.objects.exists()


# --- Promotions ----------------------------------------------------------------------------------------

FULL: dict[str, Any] = {
    "_publish": "1",
    "code": "PR-ALL",
    "name": "Everything at once",
    "starts_at": "2026-11-23T10:00",
    "ends_at": "2026-12-24T18:30",
    "weekdays": ["5", "6"],
    "hours_from": "17:00",
    "hours_until": "02:00",
    "tiers": ["SILVER"],
    "first": "on",
    "birthday_days": "7",
    "categories": "chocolate\ncoffee, tea",
    "brands": "Neuhaus",
    "skus": "",
    "channels": "web",
    "stores": "BXL-01\nANT-02",
    "minimum_amount": "20.00",
    "minimum_quantity": "2",
    "effect": "per_item",
    "value": "5.5",
    "qualifying": "on",
    "cap_transaction_points": "500",
    "cap_month_points": "2000",
    "cap_month_uses": "10",
    "cap_budget_points": "100000",
    "exclusivity_group": "autumn",
    "priority": "10",
}
EXPECTED = PromotionRule(
    effect="per_item",
    value="5.5",
    priority=10,
    starts_at=datetime(2026, 11, 23, 9, tzinfo=UTC),
    ends_at=datetime(2026, 12, 24, 17, 30, tzinfo=UTC),
    weekdays=(5, 6),
    hours=("17:00", "02:00"),
    tiers=("SILVER",),
    first=True,
    birthday_days=7,
    products=ProductSetRule(categories=("chocolate", "coffee", "tea"), brands=("Neuhaus",)),
    channels=("web",),
    stores=("ANT-02", "BXL-01"),
    minimum_amount="20.00",
    minimum_quantity="2",
    caps={"transaction": Cap("500"), "month": Cap("2000", 10), "budget": Cap("100000")},
    exclusivity_group="autumn",
    qualifying=True,
)


def rule_in_force(promotion: Promotion) -> PromotionRule:
    body = published(promotion)
    products = RulePart.objects.filter(hash=body["products"]).first()
    return PromotionRule.from_part(body, products.body if products else None)


def as_posted(client: Client, promotion: Promotion) -> dict[str, Any]:
    """The form of a promotion as a browser would send it back unchanged."""
    form = client.get(page(Promotion, promotion)).context["adminform"].form
    values = {name: form[name].value() for name in form.fields}
    values = {name: value for name, value in values.items() if value not in (None, False, "")}
    return {"_publish": "1"} | values


def test_a_promotion_with_everything(desk: Client, club: Segment) -> None:
    assert desk.post(adding(Promotion), FULL).status_code == 302
    assert rule_in_force(Promotion.objects.get(code="PR-ALL")) == EXPECTED


def test_the_form_starts_from_the_version_in_force(desk: Client, club: Segment) -> None:
    desk.post(adding(Promotion), FULL)
    promotion = Promotion.objects.get(code="PR-ALL")
    before = promotion.versions.get()
    posted = as_posted(desk, promotion)
    assert (posted["starts_at"], posted["hours_until"]) == ("2026-11-23T10:00", "02:00")
    assert desk.post(page(Promotion, promotion), posted).status_code == 302
    assert promotion.versions.get() == before
    assert rule_in_force(promotion) == EXPECTED


def test_a_change_is_a_new_version(desk: Client, club: Segment, till: ApiClient) -> None:
    promotion = Promotion.objects.get(code="PR-CHOC3X")
    posted = as_posted(desk, promotion) | {"value": "5", "name": "Chocolate times five"}
    assert desk.post(page(Promotion, promotion), posted).status_code == 302
    first, second = promotion.versions.order_by("id")
    assert first.valid_until == second.valid_from == MONDAY
    assert published(promotion)["effect"] == {"type": "multiplier", "value": "5"}
    promotion.refresh_from_db()
    assert (promotion.code, promotion.name) == ("PR-CHOC3X", "Chocolate times five")
    shown = desk.get(page(Promotion, promotion)).content.decode()
    assert "until 23 Nov 2026 10:15" in shown
    assert "base points × 3" in shown
    assert "base points × 5" in shown
    assert earn(till, "POS-1", occurred_at=MONDAY.isoformat()).json()["points"] == 67 + 100


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("value", "0"),
        ("value", "-3"),
        ("value", "1.00001"),
        ("value", "many"),
        ("effect", "gift"),
        ("ends_at", "2026-11-01T00:00"),
        ("starts_at", "yesterday"),
        ("weekdays", ["9"]),
        ("hours_from", "25:00"),
        ("birthday_days", "400"),
        ("tiers", ["PLATINUM"]),
        ("minimum_amount", "-1"),
        ("minimum_quantity", "0.0000001"),
        ("cap_month_points", "-5"),
        ("cap_month_uses", "-1"),
        ("cap_budget_points", "0.00001"),
        ("code", ".hidden"),
        ("code", "PR-CHOC3X"),
    ],
)
def test_a_wrong_rule_is_told_at_its_field(desk: Client, club: Segment, field: str, value: Any) -> None:
    assert list(errors(desk.post(adding(Promotion), FULL | {field: value}))) == [field]
    assert not Promotion.objects.filter(code="PR-ALL").exists()
    assert Promotion.objects.get(code="PR-CHOC3X").versions.count() == 1


def test_a_multiplier_below_one_is_told_at_the_value(desk: Client, club: Segment) -> None:
    form = {"code": "PR-X", "name": "X", **RULE, "effect": "multiplier", "value": "0.5"}
    assert errors(desk.post(adding(Promotion), form)) == {"value": ["A multiplier is at least 1."]}


def test_who_looked_at_an_older_version_looks_again(desk: Client, second: Client, club: Segment) -> None:
    promotion = Promotion.objects.get(code="PR-CHOC3X")
    carols, daves = as_posted(desk, promotion), as_posted(second, promotion)
    desk.post(page(Promotion, promotion), carols | {"value": "4"})
    assert "Somebody changed" in str(errors(second.post(page(Promotion, promotion), daves | {"value": "9"})))
    assert published(promotion)["effect"]["value"] == "4"


def test_pausing_and_starting_again(desk: Client, club: Segment) -> None:
    promotion = Promotion.objects.get(code="PR-CHOC3X")
    head = RulesHead.objects.get().version
    pause = reverse("admin:loyalty_promotion_pause", args=[promotion.pk])
    assert desk.get(pause).status_code == 200
    assert promotion.versions.filter(valid_until=None).exists()
    desk.post(pause, CONFIRMED)
    assert promotion.versions.get().valid_until == MONDAY
    assert RulesHead.objects.get().version == head + 1
    assert b"Paused" in desk.get(page(Promotion)).content
    desk.post(reverse("admin:loyalty_promotion_resume", args=[promotion.pk]), CONFIRMED)
    assert published(promotion)["effect"] == {"type": "multiplier", "value": "3"}


def test_voiding_the_last_version(desk: Client, club: Segment, till: ApiClient) -> None:
    promotion = Promotion.objects.get(code="PR-CHOC3X")
    desk.post(reverse("admin:loyalty_promotion_void_last", args=[promotion.pk]), CONFIRMED)
    assert promotion.versions.get().is_voided
    assert earn(till, "POS-1").json()["points"] == 67
    shown = desk.get(page(Promotion, promotion)).content
    assert b"Voided" in shown
    again = reverse("admin:loyalty_promotion_void_last", args=[promotion.pk])
    assert desk.post(again, CONFIRMED).status_code == 404


# --- Segment links -------------------------------------------------------------------------------------


def test_linking_a_segment(desk: Client, club: Segment, till: ApiClient) -> None:
    promotion = Promotion.objects.get(code="PR-50EUR")
    form = {"segment": club.pk, "mode": "exclude", "valid_from": "2026-01-01T00:00", "valid_until": ""}
    answer = desk.post(adding(PromotionSegment, promotion=promotion.pk), form)
    assert answer.url == page(Promotion, promotion)
    link = promotion.links.get()
    assert (link.mode, link.valid_from) == ("exclude", datetime(2025, 12, 31, 23, tzinfo=UTC))
    not_applied = earn(till, "POS-1", **euros("60.00")).json()["not_applied"]
    assert {"rule": "PR-50EUR", "code": "excluded_segment"} in not_applied
    assert b"vip-bxl" in desk.get(page(Promotion, promotion)).content
    assert list(errors(desk.post(adding(PromotionSegment, promotion=promotion.pk), form))) == ["segment"]
    backwards = form | {"valid_from": "2025-05-01T00:00", "valid_until": "2025-04-01T00:00"}
    assert list(errors(desk.post(adding(PromotionSegment, promotion=promotion.pk), backwards))) == [
        "valid_until"
    ]


def test_a_link_cannot_leave_its_programme(
    desk: Client, root: Client, stranger: Client, club: Segment, eve: ApiClient
) -> None:
    foreign = segment_create(programme=eve.partner.programme, code="tea-lovers", name="Tea lovers")
    promotion = Promotion.objects.get(code="PR-50EUR")
    form = {"segment": foreign.pk, "mode": "include"}
    for client in (desk, root):
        assert "segment" in errors(client.post(adding(PromotionSegment, promotion=promotion.pk), form))
    mine = form | {"segment": club.pk}
    assert stranger.post(adding(PromotionSegment, promotion=promotion.pk), mine).status_code == 403
    assert desk.post(adding(PromotionSegment), mine).status_code == 403
    assert not promotion.links.exists()


def test_ending_a_link_keeps_it(desk: Client, club: Segment, till: ApiClient) -> None:
    link, head = link_of(club), RulesHead.objects.get().version
    assert list(errors(desk.post(page(PromotionSegment, link), {"ends_at": "2026-11-01T00:00"}))) == [
        "ends_at"
    ]
    answer = desk.post(page(PromotionSegment, link), {"ends_at": "", "mode": "exclude"})
    assert answer.url == page(Promotion, link.promotion)
    link.refresh_from_db()
    assert (link.valid_until, link.mode) == (MONDAY, "include")
    assert RulesHead.objects.get().version == head + 1
    assert earn(till, "POS-1", occurred_at=MONDAY.isoformat()).json()["points"] == 67
    assert earn(till, "POS-2").json()["points"] == 117
    assert desk.post(page(PromotionSegment, link), {"ends_at": "2027-01-01T00:00"}).status_code == 403


def test_an_end_ahead_may_be_moved_until_the_next_link(desk: Client, club: Segment) -> None:
    link = link_of(club)
    promotion_link(
        promotion=Promotion.objects.get(code="PR-50EUR"), segment=club, mode="include", valid_from=LONG_AGO
    )
    desk.post(page(PromotionSegment, link), {"ends_at": "2026-12-24T00:00"})
    link.refresh_from_db()
    promotion_link(
        promotion=link.promotion, segment=club, mode="include", valid_from=datetime(2027, 1, 1, tzinfo=UTC)
    )
    assert desk.post(page(PromotionSegment, link), {"ends_at": "2026-12-30T00:00"}).status_code == 302
    late = desk.post(page(PromotionSegment, link), {"ends_at": "2027-06-01T00:00"})
    assert list(errors(late)) == ["ends_at"]
    link.refresh_from_db()
    assert link.valid_until == datetime(2026, 12, 29, 23, tzinfo=UTC)


# --- Transactions --------------------------------------------------------------------------------------


def test_a_transaction_is_explained(desk: Client, club: Segment, till: ApiClient, ada: Member) -> None:
    earn(till, "POS-1", metadata={"cashier": "17"})
    take_back(till, "POS-1", "RET-1", lines=[{"line": "1", "quantity": "1"}], reason="broken")
    row = Transaction.objects.get()
    text = desk.get(page(Transaction, row)).content.decode()
    for word in (
        "44.90 × 1",
        "25.00 × 2",
        "segment vip-bxl",
        "PR-50EUR",
        "5.10",
        "would have added 100 points",
    ):
        assert word in text
    for word in ("Not on this weekday", "RET-1", "broken", row.ruleset, "cashier", "Partially reversed"):
        assert word in text
    assert "7 Dec 2026 00:00" in text
    assert "1 Jan 2028 00:00" in text


def test_transactions_are_found(desk: Client, club: Segment, till: ApiClient, bob: Member) -> None:
    earn(till, "POS-1")
    earn(till, "POS-2", member=bob.number)
    earn(till, "POS-3", occurred_at="2026-11-20T10:00:00+01:00")
    take_back(till, "POS-1", "RET-1")

    def found(query: str) -> set[str]:
        return {row.reference for row in desk.get(page(Transaction) + query).context["cl"].result_list}

    assert found("") == {"POS-1", "POS-2", "POS-3"}
    assert found("?q=POS-2") == found("?q=10043") == {"POS-2"}
    assert found("?q=10042") == {"POS-1", "POS-3"}
    assert found("?q=POS") == set()
    assert found("?status__exact=reversed") == {"POS-1"}
    assert found("?day_from=2026-11-21&day_to=2026-11-23") == {"POS-1", "POS-2"}


# --- Accounts ------------------------------------------------------------------------------------------


def test_an_account_shows_what_is_true_now(
    desk: Client, club: Segment, till: ApiClient, ada: Member, monday: Any
) -> None:
    earn(till, "POS-1")
    account = Account.objects.get()
    shown = desk.get(page(Account, account)).context
    assert (shown["figures"]["pending"], shown["balance"]) == (117, 117)
    monday.move_to(MONDAY + timedelta(days=15))
    desk.force_login(get_user_model().objects.get(username="carol"), BACKEND)
    shown = desk.get(page(Account, account)).context
    assert (shown["figures"]["available"], shown["figures"]["pending"]) == (117, 0)
    assert [item["is_pending"] for item in shown["lots"]] == [False]
    account.refresh_from_db()
    assert account.available == 0


def test_entries_come_in_pages(
    desk: Client, programme: Programme, till: ApiClient, ada: Member, monday: Any, monkeypatch: Any
) -> None:
    monkeypatch.setattr("loyalty.admin.accounts.PAGE", 3)
    simple_terms(programme)
    for number in range(7):
        adjust(till, ada.number, 10, f"ADJ-{number}")
    address = page(Account, Account.objects.get())
    seen, query = [], ""
    while True:
        shown = desk.get(address + query).context
        seen += [(entry.seq, entry.balance_after) for entry in shown["entries"]]
        if shown["older"] is None:
            break
        query = f"?before={shown['older']}"
    assert seen == [(seq, seq * 10) for seq in range(7, 0, -1)]
    assert desk.get(address + "?before=1").context["entries"] == []
    assert desk.get(address + "?before=x").status_code == 200


@contextmanager
def undone() -> Iterator[None]:
    """What somebody broke is whole again afterwards."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def test_the_chain_is_verified(desk: Client, club: Segment, till: ApiClient, ada: Member) -> None:
    earn(till, "POS-1")
    take_back(till, "POS-1", "RET-1", lines=[{"line": "1", "quantity": "1"}])
    adjust(till, ada.number, 5)
    verify = reverse("admin:loyalty_account_verify", args=[ada.pk])
    assert "All 3 entries verify" in texts(desk.get(verify, follow=True))[0]
    with undone(), connection.cursor() as cursor:
        cursor.execute("ALTER TABLE loyalty_entry DISABLE TRIGGER entry_append_only")
        cursor.execute("UPDATE loyalty_entry SET occurred_at = occurred_at - interval '1 day' WHERE seq = 2")
        told = texts(desk.get(verify, follow=True))
    assert told == ["Entry 2: its content was changed after it was written."]


def test_a_figure_that_does_not_add_up_is_found(
    desk: Client, programme: Programme, till: ApiClient, ada: Member, monday: Any
) -> None:
    simple_terms(programme)
    adjust(till, ada.number, 5)
    with undone():
        Account.objects.update(available=6)
        told = texts(desk.get(reverse("admin:loyalty_account_verify", args=[ada.pk]), follow=True))
    assert len(told) == 2
    assert "figures" in told[0]


# --- Adjustments ---------------------------------------------------------------------------------------


def wish(programme: Programme, **changes: Any) -> dict[str, Any]:
    """What the form of an adjustment posts."""
    reference = REFERENCE + changes.pop("last", "1")
    form = {"programme": programme.pk, "member": "10042", "points": "50", "reason": "lost parcel"}
    return form | {"reference": reference} | changes


@pytest.fixture
def limited(programme: Programme, ada: Member, monday: Any) -> Programme:
    """One point a euro; adjustments above 100 wait."""
    simple_terms(programme)
    programme.approval_limit = 100
    programme.save()
    return programme


POST = "/admin/loyalty/adjustment/post/"


def test_an_adjustment_is_posted(desk: Client, limited: Programme, till: ApiClient) -> None:
    answer = desk.post(POST, wish(limited), follow=True)
    assert texts(answer) == ["The points are booked."]
    row = Adjustment.objects.get()
    assert (row.actor, row.reason, row.status) == ("staff:carol", "lost parcel", "posted")
    assert balance(till)["available"] == 50
    desk.post(POST, wish(limited))
    assert balance(till)["available"] == 50


def test_the_account_page_fills_in_the_member(desk: Client, stranger: Client, limited: Programme) -> None:
    desk.post(POST, wish(limited))
    account = Account.objects.get()
    answer = desk.get(reverse("admin:loyalty_account_adjust", args=[account.pk]), follow=True)
    assert answer.context["form"]["member"].value() == "10042"
    assert stranger.get(f"{POST}?account={account.pk}").context["form"]["member"].value() is None


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"member": "99999"}, "member"),
        ({"points": "0"}, "points"),
        ({"points": "-20"}, "points"),
        ({"points": "99999999999999999999"}, "points"),
        ({"reason": ""}, "reason"),
        ({"expires_at": "2026-01-01T00:00"}, "expires_at"),
        ({"reference": "POS-1"}, "reference"),
    ],
)
def test_a_refused_adjustment_is_told_at_its_field(
    desk: Client, limited: Programme, changes: dict[str, str], field: str
) -> None:
    assert list(errors(desk.post(POST, wish(limited, **changes)))) == [field]
    assert not Adjustment.objects.exists()


def test_staff_may_choose_debt(desk: Client, limited: Programme, till: ApiClient) -> None:
    desk.post(POST, wish(limited, points="-20", may_owe="on"))
    assert balance(till)["debt"] == 20


def test_no_adjustment_in_another_programme(stranger: Client, limited: Programme) -> None:
    assert "programme" in errors(stranger.post(POST, wish(limited)))
    assert not Adjustment.objects.exists()


def test_a_second_person_decides(desk: Client, second: Client, limited: Programme, till: ApiClient) -> None:
    answer = desk.post(POST, wish(limited, points="500"), follow=True)
    assert texts(answer) == ["It waits for a second person."]
    row = Adjustment.objects.get()
    approve = reverse("admin:loyalty_adjustment_approve", args=[row.pk])
    assert "may not decide" in texts(desk.post(approve, CONFIRMED, follow=True))[0]
    row.refresh_from_db()
    assert (row.status, balance(till)["available"]) == ("waiting", 0)
    assert second.get(approve).status_code == 200
    assert balance(till)["available"] == 0
    second.post(approve, CONFIRMED)
    row.refresh_from_db()
    assert (row.status, row.approved_by, balance(till)["available"]) == ("posted", "staff:dave", 500)
    assert "decided already" in texts(second.post(approve, CONFIRMED, follow=True))[-1]
    assert balance(till)["available"] == 500


def test_a_second_person_refuses(desk: Client, second: Client, limited: Programme, till: ApiClient) -> None:
    desk.post(POST, wish(limited, points="500"))
    row = Adjustment.objects.get()
    second.post(reverse("admin:loyalty_adjustment_refuse", args=[row.pk]), CONFIRMED)
    row.refresh_from_db()
    assert (row.status, row.approved_by, balance(till)["available"]) == ("refused", "staff:dave", 0)


def test_many_are_decided_at_once(desk: Client, second: Client, limited: Programme, till: ApiClient) -> None:
    desk.post(POST, wish(limited, points="200", last="1"))
    desk.post(POST, wish(limited, points="300", last="2"))
    second.post(POST, wish(limited, points="400", last="3"))
    rows = list(Adjustment.objects.values_list("pk", flat=True))
    told = texts(
        second.post(page(Adjustment), {"action": "approve_chosen", "_selected_action": rows}, follow=True)
    )
    assert sum("may not decide" in text for text in told) == 1
    assert balance(till)["available"] == 500
    assert [row.actor for row in desk.get(page(Adjustment)).context["cl"].result_list] == ["staff:dave"]
    desk.post(page(Adjustment), {"action": "refuse_chosen", "_selected_action": rows})
    assert set(Adjustment.objects.values_list("status", flat=True)) == {"posted", "refused"}


# --- Lists do not ask once per row ---------------------------------------------------------------------


def queries(client: Client, address: str) -> int:
    with CaptureQueriesContext(connection) as captured:
        assert client.get(address).status_code == 200
    return len(captured)


def test_lists_ask_as_often_for_many_rows_as_for_few(
    desk: Client, programme: Programme, club: Segment, till: ApiClient, ada: Member
) -> None:
    programme.approval_limit = 1
    programme.save()
    addresses = [page(model) for model in admin.site._registry if model._meta.app_label == "loyalty"]

    def grow(start: int, stop: int) -> None:
        for number in range(start, stop):
            member = MemberFactory(programme=programme)
            earn(till, f"POS-{number}", member=member.number)
            adjust(till, member.number, 10, f"ADJ-{number}")
            promotion = publish(programme, f"PR-{number}", PromotionRule("fixed", "1"))
            promotion_link(promotion=promotion, segment=club, mode="include", valid_from=LONG_AGO)
            tier_create(programme=programme, code=f"T{number}", name=f"T{number}", rank=number + 10)
            Product.objects.create(programme=programme, sku=f"S{number}", updated_at=LONG_AGO)

    grow(0, 2)
    few = {address: queries(desk, address) for address in addresses}
    grow(2, 8)
    many = {address: queries(desk, address) for address in addresses}
    assert many == few
    assert max(many.values()) <= 9


def test_pages_ask_as_often_for_long_histories_as_for_short(
    desk: Client, programme: Programme, club: Segment, till: ApiClient, ada: Member
) -> None:
    chocolate = ProductSetRule(categories=("chocolate",))

    def count() -> list[int]:
        first = Transaction.objects.order_by("id").first()
        rows = [Account.objects.get(), first, Promotion.objects.get(code="PR-CHOC3X")]
        return [queries(desk, page(type(row), row)) for row in rows]

    earn(till, "POS-1")
    take_back(till, "POS-1", "RET-1", lines=[{"line": "1", "amount": "1.00"}])
    count()
    short = count()
    for number in range(2, 8):
        earn(till, f"POS-{number}")
        take_back(till, "POS-1", f"RET-{number}", lines=[{"line": "1", "amount": "1.00"}])
        publish(programme, "PR-CHOC3X", PromotionRule("multiplier", str(number), products=chocolate))
    count()
    assert count() == short
