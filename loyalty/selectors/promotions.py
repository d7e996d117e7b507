"""Promotions as they are listed and said in words, and those that are open to a member."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Exists, OuterRef, Q, QuerySet

from config.kernel.errors import NotFound
from loyalty import wording
from loyalty.engine import Basket, Facts, calendar
from loyalty.engine.conditions import refusal
from loyalty.gather import (
    Holding,
)
from loyalty.models import Promotion, PromotionSegment, PromotionVersion, RulesHead
from loyalty.rulesets import Part, link_parts, timeline
from loyalty.selectors.snapshot import Snapshot
from loyalty.versions import promotions_with_rule, with_status
from members.errors import ProgrammeNotActive
from members.models import Programme


def promotions_open_to(
    programme_id: int, rules_version: int, holding: Holding, segments: frozenset[str], now: datetime
) -> frozenset[str]:
    """Codes of the promotions that are for this member at this instant, whatever is bought.

    Those that ask for a channel or a store are for nobody here.
    """
    person = holding.person
    if person is None:
        return frozenset()
    ruleset = timeline(programme_id, rules_version).at(now)
    day = calendar.local_day(now, ruleset.terms.zone)
    days = calendar.birthday_days(
        day, person.birth_date, person.birth_date_changes, person.enrolled_at, ruleset.terms.zone
    )
    first = holding.account is None or holding.account.transactions == 0
    facts = Facts(True, segments, person.tier, first, days, {})
    basket = Basket(now, None, None, ())
    return frozenset(
        promotion.code
        for promotion in ruleset.promotions
        if refusal(promotion, basket, facts, ruleset.terms) is None
    )


def promotions_open_now(member: Snapshot) -> frozenset[str]:
    """As `promotions_open_to`, from what was read of the member already; none while the programme has no rules."""
    try:
        return promotions_open_to(
            member.programme_id, member.rules.version, member.holding, member.segments, member.now
        )
    except ProgrammeNotActive:
        return frozenset()


def promotions_of(
    programme: Programme, status: str | None = None, now: datetime | None = None
) -> QuerySet[Promotion]:
    """The programme's promotions that have a rule, with `body` and `valid_until` of the last one; with a
    `status`, those that have it at `now`, drafts too."""
    versions = PromotionVersion.objects.filter(promotion=OuterRef("pk"), is_voided=False)
    published, drafted = Exists(versions), Q(draft__isnull=False)
    shown = published if status is None else published | drafted
    promotions = promotions_with_rule(Promotion.objects.filter(shown, programme=programme))
    return promotions if status is None or now is None else with_status(promotions, status, now)


@dataclass(frozen=True, slots=True)
class PromotionWords:
    """What it takes to say a programme's promotions in words: product sets by hash, links by promotion."""

    programme: Programme
    products: Mapping[str, Part]
    links: Mapping[str, Part]
    now: datetime

    def summary(self, promotion: Promotion, body: Part) -> str:
        """The rule of `body` in plain words, for whom it is now."""
        products = body["products"]
        if isinstance(products, str):
            products = self.products.get(products)
        running = [
            link
            for link in self.links.get(promotion.code, {"links": []})["links"]
            if link["until"] is None or datetime.fromisoformat(link["until"]) > self.now
        ]
        links = {
            mode: sorted({link["segment"] for link in running if link["mode"] == mode})
            for mode in ("include", "exclude")
        }
        return wording.promotion_summary(body, products, self.programme, links)


def promotion_words(programme: Programme, now: datetime) -> PromotionWords:
    """Product sets and links of all promotions; product sets come from what this process keeps of the rules."""
    head = RulesHead.objects.filter(programme=programme).values_list("version", flat=True).first() or 0
    rules = timeline(programme.pk, head)
    return PromotionWords(programme, rules.bodies, link_parts(programme.pk), now)


def promotion_by_code(programme: Programme, code: str) -> Promotion:
    """A promotion by code. NotFound."""
    promotion = Promotion.objects.filter(programme=programme, code=code).first()
    if promotion is None:
        raise NotFound
    promotion.programme = programme
    return promotion


def promotion_links(promotion: Promotion) -> QuerySet[PromotionSegment]:
    """All links of a promotion, ended ones too, with their segments."""
    return promotion.links.select_related("promotion", "segment")
