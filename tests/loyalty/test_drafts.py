"""A draft put into rules decides as if it had been published, and leaves no trace in them."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from loyalty import rulesets
from loyalty.engine import Basket, Evaluation, Facts, Line, Ruleset, evaluate
from loyalty.errors import RuleRefused
from loyalty.models import Promotion, PromotionVersion, RulePart, RulesHead
from loyalty.models import Ruleset as StoredRuleset
from loyalty.promotions.drafts import Draft, put_in
from loyalty.rules import Cap, ProductSetRule, PromotionRule
from loyalty.services import promotion_link, promotion_publish
from members.models import Programme
from segments.models import Segment
from tests.factories import LONG_AGO
from tests.loyalty.worlds import MONDAY

VIP = Facts(member=True, segments=frozenset({"vip-bxl"}), tier="SILVER")
OTHER = Facts(member=True)
BASKET = Basket(
    MONDAY,
    "web",
    None,
    (
        Line("1", "CHOC-1", "chocolate", "Neuhaus", 2_000_000, 250_000),
        Line("2", "MUG-7", "home", None, 1_000_000, 199_000),
    ),
)
RULES = [
    PromotionRule("fixed", "7"),
    PromotionRule("per_item", "2.5", products=ProductSetRule(skus=("MUG-7",))),
    PromotionRule("rate", "4", starts_at=MONDAY + timedelta(hours=1)),
    PromotionRule("rate", "4", ends_at=MONDAY, caps={"transaction": Cap(points="3")}),
    PromotionRule("multiplier", "9", exclusivity_group="G", caps={"transaction": Cap(points="60.5")}),
]


def timeline(programme: Programme) -> rulesets.Timeline:
    """The programme's rules as they are now."""
    return rulesets.load(programme.pk, RulesHead.objects.get(programme=programme).version)


def decided(ruleset: Ruleset) -> list[Evaluation]:
    return [evaluate(BASKET, facts, ruleset) for facts in (VIP, OTHER)]


def link(mode: str = "include") -> dict[str, Any]:
    return {"segment": "vip-bxl", "mode": mode, "from": LONG_AGO.isoformat(), "until": None}


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("mode", ["", "include", "exclude"])
@pytest.mark.parametrize("code", ["PR-NEW", "PR-50EUR"])
def test_it_decides_as_if_published(
    programme: Programme, club: Segment, rule: PromotionRule, mode: str, code: str
) -> None:
    """A new promotion, or another rule for one that runs."""
    draft = Draft(code, rule, (link(mode),) if mode else ())
    with_draft = decided(put_in(timeline(programme).at(MONDAY), draft.compiled()))
    PromotionVersion.objects.filter(promotion__code=code).update(is_voided=True)
    published = promotion_publish(programme=programme, code=code, name=code, rule=rule, now=LONG_AGO)
    PromotionVersion.objects.filter(promotion__code=code, is_voided=False).update(valid_from=None)
    if mode:
        promotion_link(promotion=published, segment=club, mode=mode, valid_from=LONG_AGO)
    assert with_draft == decided(timeline(programme).at(MONDAY))


def test_nothing_of_it_is_stored(programme: Programme, club: Segment) -> None:
    tables = (Promotion, PromotionVersion, RulePart, StoredRuleset, RulesHead)
    before = [list(table.objects.order_by("pk").values()) for table in tables]
    rules = timeline(programme)
    undrafted = decided(rules.at(MONDAY))
    draft = Draft("PR-NEW", PromotionRule("fixed", "7"))
    drafted = decided(put_in(rules.at(MONDAY), draft.compiled()))
    assert [x.points + 7 for x in undrafted] == [x.points for x in drafted]
    assert decided(rules.at(MONDAY)) == undrafted
    assert [list(table.objects.order_by("pk").values()) for table in tables] == before


def test_it_takes_the_place_of_its_own_version_only(programme: Programme, club: Segment) -> None:
    rules = timeline(programme)
    draft = Draft("PR-CHOC3X", PromotionRule("multiplier", "5"))
    ruleset = put_in(rules.at(MONDAY), draft.compiled())
    assert [x.code for x in ruleset.promotions] == [x.code for x in rules.at(MONDAY).promotions]
    assert ruleset.hash != rules.at(MONDAY).hash
    awards = {award.promotion: award for award in evaluate(BASKET, OTHER, ruleset).awards}
    assert awards["PR-CHOC3X"].awarded == 4 * 44_900_000_000_000  # everything, for everyone: no link is left


@pytest.mark.parametrize("rule", RULES)
def test_its_content_says_all_of_it(rule: PromotionRule) -> None:
    draft = Draft("PR-NEW", rule, (link(),))
    assert Draft.from_content(draft.content()).content() == draft.content()


def test_a_rule_that_cannot_be_published_is_refused() -> None:
    draft = Draft("PR-NEW", PromotionRule("multiplier", "0.5"))
    with pytest.raises(RuleRefused):
        draft.compiled()


def test_throughout_is_at_any_time_what_it_would_be_from_now_on() -> None:
    later = MONDAY + timedelta(days=9)
    running = {**link(), "from": later.isoformat()}
    rule = PromotionRule("fixed", "7", starts_at=later, ends_at=later + timedelta(days=1))
    draft = Draft("PR-NEW", rule, (running,))
    ruleset = Ruleset.build("", 1, timeline_terms(), [])
    assert not evaluate(BASKET, VIP, put_in(ruleset, draft.compiled())).awards
    throughout = put_in(ruleset, draft.throughout(MONDAY).compiled())
    assert evaluate(BASKET, VIP, throughout).awards[0].awarded
    assert not evaluate(BASKET, OTHER, throughout).awards
    assert draft.throughout(MONDAY).rule == replace(rule, starts_at=None, ends_at=None)


def test_throughout_an_ended_link_lets_nobody_in_and_keeps_the_others_out() -> None:
    ended = {**link(), "until": MONDAY.isoformat()}
    ruleset = Ruleset.build("", 1, timeline_terms(), [])
    before = BASKET._replace(occurred_at=MONDAY - timedelta(days=1))
    draft = Draft("PR-NEW", PromotionRule("fixed", "7"), (ended,))
    assert evaluate(before, VIP, put_in(ruleset, draft.compiled())).awards
    throughout = put_in(ruleset, draft.throughout(MONDAY).compiled())
    assert not evaluate(before, VIP, throughout).awards
    assert not evaluate(before, OTHER, throughout).awards


def timeline_terms() -> Any:
    """A point a euro."""
    part = {"currency": "EUR", "digits": 2, "time_zone": "UTC", "earn_rate": "1", "rounding": "floor"}
    return rulesets.Terms.compile({**part, "delay_days": 0, "lifetime": None, "tiers": {}})
