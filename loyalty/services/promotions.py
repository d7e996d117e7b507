"""A promotion from draft to end. Publishing starts a version at that instant, pausing and ending end one."""

from dataclasses import replace
from datetime import datetime

from django.db import transaction
from django.db.models import Q, Sum

from config.kernel.texts import Texts
from loyalty.engine.numbers import POINT, plain, scaled
from loyalty.errors import PromotionMoveRefused, SamePerson
from loyalty.models import Promotion, PromotionBudget, PromotionUsage, PromotionVersion, RulePart
from loyalty.promotions.stakes import points_at_stake
from loyalty.rules import PromotionDraft, PromotionRule
from loyalty.services.labels import labels_checked
from loyalty.services.rules import (
    head_locked,
    part_stored,
    promotion_link,
    promotion_unlink,
    rules_publish,
    version_end,
)
from loyalty.versions import (
    promotion_last_version,
    promotion_life,
    promotion_rule_of,
    terms_in_force,
)
from members.models import Programme
from segments.selectors import segment_by_code


@transaction.atomic
def promotion_draft_save(
    *, programme: Programme, code: str, draft: PromotionDraft, actor: str, now: datetime
) -> Promotion:
    """Keep what a promotion, new or not, is to say next; nothing changes for anybody. The same again stays its
    author's. RuleRefused, PromotionMoveRefused."""
    draft.rule.check()
    draft = replace(draft, labels=labels_checked(programme, draft.labels))
    head_locked(programme)
    promotion = _promotion(programme, code)
    _check_move(promotion, "publish", now)
    if promotion.draft == draft.row(code):
        return promotion
    promotion.name = promotion.name or draft.name
    promotion.draft, promotion.drafted_at, promotion.drafted_by = draft.row(code), now, actor
    promotion.save()
    return promotion


@transaction.atomic
def promotion_draft_publish(*, promotion: Promotion, actor: str, now: datetime) -> Promotion:
    """Put the draft in force from `now` on, and link and unlink its segments.

    The links of a first publication begin with the promotion's window where that has begun. RuleRefused,
    PromotionMoveRefused; SamePerson when so much is at stake that somebody else than its author must do it.
    """
    head_locked(promotion.programme)
    promotion.refresh_from_db()
    if promotion.draft is None:
        raise PromotionMoveRefused("It has no draft to publish.", allowed=[])
    draft = PromotionDraft.from_row(promotion.draft)
    if actor == promotion.drafted_by and needs_second_person(promotion.programme, draft.rule):
        limit = promotion.programme.approval_limit
        raise SamePerson(f"It may give more than {limit} points at once, so somebody else has to publish it.")
    is_first = not promotion.versions.exists()
    start = draft.rule.starts_at if is_first and draft.rule.starts_at else now
    promotion_publish(
        programme=promotion.programme,
        code=promotion.code,
        name=draft.name,
        labels=draft.labels,
        rule=draft.rule,
        now=now,
    )
    _link(promotion, draft, min(start, now), now)
    Promotion.objects.filter(pk=promotion.pk).update(draft=None, drafted_at=None, drafted_by="")
    promotion.refresh_from_db()
    return promotion


def needs_second_person(programme: Programme, rule: PromotionRule) -> bool:
    """Whether one receipt of 100 in money, or of 10 items, may get more than the programme's approval limit."""
    terms, limit = terms_in_force(programme), programme.approval_limit
    return limit is not None and terms is not None and points_at_stake(rule, terms) > limit


@transaction.atomic
def promotion_draft_discard(*, promotion: Promotion) -> None:
    """Forget the draft of a published promotion. PromotionMoveRefused: one never published is ended instead."""
    head_locked(promotion.programme)
    if not promotion.versions.exists():
        raise PromotionMoveRefused("It was never published. End it instead.", allowed=["publish", "end"])
    Promotion.objects.filter(pk=promotion.pk).update(draft=None, drafted_at=None, drafted_by="")


@transaction.atomic
def promotion_publish(
    *,
    programme: Programme,
    code: str,
    name: str,
    rule: PromotionRule,
    now: datetime,
    labels: Texts | None = None,
    publish: bool = True,
) -> Promotion:
    """Create a promotion, or change it from `now` on; a draft of it stays. RuleRefused, PromotionMoveRefused.

    `labels` are its names for members by language, None = as before. `publish` False leaves the rulesets to a
    later `rules_publish`, for many changes at once.
    """
    rule.check()
    head_locked(programme)
    promotion = _promotion(programme, code)
    _check_move(promotion, "publish", now)
    promotion.name = name
    if labels is not None:
        promotion.labels = labels_checked(programme, labels)
    promotion.save()
    products = part_stored(programme, rule.products.part()) if rule.products else None
    part = part_stored(programme, rule.part(code, products))
    current = promotion.versions.filter(valid_until=None).first()
    if current is None or current.part != part:
        first = not promotion.versions.exists()
        version_end(current, now)
        PromotionVersion.objects.create(promotion=promotion, part=part, valid_from=None if first else now)
        _set_budget(promotion)
    if publish:
        rules_publish(programme=programme)
    return promotion


@transaction.atomic
def promotion_pause(*, promotion: Promotion, now: datetime) -> None:
    """End the version in force. PromotionMoveRefused."""
    head_locked(promotion.programme)
    _check_move(promotion, "pause", now)
    version_end(promotion.versions.filter(valid_until=None).first(), now)
    rules_publish(programme=promotion.programme)


@transaction.atomic
def promotion_resume(*, promotion: Promotion, now: datetime) -> Promotion:
    """Put the rule of the last version in force again, from `now` on. PromotionMoveRefused."""
    head_locked(promotion.programme)
    _check_move(promotion, "resume", now)
    version = promotion_last_version(promotion)
    if version is None:
        raise PromotionMoveRefused("All its versions are voided. Publish a right one.", allowed=["publish"])
    rule = promotion_rule_of(promotion.programme, version.part)
    return promotion_publish(
        programme=promotion.programme, code=promotion.code, name=promotion.name, rule=rule, now=now
    )


@transaction.atomic
def promotion_end(*, promotion: Promotion, now: datetime) -> None:
    """End a promotion for good, and forget its draft. PromotionMoveRefused."""
    head_locked(promotion.programme)
    _check_move(promotion, "end", now)
    version_end(promotion.versions.filter(valid_until=None).first(), now)
    Promotion.objects.filter(pk=promotion.pk).update(ended_at=now, draft=None, drafted_at=None, drafted_by="")
    rules_publish(programme=promotion.programme)


@transaction.atomic
def promotion_void(*, version: PromotionVersion, now: datetime) -> None:
    """Take a wrong version out of every time, so that no late receipt gets it."""
    head_locked(version.promotion.programme)
    version.is_voided = True
    version.valid_until = version.valid_until or now
    version.save(update_fields=["is_voided", "valid_until"])
    rules_publish(programme=version.promotion.programme)


def _promotion(programme: Programme, code: str) -> Promotion:
    known = Promotion.objects.filter(programme=programme, code=code).first()
    return known or Promotion(programme=programme, code=code)


def _check_move(promotion: Promotion, move: str, now: datetime) -> None:
    """PromotionMoveRefused with what is possible instead. A new promotion can only be published."""
    if promotion._state.adding:
        return
    stands = promotion_life(promotion, now)
    if refusal := stands.refusal(move):
        raise PromotionMoveRefused(refusal, allowed=list(stands.moves))


def _link(promotion: Promotion, draft: PromotionDraft, start: datetime, now: datetime) -> None:
    for code in draft.unlink:
        promotion_unlink(promotion=promotion, segment=segment_by_code(promotion.programme, code), now=now)
    running = promotion.links.filter(Q(valid_until=None) | Q(valid_until__gt=now))
    linked = set(running.values_list("segment__code", flat=True))
    for code in sorted(set(draft.link) - linked):
        segment = segment_by_code(promotion.programme, code)
        promotion_link(
            promotion=promotion, segment=segment, mode=draft.link[code], valid_from=start, publish=False
        )
    rules_publish(programme=promotion.programme)


def _set_budget(promotion: Promotion) -> None:
    """The budget counter of a promotion whose versions have one, with what it gave before it was counted."""
    parts = promotion.versions.filter(is_voided=False).values("part")
    bodies = RulePart.objects.filter(programme_id=promotion.programme_id, hash__in=parts).values_list(
        "body", flat=True
    )
    budgets = [body["caps"]["budget"] for body in bodies if "budget" in body["caps"]]
    if not budgets:
        return
    points = [scaled(budget["points"], POINT) for budget in budgets if "points" in budget]
    uses = [budget["uses"] for budget in budgets if "uses" in budget]
    used = PromotionUsage.objects.filter(promotion=promotion).aggregate(
        points=Sum("points"), uses=Sum("uses")
    )
    limits = {
        "points_limit": plain(max(points), POINT) if points else None,
        "uses_limit": max(uses) if uses else None,
    }
    PromotionBudget.objects.update_or_create(
        promotion=promotion,
        defaults=limits,
        create_defaults={**limits, "points_used": used["points"] or 0, "uses_used": used["uses"] or 0},
    )
