"""Gifts and categories for tests, made by the services."""

import io
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from PIL import Image as PillowImage

from members.models import Programme
from rewards.models import Category, Reward, RewardVersion
from rewards.services import (
    Content,
    category_create,
    reward_create,
    reward_revise,
    version_submit,
    version_validate,
)

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
ANN, BEN = "staff:ann", "staff:ben"
"""Who writes and submits, and who validates."""

BASE = Content(
    name={"fr": "Boîte de pralines", "nl-BE": "Doos pralines"},
    description={"fr": "<p>250 g de <strong>pralines</strong></p>"},
    points=1200,
)


def category(programme: Programme, code: str = "sweets", **fields: Any) -> Category:
    """A category with a name in the default language."""
    fields.setdefault("name", {"fr": code.title()})
    return category_create(programme=programme, code=code, **fields)


def gift(programme: Programme, code: str = "GFT-1", *, at: datetime = NOW, **fields: Any) -> Reward:
    """A gift in draft; fields are those of the gift or of its content."""
    own = {name: fields.pop(name) for name in ("stock", "terms", "kind") if name in fields}
    own.setdefault("kind", "physical")
    content = replace(BASE, **fields)
    return reward_create(programme=programme, code=code, content=content, actor=ANN, now=at, **own)


def validated(reward: Reward, *, at: datetime = NOW, **how: Any) -> RewardVersion:
    """Submit the gift's draft and validate it."""
    version = reward.versions.order_by("-number")[0]
    version = version_submit(version=version, actor=ANN, now=at)
    return version_validate(version=version, actor=BEN, now=at, **how)


def live_gift(programme: Programme, code: str = "GFT-1", *, at: datetime = NOW, **fields: Any) -> Reward:
    """A gift whose first version was validated."""
    reward = gift(programme, code, at=at, **fields)
    validated(reward, at=at)
    return Reward.objects.get(pk=reward.pk)


def revised(reward: Reward, *, at: datetime = NOW, **fields: Any) -> RewardVersion:
    """A draft that says something else."""
    return reward_revise(reward=reward, content=replace(BASE, **fields), actor=ANN, now=at)


def image_bytes(size: tuple[int, int] = (640, 480), format_: str = "PNG", colour: str = "chocolate") -> bytes:
    """A plain picture."""
    file = io.BytesIO()
    PillowImage.new("RGB", size, colour).save(file, format_)
    return file.getvalue()
