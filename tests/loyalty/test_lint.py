"""What the linter finds odd about a promotion: one promotion for each finding, and a sound one without any."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from loyalty.models import Promotion
from loyalty.promotions.drafts import Draft
from loyalty.promotions.lint import Finding, Known, Overlap, Pace, findings
from loyalty.promotions.lint_facts import Subject, promotion_findings
from loyalty.rules import Cap, ProductSetRule, PromotionRule
from loyalty.rulesets import compile_ruleset, part_hash
from loyalty.services import promotion_publish
from loyalty.services.products import ProductRow, products_put
from members.models import Member, Programme
from segments.models import Segment
from tests.factories import LONG_AGO, ApiClient
from tests.loyalty.worlds import MONDAY, earn

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
ZONE = ZoneInfo("Europe/Brussels")
KNOWN = Known(
    now=NOW,
    zone=ZONE,
    delay_days=14,
    tiers=frozenset({"SILVER"}),
    channels=frozenset({"web"}),
    stores=frozenset({"BXL-01"}),
    segment_sizes={"vip": 3, "nobody": 0},
)
SOUND = PromotionRule("multiplier", "2", starts_at=NOW, ends_at=NOW + timedelta(days=30))


def found(rule: PromotionRule, known: Known = KNOWN, **links: Any) -> list[Finding]:
    products = rule.products.part() if rule.products else None
    return findings(rule.part("PR-X", None), products, links, known)


def codes(rule: PromotionRule, known: Known = KNOWN, **links: Any) -> list[tuple[str, str]]:
    return [(finding.level, finding.code) for finding in found(rule, known, **links)]


def test_a_sound_rule_has_no_finding() -> None:
    rule = replace(
        SOUND,
        weekdays=(5, 6),
        hours=("17:00", "02:00"),
        tiers=("SILVER",),
        channels=("web",),
        stores=("BXL-01",),
        minimum_amount="20",
        caps={"transaction": Cap("500"), "budget": Cap("100000")},
        products=ProductSetRule(categories=("chocolate",)),
    )
    pace = Pace(points=Decimal(1000), uses=Decimal(3))
    assert found(rule, replace(KNOWN, pace=pace), include=["vip"], exclude=["nobody"]) == []


@pytest.mark.parametrize(
    ("change", "level", "code", "field"),
    [
        ({"ends_at": NOW - timedelta(days=1), "starts_at": None}, "error", "is_over", "ends_at"),
        ({"ends_at": NOW - timedelta(days=1)}, "error", "ends_before_start", "ends_at"),
        ({"ends_at": NOW + timedelta(days=13)}, "warning", "ends_before_activation", "ends_at"),
        ({"tiers": ("GOLD",)}, "error", "unknown_tier", "tiers"),
        ({"channels": ("app",)}, "warning", "unseen_channel", "channels"),
        ({"stores": ("BXL-01", "GNT-9")}, "warning", "unseen_store", "stores"),
        ({"caps": {"day": Cap("0")}}, "error", "never_gives", "cap_day_points"),
        ({"caps": {"total": Cap(None, 0)}}, "error", "never_gives", "cap_total_uses"),
        (
            {"minimum_amount": "600", "caps": {"transaction": Cap("500")}},
            "warning",
            "minimum_above_cap",
            "cap_transaction_points",
        ),
        ({"products": ProductSetRule()}, "error", "no_product", "skus"),
    ],
)
def test_what_is_odd_is_told_at_its_field(change: dict[str, Any], level: str, code: str, field: str) -> None:
    (finding,) = found(replace(SOUND, **change))
    assert (finding.level, finding.code, finding.field) == (level, code, field)
    assert finding.text.endswith(".")


SATURDAY = datetime(2026, 11, 28, 0, tzinfo=ZONE)


@pytest.mark.parametrize(
    ("weekdays", "hours", "starts", "days", "runs"),
    [
        ((1,), None, SATURDAY, 2, False),
        ((7,), None, SATURDAY, 2, True),
        ((6,), ("17:00", "18:00"), SATURDAY + timedelta(hours=18), 1, False),
        ((6,), ("17:00", "19:00"), SATURDAY + timedelta(hours=18), 1, True),
        ((5,), ("22:00", "02:00"), SATURDAY, 1, True),
        ((5,), ("22:00", "00:00"), SATURDAY, 1, False),
        ((), ("03:00", "04:00"), SATURDAY + timedelta(hours=5), 0.5, False),
        ((1,), None, SATURDAY, 9, True),
    ],
)
def test_weekdays_and_hours_that_never_come(
    weekdays: tuple[int, ...], hours: Any, starts: datetime, days: float, runs: bool
) -> None:
    rule = replace(
        SOUND, starts_at=starts, ends_at=starts + timedelta(days=days), weekdays=weekdays, hours=hours
    )
    assert (("error", "never_in_window") in codes(rule)) is not runs


def test_segments_without_members() -> None:
    assert codes(SOUND, include=["nobody"]) == [("warning", "empty_segment")]
    assert "nobody would get it" in found(SOUND, include=["nobody"])[0].text
    assert "nobody would" not in found(SOUND, include=["nobody", "vip"])[0].text
    assert codes(SOUND, exclude=["nobody"]) == []


def test_the_day_the_budget_is_used_up() -> None:
    rule = replace(SOUND, caps={"budget": Cap("1000", 50)})
    (finding,) = found(rule, replace(KNOWN, pace=Pace(Decimal(100), Decimal(1), Decimal(500))))
    assert (finding.code, finding.field) == ("budget_runs_out", "cap_budget_points")
    assert "28 Nov 2026" in finding.text
    slow = Pace(Decimal(10), Decimal(1), Decimal(500))
    assert codes(rule, replace(KNOWN, pace=slow)) == []
    many = Pace(Decimal(1), Decimal(10), Decimal(0), 20)
    assert [x.field for x in found(rule, replace(KNOWN, pace=many))] == ["cap_budget_uses"]


def test_adding_up_on_receipts() -> None:
    low, high = Overlap(3, 100, 300, ("PR-A",)), Overlap(3, 100, 301, ("PR-A",))
    assert codes(SOUND, replace(KNOWN, overlap=low)) == []
    (finding,) = found(SOUND, replace(KNOWN, overlap=high))
    assert finding.code == "adds_up"
    assert "PR-A to 301 %" in finding.text


def others(**rules: PromotionRule) -> Known:
    """KNOWN with these promotions in force."""
    terms = {
        "kind": "terms", "currency": "EUR", "digits": 2, "time_zone": "Europe/Brussels", "earn_rate": "1",
        "rounding": "floor", "delay_days": 0, "lifetime": None, "tiers": {},
    }  # fmt: skip
    sets = [rule.products.part() for rule in rules.values() if rule.products]
    parts = [
        rule.part(code, part_hash(rule.products.part()) if rule.products else None)
        for code, rule in rules.items()
    ]
    bodies = {part_hash(part): part for part in [terms, *sets, *parts]}
    return replace(KNOWN, others=compile_ruleset("x", 1, bodies).promotions)


def test_adding_up_by_product_sets_and_windows() -> None:
    chocolate = ProductSetRule(categories=("chocolate",))
    triple = PromotionRule("multiplier", "4", products=chocolate)
    everything = others(A=triple)
    assert codes(SOUND, everything) == [("warning", "adds_up")]
    assert codes(replace(SOUND, products=ProductSetRule(brands=("Galler",))), everything) == []
    assert codes(replace(SOUND, products=chocolate), everything) == [("warning", "adds_up")]
    assert codes(SOUND, others(A=replace(triple, starts_at=NOW + timedelta(days=30)))) == []
    grouped = replace(SOUND, exclusivity_group="g")
    assert codes(grouped, others(A=replace(triple, exclusivity_group="g"))) == []
    assert codes(SOUND, others(A=replace(triple, value="3"))) == []


# --- From what is stored -------------------------------------------------------------------------------


def subject(programme: Programme, rule: PromotionRule, code: str = "PR-X", include: Any = ()) -> Subject:
    promotion = programme.promotions.filter(code=code).first() or Promotion(programme=programme, code=code)
    return Subject(promotion, rule, tuple(include), (), Draft(code, rule))


def stored(programme: Programme, rule: PromotionRule, **more: Any) -> list[str]:
    return [x.code for x in promotion_findings(subject(programme, rule, **more), MONDAY)]


@pytest.mark.django_db
def test_facts_come_from_the_programme(
    programme: Programme, club: Segment, till: ApiClient, ada: Member, eve: ApiClient
) -> None:
    products_put(
        programme=programme, products=[ProductRow("CHOC-1", "", "chocolate", "Neuhaus")], now=LONG_AGO
    )
    foreign = [ProductRow("TEA-1", "", "tea", "Leaf")]
    products_put(programme=eve.partner.programme, products=foreign, now=LONG_AGO)
    assert earn(till, "POS-1").status_code == 201
    rule = PromotionRule("fixed", "5", channels=("web",), stores=("BXL-01",), tiers=("SILVER",))
    chocolate = replace(rule, products=ProductSetRule(skus=("CHOC-1",)))
    assert stored(programme, chocolate, include=["vip-bxl"]) == []
    assert stored(programme, replace(rule, channels=("app",))) == ["unseen_channel"]
    assert stored(programme, replace(rule, products=ProductSetRule(skus=("TEA-1",)))) == ["no_known_product"]
    mixed = ProductSetRule(skus=("CHOC-1", "TEA-1"), brands=("Leaf",))
    assert stored(programme, replace(rule, products=mixed)) == ["unknown_products"]
    assert stored(programme, rule, include=["nobody-knows"]) == ["empty_segment"]


@pytest.mark.django_db
def test_overlap_and_pace_are_measured_on_real_receipts(
    programme: Programme, club: Segment, till: ApiClient
) -> None:
    """Ada's basket of 44.90 gets 50 points by PR-CHOC3X; 100 more are 334 % of its base."""
    assert earn(till, "POS-1").status_code == 201
    assert stored(programme, PromotionRule("fixed", "100")) == ["adds_up"]
    assert stored(programme, PromotionRule("fixed", "80")) == []
    assert stored(programme, PromotionRule("fixed", "20", caps={"budget": Cap("30")})) == ["budget_runs_out"]
    assert stored(programme, PromotionRule("fixed", "20", caps={"budget": Cap("9000")})) == []


@pytest.mark.django_db
def test_pace_is_what_the_promotion_gave_itself(programme: Programme, club: Segment, till: ApiClient) -> None:
    rule = PromotionRule("fixed", "30", caps={"budget": Cap("31")})
    promotion_publish(programme=programme, code="PR-X", name="X", rule=rule, now=LONG_AGO)
    assert earn(till, "POS-1").status_code == 201
    (finding,) = promotion_findings(subject(programme, rule), MONDAY)
    assert finding.code == "budget_runs_out"
    assert "24 Nov 2026" in finding.text
