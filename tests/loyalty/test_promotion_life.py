"""Promotions from draft to end: what each step changes for baskets, and what is refused."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine

from loyalty.errors import PromotionMoveRefused, SamePerson
from loyalty.models import Promotion, PromotionVersion, RulesHead
from loyalty.promotions.lifecycle import STATUSES, Life
from loyalty.rules import Cap, ProductSetRule, PromotionDraft, PromotionRule
from loyalty.services import (
    promotion_draft_discard,
    promotion_draft_publish,
    promotion_draft_save,
    promotion_end,
    promotion_pause,
    promotion_publish,
    promotion_resume,
    promotion_void,
)
from loyalty.versions import promotion_life
from members.models import Programme
from tests.factories import ApiClient, SegmentFactory
from tests.loyalty.worlds import BASKET, LONG_AGO, MONDAY

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("club")]

HUNDRED = PromotionRule("fixed", "100")


def draft(
    programme: Programme, rule: PromotionRule = HUNDRED, code: str = "PR-NEW", **links: Any
) -> Promotion:
    said = PromotionDraft("New", rule, **links)
    return promotion_draft_save(programme=programme, code=code, draft=said, actor="carol", now=MONDAY)


def points(till: ApiClient) -> int:
    """What ada's basket of now earns; 117 without the drafts of this page."""
    body = {**BASKET, "occurred_at": MONDAY.isoformat()}
    return int(till.post_json("/api/v1/basket-evaluations", body).json()["points"])


def status(promotion: Promotion) -> str:
    return promotion_life(promotion, MONDAY).status


def test_a_draft_changes_nothing_until_it_is_published(programme: Programme, till: ApiClient) -> None:
    head = RulesHead.objects.get().version
    promotion = draft(programme)
    assert (status(promotion), points(till)) == ("draft", 117)
    assert RulesHead.objects.get().version == head
    published = promotion_draft_publish(promotion=promotion, actor="carol", now=MONDAY)
    assert (status(published), published.draft, points(till)) == ("active", None, 217)


def test_a_draft_beside_a_live_promotion(programme: Programme, till: ApiClient) -> None:
    live = programme.promotions.get(code="PR-CHOC3X")
    rule = PromotionRule("multiplier", "5", products=ProductSetRule(categories=("chocolate",)))
    draft(programme, rule, live.code)
    assert points(till) == 117
    promotion_draft_publish(promotion=live, actor="carol", now=MONDAY)
    first, second = live.versions.order_by("id")
    assert first.valid_until == second.valid_from == MONDAY
    assert points(till) == 167


def test_segments_come_and_go_with_the_draft(programme: Programme, till: ApiClient) -> None:
    SegmentFactory(programme=programme, code="others")
    promotion = draft(programme, link={"others": "include"})
    assert not promotion.links.exists()
    promotion_draft_publish(promotion=promotion, actor="carol", now=MONDAY)
    assert points(till) == 117
    draft(programme, link={"vip-bxl": "include"}, unlink=("others",))
    promotion_draft_publish(promotion=promotion, actor="carol", now=MONDAY)
    assert points(till) == 217
    links = promotion.links.values_list("segment__code", "mode", "valid_until")
    assert set(links) == {("others", "include", MONDAY), ("vip-bxl", "include", None)}


def test_first_links_begin_with_a_window_that_has_begun(programme: Programme) -> None:
    begun = MONDAY - timedelta(days=3)
    promotion = draft(programme, PromotionRule("fixed", "100", starts_at=begun), link={"vip-bxl": "exclude"})
    promotion_draft_publish(promotion=promotion, actor="carol", now=MONDAY)
    assert promotion.links.get().valid_from == begun


def test_pause_resume_end(programme: Programme, till: ApiClient, monday: time_machine.Traveller) -> None:
    promotion = programme.promotions.get(code="PR-CHOC3X")
    promotion_pause(promotion=promotion, now=MONDAY)
    assert (status(promotion), points(till)) == ("paused", 67)
    promotion_resume(promotion=promotion, now=MONDAY)
    assert (status(promotion), points(till)) == ("active", 117)
    draft(programme, code="PR-CHOC3X")
    promotion_end(promotion=promotion, now=MONDAY)
    promotion.refresh_from_db()
    assert (status(promotion), promotion.draft, points(till)) == ("ended", None, 67)
    assert promotion_life(promotion, MONDAY).moves == ()


def test_statuses_follow_the_window(programme: Programme) -> None:
    ahead, over = MONDAY + timedelta(days=1), MONDAY - timedelta(days=1)
    for rule, word in (
        (PromotionRule("fixed", "1", starts_at=ahead), "scheduled"),
        (PromotionRule("fixed", "1", ends_at=over), "ended"),
        (PromotionRule("fixed", "1", starts_at=over, ends_at=ahead), "active"),
    ):
        promotion = promotion_publish(programme=programme, code="PR-W", name="W", rule=rule, now=LONG_AGO)
        assert status(promotion) == word


def test_what_is_over_may_get_a_later_end(programme: Programme) -> None:
    over = PromotionRule("fixed", "1", ends_at=MONDAY - timedelta(days=1))
    promotion = promotion_publish(programme=programme, code="PR-W", name="W", rule=over, now=LONG_AGO)
    with pytest.raises(PromotionMoveRefused, match="Its window is over"):
        promotion_resume(promotion=promotion, now=MONDAY)
    draft(programme, code="PR-W")
    promotion_draft_publish(promotion=promotion, actor="carol", now=MONDAY)
    assert status(promotion) == "active"


def test_illegal_moves_are_refused_in_plain_words(programme: Programme) -> None:
    """Every status against every move: the possible ones work, the others change nothing."""
    for word in STATUSES:
        for final in (False, True):
            for move in ("publish", "pause", "resume", "end"):
                life = Life(word, final)
                refusal = life.refusal(move)
                assert (refusal is None) == (move in life.moves)
                assert refusal is None or refusal.endswith(".")
    new, live = draft(programme), programme.promotions.get(code="PR-CHOC3X")
    moves: list[tuple[Any, dict[str, Any]]] = [
        (promotion_pause, {"promotion": new, "now": MONDAY}),
        (promotion_resume, {"promotion": new, "now": MONDAY}),
        (promotion_draft_discard, {"promotion": new}),
        (promotion_resume, {"promotion": live, "now": MONDAY}),
        (promotion_draft_publish, {"promotion": live, "actor": "dave", "now": MONDAY}),
    ]
    before = list(PromotionVersion.objects.values())
    for service, arguments in moves:
        with pytest.raises(PromotionMoveRefused):
            service(**arguments)
    promotion_end(promotion=new, now=MONDAY)
    new.refresh_from_db()
    for service, arguments in (
        (promotion_end, {"promotion": new, "now": MONDAY}),
        (
            promotion_publish,
            {"programme": programme, "code": "PR-NEW", "name": "N", "rule": HUNDRED, "now": MONDAY},
        ),
    ):
        with pytest.raises(PromotionMoveRefused, match="ended for good"):
            service(**arguments)
    with pytest.raises(PromotionMoveRefused, match="ended for good"):
        draft(programme)
    assert list(PromotionVersion.objects.values()) == before


def test_a_promotion_whose_versions_are_voided_cannot_resume(programme: Programme) -> None:
    promotion = programme.promotions.get(code="PR-CHOC3X")
    promotion_void(version=promotion.versions.get(), now=MONDAY)
    assert status(promotion) == "paused"
    with pytest.raises(PromotionMoveRefused, match="voided"):
        promotion_resume(promotion=promotion, now=MONDAY)


@pytest.mark.parametrize(
    ("rule", "waits"),
    [
        (PromotionRule("multiplier", "1000"), True),
        (PromotionRule("multiplier", "2"), False),
        (PromotionRule("fixed", "501"), True),
        (PromotionRule("fixed", "500"), False),
        (PromotionRule("per_item", "60"), True),
        (PromotionRule("rate", "5.5"), True),
        (PromotionRule("multiplier", "1000", caps={"day": Cap("500")}), False),
        (PromotionRule("multiplier", "1000", caps={"day": Cap(None, 1)}), True),
    ],
)
def test_a_very_generous_promotion_waits_for_a_second_person(
    programme: Programme, rule: PromotionRule, waits: bool
) -> None:
    """A bonus times a thousand is not one person's slip of the finger."""
    programme.approval_limit = 500
    programme.save()
    promotion = draft(programme, rule)
    if waits:
        with pytest.raises(SamePerson, match="500 points"):
            promotion_draft_publish(promotion=promotion, actor="carol", now=MONDAY)
        assert not promotion.versions.exists()
        promotion.refresh_from_db()
        assert promotion.draft is not None
    promotion_draft_publish(promotion=promotion, actor="dave" if waits else "carol", now=MONDAY)
    assert promotion.versions.exists()
