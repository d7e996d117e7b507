"""A replay says what earning would have given, basket by basket, and touches nothing."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from django.db import transaction as db_transaction
from pytest_django.plugin import DjangoDbBlocker

from config import journey
from loyalty.engine.numbers import POINT
from loyalty.models import Transaction
from loyalty.promotions.drafts import Draft
from loyalty.replay import reading
from loyalty.replay.reading import Period
from loyalty.replay.simulation import Outcome, Simulation
from loyalty.rules import Cap, ProductSetRule, PromotionRule
from loyalty.rulesets import by_hash
from loyalty.services import promotion_link, promotion_publish
from members.models import Programme
from segments.models import Segment
from tests.loyalty import sample
from tests.loyalty.sample import Expected
from tests.loyalty.test_sample import imported

YEAR = Period(datetime(2017, 1, 1, tzinfo=UTC), datetime(2018, 1, 1, tzinfo=UTC))
GROCERY = ProductSetRule(categories=("GROCERY",))
MEAT = journey.FOR_ALL["MEAT-FUND"]
BASKETS = 1_000
"""So many the reference decides, up to the middle of the month: it takes its time."""
MIDWAY = datetime(2017, 11, 9, 15, tzinfo=UTC)


def link(segment: str, mode: str = "include", until: datetime | None = None) -> dict[str, Any]:
    start = journey.OPENED.isoformat()
    return {"segment": segment, "mode": mode, "from": start, "until": until.isoformat() if until else None}


DRAFTS = {
    "for everyone": Draft("NEW", PromotionRule("fixed", "7")),
    "multiplier": Draft("NEW", PromotionRule("multiplier", "1.3333", products=GROCERY)),
    "window": Draft("NEW", PromotionRule("rate", "2", starts_at=MIDWAY, weekdays=(1, 2, 5))),
    "member caps": Draft(
        "NEW",
        PromotionRule(
            "rate",
            "0.75",
            products=GROCERY,
            caps={"day": Cap(points="9.25", uses=1), "month": Cap(points="30"), "total": Cap(uses=4)},
        ),
    ),
    "budget": Draft(
        "NEW",
        PromotionRule("per_item", "1.25", caps={"budget": Cap("2500.5", 700), "transaction": Cap("12")}),
    ),
    "first": Draft("NEW", PromotionRule("fixed", "30", first=True)),
    "gold": Draft("NEW", PromotionRule("fixed", "7", tiers=("GOLD",))),
    "in a group": Draft(
        "NEW",
        PromotionRule("fixed", "6", exclusivity_group="BRAND", caps={"month": Cap(points="40")}, priority=1),
    ),
    "segments": Draft("NEW", PromotionRule("fixed", "11"), (link("mailed-18"), link("mailed-17", "exclude"))),
    "ended segment": Draft("NEW", PromotionRule("fixed", "11"), (link("mailed-18", until=MIDWAY),)),
    "replacing": Draft("MEAT-FUND", replace(MEAT, value="2", caps={"budget": Cap(points="900.125")})),
    "leaving a group": Draft("OWN-BRAND", replace(journey.FOR_ALL["OWN-BRAND"], exclusivity_group=None)),
    "changing groups": Draft(
        "MAILING-19", replace(journey.MAILINGS["19"], exclusivity_group="BRAND", products=GROCERY)
    ),
}

FUNDS = replace(MEAT, exclusivity_group="FUND")
RIVAL = Draft(
    "NEW", PromotionRule("fixed", "8", exclusivity_group="FUND", caps={"budget": Cap(points="400", uses=60)})
)
"""It wins some baskets of a promotion with caps of its own, whose room then lasts longer."""


def outcomes(programme: Programme, draft: Draft) -> dict[str, Outcome]:
    """By reference."""
    simulation = Simulation(draft, partial(by_hash, programme.pk))
    return {
        stored.reference: simulation.decide(stored)
        for chunk in reading.chunks(programme.pk, YEAR, simulation.segments, size=97)
        for stored in chunk
    }


def expected(draft: Draft) -> dict[str, tuple[int, Fraction]]:
    """By the reference implementation: points and what the draft gave."""
    promotions, links = sample.rules()
    others = [x for x in promotions if x["code"] != draft.code]
    window = {
        name: at.isoformat() if at else None
        for name, at in (("from", draft.rule.starts_at), ("until", draft.rule.ends_at))
    }
    said = {**sample.said(draft.code, draft.rule), "window": window}
    drafted = [*others, said], {**links, draft.code: [dict(x) for x in draft.links]}
    found = {}
    for basket, result in islice(Expected(rules=lambda: drafted).all(), BASKETS):
        award = result.awards.get(draft.code)
        found[basket.reference] = (result.points, award.awarded if award else Fraction(0))
    return found


@pytest.fixture(scope="module")
def journeyed(
    django_db_setup: None, django_db_blocker: DjangoDbBlocker, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Programme]:
    """The sample, imported."""
    with django_db_blocker.unblock(), db_transaction.atomic():
        programme = journey.journey_create()
        assert imported(tmp_path_factory.mktemp("journey")) == []
        yield programme
        db_transaction.set_rollback(True)


@pytest.fixture
def shop(journeyed: Programme, django_db_blocker: DjangoDbBlocker) -> Iterator[Programme]:
    """The same for one test."""
    with django_db_blocker.unblock(), db_transaction.atomic():
        yield journeyed
        db_transaction.set_rollback(True)


@pytest.mark.parametrize("name", DRAFTS)
def test_it_gives_what_the_rules_say(shop: Programme, name: str) -> None:
    """Every basket's points and the draft's exact award, by a second implementation of the rules."""
    draft = DRAFTS[name]
    found = {x: (y.points, Fraction(y.awarded, POINT)) for x, y in outcomes(shop, draft).items()}
    posted = dict(Transaction.objects.filter(programme=shop).values_list("reference", "points"))
    wanted = expected(draft)
    assert {reference: found[reference] for reference in wanted} == wanted
    assert {x: points for x, (points, _) in found.items()} != posted


def test_without_a_change_it_gives_what_was_posted(shop: Programme) -> None:
    """A live promotion replayed as it is: every basket as posted, decided anew."""
    posted = dict(Transaction.objects.filter(programme=shop).values_list("reference", "points"))
    for code, rule in journey.FOR_ALL.items():
        links = (link("mailed-18", "exclude"),) if code == "NOT-MAILED" else ()
        found = outcomes(shop, Draft(code, rule, links))
        assert {reference: outcome.points for reference, outcome in found.items()} == posted
        assert any(outcome.awarded for outcome in found.values())


@pytest.mark.django_db
def test_it_gives_what_importing_gives(tmp_path: Path) -> None:
    """Against the same receipts in a programme in which the draft was live from the beginning."""

    def opened() -> Programme:
        programme = journey.journey_create()
        publish(programme, Draft("MEAT-FUND", FUNDS))
        return programme

    with db_transaction.atomic():
        programme = opened()
        publish(programme, RIVAL)
        assert imported(tmp_path) == []
        rows = Transaction.objects.filter(programme=programme)
        live = {
            row.reference: (row.points, Fraction(row.awards.get(RIVAL.code, {"awarded": 0})["awarded"]))
            for row in rows
        }
        db_transaction.set_rollback(True)
    programme = opened()
    assert imported(tmp_path) == []
    found = outcomes(programme, RIVAL)
    assert {x: (y.points, Fraction(y.awarded, POINT)) for x, y in found.items()} == live
    assert sum(points for points, _ in live.values()) != sum(
        Transaction.objects.filter(programme=programme).values_list("points", flat=True)
    )


def publish(programme: Programme, draft: Draft) -> None:
    """The draft as the only version of its promotion."""
    known = programme.promotions.filter(code=draft.code).first()
    if known:
        known.versions.update(is_voided=True, valid_until=journey.OPENED)
    promotion = promotion_publish(
        programme=programme, code=draft.code, name="Draft", rule=draft.rule, now=journey.OPENED, publish=False
    )
    promotion.versions.filter(is_voided=False).update(valid_from=None)
    for said in draft.links:
        promotion_link(
            promotion=promotion,
            segment=Segment.objects.get(programme=programme, code=said["segment"]),
            mode=said["mode"],
            valid_from=datetime.fromisoformat(said["from"]),
            valid_until=datetime.fromisoformat(said["until"]) if said["until"] else None,
        )
    promotion_publish(programme=programme, code=draft.code, name="Draft", rule=draft.rule, now=journey.OPENED)


def test_chunks_run_in_order_whatever_their_size(shop: Programme) -> None:
    whole = [x.reference for chunk in reading.chunks(shop.pk, YEAR, size=5_000) for x in chunk]
    assert whole == [basket.reference for basket in sample.baskets()]
    assert [x.reference for chunk in reading.chunks(shop.pk, YEAR, size=7) for x in chunk] == whole
    assert reading.count(shop.pk, YEAR) == len(whole)
    part = Period(MIDWAY, MIDWAY + timedelta(days=1))
    inside = [x for chunk in reading.chunks(shop.pk, part) for x in chunk]
    assert all(part.start <= x.occurred_at < part.end for x in inside)
    assert 0 < len(inside) == reading.count(shop.pk, part) < len(whole)
    assert not list(reading.chunks(shop.pk + 1, YEAR))
