"""Tiers are earned by qualifying points: up at once, down at the end of the period, by hand while it lasts."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.urls import reverse as reverse_url

from config.kernel.errors import RistourneError
from loyalty.errors import RuleRefused
from loyalty.models import Tier, TierChange, TierRules, TierStanding
from loyalty.rules import PromotionRule
from loyalty.services import (
    tier_create,
    tier_grant,
    tier_grant_end,
    tier_rules_set,
    tier_update,
    tiers_review,
)
from members.models import Activity, Member, OutboxEvent, Programme
from members.services import staff_create
from tests.factories import ApiClient
from tests.loyalty.desks import CONFIRMED, PASSWORD, signed_in
from tests.loyalty.worlds import BASKET, MONDAY, call, earn, euros, publish, reverse, simple_terms
from tests.statements import statements

pytestmark = pytest.mark.django_db


@pytest.fixture
def club(monday: time_machine.Traveller, programme: Programme, ada: Member) -> Programme:
    """One point a euro; Silver (×1.5) from 100 and Gold (×2) from 300 points of a calendar year."""
    tier_create(programme=programme, code="SILVER", name="Silver", rank=1, threshold=100)
    tier_create(programme=programme, code="GOLD", name="Gold", rank=2, threshold=300)
    simple_terms(programme, tiers={"SILVER": "1.5", "GOLD": "2"})
    tier_rules_set(programme=programme, period="year", now=MONDAY)
    return programme


def shown(till: ApiClient, member: str = "10042") -> dict[str, Any]:
    tier: dict[str, Any] = till.get(f"/api/v1/members/{member}").json()["tier"]
    return tier


def buy(till: ApiClient, reference: str, amount: str, **more: Any) -> int:
    """Points of a receipt of today."""
    at = more.pop("occurred_at", datetime.now(UTC).isoformat())
    answer = earn(till, reference, **{"occurred_at": at, **euros(amount), **more})
    assert answer.status_code == 201, answer.json()
    return int(answer.json()["points"])


def history(member: Member) -> list[tuple[str, str, str, int]]:
    """From, to, why and points, oldest first."""
    rows = TierChange.objects.filter(member=member).order_by("id")
    return [(row.before, row.after, row.why, row.qualifying) for row in rows]


@pytest.mark.usefixtures("club")
def test_an_upgrade_counts_from_the_next_transaction(till: ApiClient, ada: Member) -> None:
    assert buy(till, "POS-1", "120.00") == 120
    assert buy(till, "POS-2", "10.00") == 15
    ada.refresh_from_db()
    assert ada.tier == "SILVER"
    assert shown(till) == {
        "code": "SILVER",
        "name": "Silver",
        "since": "2026-11-23T10:15:02+01:00",
        "until": "2027-01-01T00:00:00+01:00",
        "granted": False,
        "qualifying_points": 135,
        "next": {"code": "GOLD", "name": "Gold", "threshold": 300, "missing": 165},
    }
    assert history(ada) == [("", "SILVER", "earned", 120)]
    (told,) = OutboxEvent.objects.filter(type="tier.changed")
    assert told.member_id == ada.pk
    assert told.body == {
        "from": None,
        "to": "SILVER",
        "at": "2026-11-23T09:15:02Z",
        "why": "earned",
        "qualifying_points": 120,
    }


@pytest.mark.usefixtures("club")
def test_a_member_without_a_tier_sees_the_way_to_the_first(till: ApiClient) -> None:
    buy(till, "POS-1", "30.00")
    tier = shown(till)
    assert (tier["code"], tier["since"], tier["until"], tier["qualifying_points"]) == (None, None, None, 30)
    assert tier["next"] == {"code": "SILVER", "name": "Silver", "threshold": 100, "missing": 70}


def test_only_what_qualifies_makes_tiers(till: ApiClient, club: Programme, ada: Member) -> None:
    """Base and tier share, promotions that say so, and nothing else."""
    publish(club, "PR-BONUS", PromotionRule("fixed", "500"))
    assert buy(till, "POS-1", "60.00") == 560
    assert shown(till)["qualifying_points"] == 60
    publish(club, "PR-COUNTS", PromotionRule("fixed", "50", qualifying=True))
    buy(till, "POS-2", "10.00")
    assert shown(till)["code"] == "SILVER"
    assert history(ada) == [("", "SILVER", "earned", 120)]


@pytest.mark.usefixtures("club")
def test_a_return_takes_qualifying_points_off_the_day_they_came(
    till: ApiClient, ada: Member, monday: time_machine.Traveller
) -> None:
    buy(till, "POS-1", "250.00")
    monday.shift(timedelta(days=2))
    assert reverse(till, "POS-1", "RET-1").status_code == 201
    assert Activity.objects.get(member=ada).qualifying == 0
    assert (shown(till)["code"], shown(till)["qualifying_points"]) == ("SILVER", 0)
    assert buy(till, "POS-2", "100.00") == 150, "once reached, a tier is kept to the end of its period"


@pytest.mark.usefixtures("club")
def test_downgrade_waits_for_the_end_of_the_period(
    till: ApiClient, ada: Member, monday: time_machine.Traveller
) -> None:
    buy(till, "POS-1", "400.00")
    monday.move_to(datetime(2026, 12, 31, 22, 59, 59, tzinfo=UTC))
    assert shown(till)["code"] == "GOLD"
    monday.move_to(datetime(2026, 12, 31, 23, 0, tzinfo=UTC))
    assert (shown(till)["code"], shown(till)["qualifying_points"]) == (None, 0)
    ada.refresh_from_db()
    assert ada.tier == "GOLD", "reading writes nothing"
    assert buy(till, "POS-2", "10.00") == 10, "what ended is over for the next basket, review or not"
    assert history(ada)[1:] == [("GOLD", "", "expired", 400)]
    assert TierChange.objects.get(why="expired").at == datetime(2026, 12, 31, 23, 0, tzinfo=UTC)


def test_evaluation_shows_what_the_earn_will_do(
    till: ApiClient, club: Programme, ada: Member, monday: time_machine.Traveller
) -> None:
    buy(till, "POS-1", "400.00")
    for days in (1, 60):
        monday.shift(timedelta(days=days))
        body = {**BASKET, **euros("10.00"), "occurred_at": datetime.now(UTC).isoformat()}
        asked = till.post_json("/api/v1/basket-evaluations", body).json()
        assert asked["points"] == (20 if days == 1 else 10)
        told = earn(till, f"POS-{days}-days", **body | {"evaluation": asked["evaluation"]})
        assert (told.status_code, told.json()["points"]) == (201, asked["points"])


def test_kept_for_the_following_period_and_renewed_in_it(
    till: ApiClient, club: Programme, ada: Member, monday: time_machine.Traveller
) -> None:
    tier_rules_set(programme=club, period="year", keeps_following=True, now=MONDAY)
    buy(till, "POS-1", "400.00")
    assert shown(till)["until"] == "2028-01-01T00:00:00+01:00"
    monday.move_to(datetime(2027, 5, 1, tzinfo=UTC))
    buy(till, "POS-2", "75.00")  # 150 points at ×2
    monday.move_to(datetime(2028, 1, 1, 12, tzinfo=UTC))
    assert (shown(till)["code"], shown(till)["until"]) == ("SILVER", "2029-01-01T00:00:00+01:00")
    buy(till, "POS-3", "200.00")  # 300 points at ×1.5
    assert (shown(till)["code"], shown(till)["until"]) == ("GOLD", "2030-01-01T00:00:00+01:00")
    assert [row[:3] for row in history(ada)] == [
        ("", "GOLD", "earned"),
        ("GOLD", "SILVER", "expired"),
        ("SILVER", "GOLD", "earned"),
    ]


def test_rolling_periods_are_looked_at_again_at_their_end(
    till: ApiClient, club: Programme, ada: Member, monday: time_machine.Traveller
) -> None:
    """Valid for one period from the day it was reached or confirmed."""
    tier_rules_set(programme=club, period="days", length=30, now=MONDAY)
    buy(till, "POS-1", "300.00")
    assert shown(till)["until"] == "2026-12-23T00:00:00+01:00"
    monday.shift(timedelta(days=30))
    assert (shown(till)["code"], shown(till)["qualifying_points"]) == ("GOLD", 0), "23 November still counted"
    monday.shift(timedelta(days=5))
    buy(till, "POS-2", "60.00")  # 120 points at ×2
    assert shown(till)["until"] == "2027-01-22T00:00:00+01:00"
    monday.shift(timedelta(days=25))
    assert (shown(till)["code"], shown(till)["until"]) == ("SILVER", "2027-02-21T00:00:00+01:00")
    monday.shift(timedelta(days=30))
    assert shown(till)["code"] is None


def test_a_tier_without_threshold_is_granted_only(till: ApiClient, club: Programme, ada: Member) -> None:
    tier_create(programme=club, code="FRIEND", name="Friend of the house", rank=3)
    buy(till, "POS-1", "9000.00")
    assert shown(till)["code"] == "GOLD"
    assert shown(till)["next"] is None


def test_the_lowest_tier_may_need_nothing(
    till: ApiClient, club: Programme, ada: Member, bob: Member, monday: time_machine.Traveller
) -> None:
    tier_create(programme=club, code="BASE", name="Base", rank=0, threshold=0)
    assert (shown(till)["code"], shown(till)["until"]) == ("BASE", None)
    assert tiers_review(now=MONDAY) == 2
    assert set(Member.objects.values_list("tier", flat=True)) == {"BASE"}
    buy(till, "POS-1", "120.00")
    monday.shift(timedelta(days=60))
    assert tiers_review(now=datetime.now(UTC)) == 1
    ada.refresh_from_db()
    assert ada.tier == "BASE"


GRANT: dict[str, Any] = {"reason": "Opening night", "actor": "staff:carol", "now": MONDAY}


def test_a_grant_wins_while_it_lasts(
    till: ApiClient, club: Programme, ada: Member, monday: time_machine.Traveller
) -> None:
    gold = Tier.objects.get(code="GOLD")
    tier_grant(member=ada, tier=gold, until=MONDAY + timedelta(days=10), **GRANT)
    assert buy(till, "POS-1", "60.00") == 120
    assert (shown(till)["code"], shown(till)["granted"]) == ("GOLD", True)
    assert shown(till)["until"] == "2026-12-03T10:15:02+01:00"
    monday.shift(timedelta(days=10))
    assert (shown(till)["code"], shown(till)["granted"]) == ("SILVER", False), "earned meanwhile"
    assert buy(till, "POS-2", "10.00") == 15
    assert history(ada) == [("", "GOLD", "granted", 0), ("GOLD", "SILVER", "grant_ended", 120)]
    first = TierChange.objects.filter(member=ada).order_by("id").first()
    assert first is not None
    assert (first.reason, first.actor, first.until) == (
        "Opening night",
        "staff:carol",
        MONDAY + timedelta(days=10),
    )


def test_a_grant_of_a_lower_tier_changes_nothing_but_is_told_in_the_history(
    till: ApiClient, club: Programme, ada: Member
) -> None:
    buy(till, "POS-1", "300.00")
    tier_grant(member=ada, tier=Tier.objects.get(code="SILVER"), until=MONDAY + timedelta(days=90), **GRANT)
    assert shown(till)["code"] == "GOLD"
    assert history(ada)[-1][:3] == ("GOLD", "GOLD", "granted")
    assert OutboxEvent.objects.filter(type="tier.changed").count() == 1


def test_a_grant_ends_early_and_only_once(till: ApiClient, club: Programme, ada: Member) -> None:
    tier_grant(member=ada, tier=Tier.objects.get(code="GOLD"), until=MONDAY + timedelta(days=9), **GRANT)
    tier_grant_end(member=ada, **GRANT)
    assert shown(till)["code"] is None
    with pytest.raises(RuleRefused):
        tier_grant_end(member=ada, **GRANT)
    assert [row[2] for row in history(ada)] == ["granted", "grant_ended"]


@pytest.mark.parametrize(
    "change",
    [{"until": MONDAY}, {"reason": "  "}, {"tier": "foreign"}],
    ids=["past", "no reason", "foreign tier"],
)
def test_grants_that_are_refused(
    club: Programme, ada: Member, eve: ApiClient, change: dict[str, Any]
) -> None:
    foreign = tier_create(programme=eve.partner.programme, code="GOLD", name="Gold", rank=1)
    asked = {"tier": Tier.objects.get(programme=club, code="GOLD"), "until": MONDAY + timedelta(days=1)}
    asked |= GRANT | change
    if change.get("tier"):
        asked["tier"] = foreign
    with pytest.raises(RuleRefused):
        tier_grant(member=ada, **asked)
    assert not TierChange.objects.exists()
    assert not TierStanding.objects.exists()


def test_without_tier_rules_nothing_is_granted_and_nothing_moves(
    till: ApiClient, programme: Programme, ada: Member, monday: time_machine.Traveller
) -> None:
    tier = tier_create(programme=programme, code="GOLD", name="Gold", rank=1, threshold=1)
    simple_terms(programme)
    buy(till, "POS-1", "50.00")
    assert shown(till) is None
    with pytest.raises(RuleRefused):
        tier_grant(member=ada, tier=tier, until=MONDAY + timedelta(days=1), **GRANT)
    assert tiers_review(now=MONDAY) == 0


def test_tiers_held_when_rules_begin_are_kept_as_if_reached_then(
    till: ApiClient, programme: Programme, ada: Member, monday: time_machine.Traveller
) -> None:
    tier_create(programme=programme, code="GOLD", name="Gold", rank=1, threshold=100)
    simple_terms(programme)
    Member.objects.filter(pk=ada.pk).update(tier="GOLD")
    assert shown(till)["code"] == "GOLD"
    tier_rules_set(programme=programme, period="quarter", now=MONDAY)
    assert (shown(till)["code"], shown(till)["until"]) == ("GOLD", "2027-01-01T00:00:00+01:00")


@pytest.mark.parametrize(
    ("rules", "pointer"),
    [
        ({"period": "week"}, "/period"),
        ({"period": "days", "length": 0}, "/length"),
        ({"period": "months", "length": 1201}, "/length"),
        ({"period": "year", "length": 2}, "/length"),
        ({"period": "days", "length": 30, "keeps_following": True}, "/keeps_following"),
    ],
)
def test_rules_that_are_refused(programme: Programme, rules: dict[str, Any], pointer: str) -> None:
    with pytest.raises(RuleRefused) as caught:
        tier_rules_set(programme=programme, now=MONDAY, **rules)
    assert [error.pointer for error in caught.value.errors] == [pointer]
    assert not TierRules.objects.exists()


def test_thresholds_rise_with_the_rank(club: Programme) -> None:
    silver = Tier.objects.get(code="SILVER")
    for write in (
        lambda: tier_update(tier=silver, name="Silver", rank=1, threshold=300),
        lambda: tier_create(programme=club, code="TOP", name="Top", rank=3, threshold=300),
    ):
        with pytest.raises(RistourneError):
            write()
    assert list(Tier.objects.order_by("rank").values_list("code", "threshold")) == [
        ("SILVER", 100),
        ("GOLD", 300),
    ]


def test_lower_thresholds_raise_everybody_at_the_next_review(
    till: ApiClient, club: Programme, ada: Member, bob: Member
) -> None:
    buy(till, "POS-1", "60.00")
    buy(till, "POS-2", "150.00", member="10043")
    assert tiers_review(now=MONDAY) == 0
    tier_update(tier=Tier.objects.get(code="SILVER"), name="Silver", rank=1, threshold=50)
    assert tiers_review(now=MONDAY) == 1
    ada.refresh_from_db()
    assert ada.tier == "SILVER"
    assert tiers_review(now=MONDAY) == 0


def test_higher_thresholds_take_a_tier_at_its_end_only(
    till: ApiClient, club: Programme, ada: Member, monday: time_machine.Traveller
) -> None:
    buy(till, "POS-1", "150.00")
    tier_update(tier=Tier.objects.get(code="SILVER"), name="Silver", rank=1, threshold=200)
    assert tiers_review(now=MONDAY) == 0
    assert shown(till)["code"] == "SILVER"
    monday.shift(timedelta(days=45))
    assert shown(till)["code"] is None


def test_the_review_settles_members_nobody_touches(
    till: ApiClient, club: Programme, ada: Member, bob: Member, monday: time_machine.Traveller
) -> None:
    buy(till, "POS-1", "150.00")
    buy(till, "POS-2", "400.00", member="10043")
    monday.shift(timedelta(days=45))
    assert tiers_review(now=datetime.now(UTC), size=1) == 2
    assert set(Member.objects.values_list("tier", flat=True)) == {""}
    assert not TierStanding.objects.exclude(due_at=None).exists()
    assert tiers_review(now=datetime.now(UTC)) == 0
    assert OutboxEvent.objects.filter(type="tier.changed", body__why="expired").count() == 2


@pytest.mark.usefixtures("club")
def test_receipts_of_one_batch_see_the_tier_that_earlier_ones_made(till: ApiClient, ada: Member) -> None:
    items = [{"reference": f"POS-{number}", **BASKET, **euros("60.00")} for number in range(3)]
    assert buy(till, "WARM", "0.50") == 0
    with statements() as sent:
        answer = call(till, "/transactions/batch", {"transactions": items}).json()
    assert len(sent) == 2
    assert [result["body"]["points"] for result in answer["results"]] == [60, 60, 90]
    assert history(ada) == [("", "SILVER", "earned", 120)]


@pytest.mark.usefixtures("club")
def test_tiers_cost_no_round_trip(till: ApiClient) -> None:
    buy(till, "POS-1", "99.00")
    assert reverse(till, "POS-1", "RET-1").status_code == 201
    steps: list[Callable[[], object]] = [
        lambda: buy(till, "POS-2", "99.00"),
        lambda: reverse(till, "POS-2", "RET-2"),
        lambda: till.post_json("/api/v1/basket-evaluations", BASKET),
    ]
    for step, expected in zip(steps, (2, 2, 1), strict=True):
        with statements() as sent:
            step()
        assert len(sent) == expected


def test_an_outsider_sees_no_tier_of_ours(till: ApiClient, club: Programme, eve: ApiClient) -> None:
    buy(till, "POS-1", "150.00")
    answer = eve.get("/api/v1/members/10042")
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


# --- Back office ---------------------------------------------------------------------------------------


@pytest.fixture
def desk(programme: Programme) -> Client:
    """Carol, who works for the programme, signed in."""
    return signed_in(staff_create(username="carol", password=PASSWORD, programmes=[programme]))


def account_page(member: Member) -> str:
    return reverse_url("admin:loyalty_account_change", args=[member.pk])


def test_staff_grant_and_end_a_tier_and_read_the_history(
    till: ApiClient, club: Programme, ada: Member, desk: Client
) -> None:
    buy(till, "POS-1", "120.00")
    asked = {"tier": "GOLD", "last_day": "2026-11-30", "reason": "Opening night", **CONFIRMED}
    grant = reverse_url("admin:loyalty_account_grant", args=[ada.pk])
    assert desk.post(grant, asked).status_code == 302
    tier = shown(till)
    assert (tier["code"], tier["granted"], tier["until"]) == ("GOLD", True, "2026-12-01T00:00:00+01:00")
    page = desk.get(account_page(ada)).content.decode()
    assert "Opening night" in page
    assert "staff:carol" in page
    assert (
        desk.post(reverse_url("admin:loyalty_account_end_grant", args=[ada.pk]), CONFIRMED).status_code == 302
    )
    assert shown(till)["code"] == "SILVER"
    assert [row[2] for row in history(ada)] == ["earned", "granted", "grant_ended"]


@pytest.mark.parametrize(
    "wrong", [{"tier": "PLATINUM"}, {"last_day": "2026-11-01"}, {"reason": ""}], ids=lambda x: next(iter(x))
)
def test_a_grant_that_is_refused_changes_nothing(
    till: ApiClient, club: Programme, ada: Member, desk: Client, wrong: dict[str, str]
) -> None:
    buy(till, "POS-1", "120.00")
    asked = {"tier": "GOLD", "last_day": "2026-11-30", "reason": "Opening night", **CONFIRMED} | wrong
    desk.post(reverse_url("admin:loyalty_account_grant", args=[ada.pk]), asked)
    assert shown(till)["code"] == "SILVER"
    assert [row[2] for row in history(ada)] == ["earned"]


def test_other_programmes_accounts_and_rules_are_not_found(
    till: ApiClient, club: Programme, ada: Member, eve: ApiClient
) -> None:
    buy(till, "POS-1", "120.00")
    others = [eve.partner.programme]
    client = signed_in(staff_create(username="mallory", password=PASSWORD, programmes=others))
    asked = {"tier": "GOLD", "last_day": "2026-11-30", "reason": "x", **CONFIRMED}
    assert client.post(reverse_url("admin:loyalty_account_grant", args=[ada.pk]), asked).status_code == 404
    rules = reverse_url("admin:loyalty_tierrules_change", args=[club.pk])
    client.post(rules, {"period": "days", "length": 1})
    assert TierRules.objects.get().period == "year"
    assert [row[2] for row in history(ada)] == ["earned"]


def test_staff_set_rules_and_thresholds(club: Programme, desk: Client) -> None:
    rules = reverse_url("admin:loyalty_tierrules_change", args=[club.pk])
    assert desk.post(rules, {"period": "months", "length": "12"}).status_code == 302
    assert TierRules.objects.get().period == "months"
    assert desk.post(rules, {"period": "year", "length": "2"}).status_code == 200
    gold = Tier.objects.get(code="GOLD")
    page = reverse_url("admin:loyalty_tier_change", args=[gold.pk])
    assert desk.post(page, {"name": "Gold", "rank": "2", "threshold": "500"}).status_code == 302
    desk.post(page, {"name": "Gold", "rank": "2", "threshold": "50"})
    gold.refresh_from_db()
    assert gold.threshold == 500
    assert gold.history.count() == 2
