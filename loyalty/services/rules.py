"""Changes of a programme's rules. Each ends a version, starts the next at that instant, and publishes."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import F, Q

from config.kernel.errors import FieldError
from loyalty import rulesets
from loyalty.engine import ENGINE
from loyalty.errors import RuleRefused
from loyalty.models import (
    Promotion,
    PromotionSegment,
    RulePart,
    Ruleset,
    RulesHead,
    TermsVersion,
)
from loyalty.models.rules import Version
from loyalty.rules import TermsRule
from members.models import Programme
from segments.models import Segment


@transaction.atomic
def terms_set(*, programme: Programme, terms: TermsRule, now: datetime) -> TermsVersion:
    """Put terms in force from `now` on; the first ones reach back without limit. RuleRefused."""
    terms.check()
    part = part_stored(programme, terms.part(programme))
    head_locked(programme)
    current = TermsVersion.objects.filter(programme=programme, valid_until=None).first()
    if current and current.part == part:
        return current
    first = not TermsVersion.objects.filter(programme=programme).exists()
    version_end(current, now)
    version = TermsVersion.objects.create(programme=programme, part=part, valid_from=None if first else now)
    rules_publish(programme=programme)
    return version


@transaction.atomic
def promotion_link(
    *,
    promotion: Promotion,
    segment: Segment,
    mode: str,
    valid_from: datetime,
    valid_until: datetime | None = None,
    publish: bool = True,
) -> PromotionSegment:
    """Include or exclude a segment's members for a time; the database refuses overlapping links."""
    head_locked(promotion.programme)
    link = PromotionSegment.objects.create(
        programme_id=promotion.programme_id,
        promotion=promotion,
        segment=segment,
        mode=mode,
        valid_from=valid_from,
        valid_until=valid_until,
    )
    if publish:
        rules_publish(programme=promotion.programme)
    return link


@transaction.atomic
def promotion_link_put(
    *,
    promotion: Promotion,
    segment: Segment,
    mode: str,
    valid_from: datetime | None,
    valid_until: datetime | None,
    now: datetime,
) -> tuple[PromotionSegment, bool]:
    """Link a segment, or change the link that runs or is to come; returns it, and whether it is new.

    None as `valid_from` is now for a new link, and leaves that of a known one. What was true before now
    stays true for late receipts: a running link keeps its start, and another mode ends it and starts a new
    link. RuleRefused for dates that cannot be, also when they would overlap a link that ended later.
    """
    head_locked(promotion.programme)
    known = (
        promotion.links.filter(segment=segment).filter(Q(valid_until=None) | Q(valid_until__gt=now)).first()
    )
    start = valid_from or (known.valid_from if known else now)
    if valid_until is not None and valid_until <= max(start, now):
        raise RuleRefused(
            errors=[FieldError("/valid_until", "ends_before_start", "It would end before it starts.")]
        )
    if known and known.valid_from < now:
        if known.mode == mode:
            start = known.valid_from
        else:
            start = max(start, now)
            promotion_link_end(link=known, now=now, at=min(start, known.valid_until or start))
            known = None
    is_new = known is None
    link = known or PromotionSegment(
        programme_id=promotion.programme_id, promotion=promotion, segment=segment
    )
    if (link.mode, link.valid_from, link.valid_until, is_new) == (mode, start, valid_until, False):
        return link, False
    link.mode, link.valid_from, link.valid_until = mode, start, valid_until
    try:
        with transaction.atomic():
            link.save()
    except IntegrityError as error:
        overlap = FieldError("/valid_from", "overlaps", "It would overlap another link of this segment.")
        raise RuleRefused(errors=[overlap]) from error
    rules_publish(programme=promotion.programme)
    return link, is_new


@transaction.atomic
def promotion_link_end(
    *, link: PromotionSegment, now: datetime, at: datetime | None = None
) -> PromotionSegment:
    """End a link at an instant, now unless another is given; the row stays and the rules are published.

    A link that has not begun ends as it begins. RuleRefused: it has ended already, or would end in the past.
    """
    head_locked(link.promotion.programme)
    link.refresh_from_db()
    end = max(at or now, link.valid_from)
    if link.valid_until is not None and link.valid_until <= now:
        raise RuleRefused(errors=[FieldError("/valid_until", "ended", "This link has ended already.")])
    if end < now:
        raise RuleRefused(errors=[FieldError("/valid_until", "in_the_past", "The end lies in the past.")])
    link.valid_until = end
    link.save(update_fields=["valid_until"])
    rules_publish(programme=link.promotion.programme)
    return link


@transaction.atomic
def promotion_unlink(*, promotion: Promotion, segment: Segment, now: datetime) -> bool:
    """End the segment's links that run or are to come; returns whether there was one."""
    links = list(promotion.links.filter(Q(valid_until=None) | Q(valid_until__gt=now), segment=segment))
    for link in links:
        promotion_link_end(link=link, now=now)
    return bool(links)


@transaction.atomic
def rules_publish(*, programme: Programme) -> int:
    """Store every ruleset of the programme's timeline and raise its head version, which it returns."""
    head = head_locked(programme)
    timeline = rulesets.load(programme.pk, head.version + 1)
    for body in rulesets.link_parts(programme.pk).values():
        part_stored(programme, body)
    stored = [
        Ruleset(programme=programme, hash=rulesets.ruleset_hash(ENGINE, parts), engine=ENGINE, parts=parts)
        for parts in timeline.parts
    ]
    Ruleset.objects.bulk_create(stored, ignore_conflicts=True)
    RulesHead.objects.filter(pk=head.pk).update(version=F("version") + 1)
    return head.version + 1


def head_locked(programme: Programme) -> RulesHead:
    """One change of a programme's rules at a time."""
    RulesHead.objects.get_or_create(programme=programme)
    return RulesHead.objects.select_for_update().get(programme=programme)


def part_stored(programme: Programme, body: Mapping[str, Any]) -> str:
    hash_ = rulesets.part_hash(body)
    RulePart.objects.get_or_create(programme=programme, hash=hash_, defaults={"body": body})
    return hash_


def version_end(version: Version | None, now: datetime) -> None:
    if version is not None:
        version.valid_until = now
        version.save(update_fields=["valid_until"])
