"""What the database itself refuses about gifts, whoever writes."""

from typing import Any

import pytest
from django.db import IntegrityError, transaction

from loyalty.models import Promotion
from members.models import Programme
from rewards.models import (
    CatalogueHead,
    Category,
    PromotionalPrice,
    Reward,
    RewardStep,
    RewardVersion,
    VersionPicture,
)
from rewards.services import Image, picture_store, version_submit
from tests.factories import ProgrammeFactory
from tests.rewards.catalogue import ANN, NOW, category, gift, image_bytes, live_gift, revised, validated

pytestmark = pytest.mark.django_db


def refused(change: Any, name: str) -> None:
    """The change fails with this constraint or message."""
    with pytest.raises(IntegrityError, match=name), transaction.atomic():
        change()


def test_values_that_cannot_be(programme: Programme) -> None:
    reward = live_gift(programme, stock=1)
    rewards, versions = Reward.objects.filter(pk=reward.pk), RewardVersion.objects.filter(reward=reward)
    draft = RewardVersion.objects.filter(pk=revised(reward).pk)
    refused(lambda: rewards.update(stock=-1), "stock")
    refused(lambda: rewards.update(limit_per_member=0), "reward_limits_positive")
    refused(lambda: draft.update(points=0), "version_points")
    refused(lambda: draft.update(state="live"), "version_(validated_by_another|live_is_dated)")
    refused(lambda: versions.filter(state="live").update(validated_by=ANN), "version_validated_by_another")
    refused(lambda: versions.filter(state="live").update(shown_from=None), "version_live_is_dated")


def test_what_was_submitted_is_not_rewritten(programme: Programme) -> None:
    picture = picture_store(programme=programme, content=image_bytes(), now=NOW)
    reward = gift(programme, images=(Image(picture.pk),))
    version = version_submit(version=reward.versions.get(), actor=ANN, now=NOW)
    rows = RewardVersion.objects.filter(pk=version.pk)
    images = VersionPicture.objects.filter(version=version)
    refused(lambda: rewrite(rows, points=1), "not rewritten")
    refused(lambda: rewrite(rows, name={"fr": "Autre"}), "not rewritten")
    refused(lambda: images.delete(), "keeps its pictures")
    refused(lambda: images.update(position=4), "keeps its pictures")
    refused(
        lambda: VersionPicture.objects.create(
            programme=programme, version=version, picture=picture, position=1
        ),
        "keeps its pictures",
    )
    validated_too = RewardVersion.objects.get(pk=version.pk)
    assert (validated_too.points, images.count()) == (1200, 1)


def rewrite(rows: Any, **fields: Any) -> None:
    rows.update(**fields)


def test_two_versions_are_never_shown_at_once(programme: Programme) -> None:
    reward = live_gift(programme)
    revised(reward)
    second = validated(reward)
    rows = RewardVersion.objects.filter(reward=reward).exclude(pk=second.pk)
    refused(lambda: rows.update(shown_until=None), "version_shown_once_at_a_time")


def test_steps_are_append_only(programme: Programme) -> None:
    steps = RewardStep.objects.filter(reward=live_gift(programme))
    refused(lambda: steps.update(actor="staff:eve"), "append-only")
    refused(lambda: steps.delete(), "append-only")


def test_walls_between_programmes(programme: Programme) -> None:
    other = ProgrammeFactory(code="tea-house")
    own, foreign = live_gift(programme), live_gift(other)
    theirs = category(other)
    picture = picture_store(programme=other, content=image_bytes(), now=NOW)
    promotion = Promotion.objects.create(programme=other, code="PR", name="PR")
    draft = revised(own)
    mine = category(programme, "mine")
    steps = {"action": "x", "state": "x", "actor": ANN, "at": NOW}
    walls = {
        "category_parent_of_programme": lambda: Category.objects.filter(pk=mine.pk).update(
            parent=theirs, level=2
        ),
        "category_picture_of_programme": lambda: Category.objects.filter(pk=mine.pk).update(picture=picture),
        "version_reward_of_programme": lambda: RewardVersion.objects.filter(pk=draft.pk).update(
            reward=foreign, number=9
        ),
        "version_picture_picture_of_programme": lambda: VersionPicture.objects.create(
            programme=programme, version=draft, picture=picture, position=0
        ),
        "step_reward_of_programme": lambda: RewardStep.objects.create(
            programme=programme, reward=foreign, **steps
        ),
        "promotional_price_promotion_of_programme": lambda: PromotionalPrice.objects.create(
            programme=programme, reward=own, promotion=promotion, points=1
        ),
    }
    for name, change in walls.items():
        refused(change, name)


def test_the_number_rises_only_when_what_is_shown_changes(programme: Programme) -> None:
    reward = live_gift(programme, stock=3)
    rows = Reward.objects.filter(pk=reward.pk)

    def number() -> int:
        return CatalogueHead.objects.get(programme=programme).number

    before = number()
    rows.update(stock=1)
    assert number() == before
    rows.update(stock=0)
    assert number() == before + 1
    rows.update(stock=None)
    assert number() == before + 2
    programme.languages.filter(code="nl-BE").update(fallback="")
    assert number() == before + 3
