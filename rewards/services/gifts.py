"""Writes of gifts and of their versions before anybody validates them."""

from dataclasses import asdict, dataclass
from datetime import datetime

from django.db import IntegrityError
from django.db import transaction as db_transaction

from config.kernel.errors import NotFound, ValidationFailed
from config.kernel.models import check_fields
from loyalty.models import Promotion
from members.models import Programme
from rewards.errors import GiftExists, IllegalStep
from rewards.models import PromotionalPrice, Reward, RewardVersion
from rewards.services.content import Content, check_content, cleaned, write_images
from rewards.services.head import reward_changed
from rewards.services.steps import SYSTEM, locked_reward, step


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What may change without the client: limits in pieces a member, None = without limit."""

    limit_per_member: int | None = None
    limit_per_period: int | None = None
    period: str = Reward.Period.MONTH


@db_transaction.atomic
def reward_create(
    *,
    programme: Programme,
    code: str,
    kind: str,
    content: Content,
    actor: str,
    now: datetime,
    stock: int | None = None,
    terms: Terms | None = None,
) -> Reward:
    """A new gift with its first version, a draft. Raises ValidationFailed and GiftExists."""
    reward = Reward(
        programme=programme,
        code=code,
        kind=kind,
        stock=stock,
        changed_at=now,
        created_at=now,
        **asdict(terms or Terms()),
    )
    check_fields(reward, checks_uniqueness=False)
    try:
        with db_transaction.atomic():
            reward.save(force_insert=True)
    except IntegrityError:
        raise GiftExists(f"There is a gift {code}.") from None
    _write(RewardVersion(reward=reward, number=1), content, actor, now)
    return reward


@db_transaction.atomic
def reward_revise(*, reward: Reward, content: Content, actor: str, now: datetime) -> RewardVersion:
    """Change the draft, or begin one while the validated version stays as it is; returns the draft.

    Raises ValidationFailed, and IllegalStep while a version is submitted or validated and waits, or when the
    gift is retired.
    """
    reward = locked_reward(reward)
    waiting = draft_of(reward)
    last = reward.versions.order_by("-number").values_list("number", flat=True).first() or 0
    version = waiting or RewardVersion(reward=reward, number=last + 1)
    return _write(version, content, actor, now)


def draft_of(reward: Reward) -> RewardVersion | None:
    """The draft that can be written; None where a new one can begin. Raises IllegalStep where neither can be."""
    waiting = reward.versions.filter(state__in=RewardVersion.OPEN).first()
    check_writable(reward, waiting)
    return waiting


def check_writable(reward: Reward, waiting: RewardVersion | None) -> None:
    """Raises IllegalStep for a retired gift, and where the version that is open waits for a decision."""
    if reward.state == Reward.State.RETIRED:
        raise IllegalStep("The gift is retired.", allowed=[])
    if waiting and waiting.state not in RewardVersion.EDITABLE:
        raise IllegalStep(
            f"Version {waiting.number} is {waiting.get_state_display().lower()}: decide on it, or withdraw it.",
            allowed=[],
        )


def _write(version: RewardVersion, content: Content, actor: str, now: datetime) -> RewardVersion:
    programme = version.reward.programme
    content = cleaned(content)
    check_content(programme, content)
    version.programme = programme
    for name, value in content.columns().items():
        setattr(version, name, value)
    is_new = version._state.adding
    if is_new:
        version.created_by, version.created_at = actor, now
    check_fields(version, checks_uniqueness=False)
    version.save()
    write_images(version, content)
    step(version.reward, version, "draft" if is_new else "edit", version.state, actor, now)
    return version


@db_transaction.atomic
def reward_update(*, reward: Reward, terms: Terms, actor: str, now: datetime) -> Reward:
    """Change the limits of a gift. Raises ValidationFailed."""
    reward = locked_reward(reward)
    before = {name: getattr(reward, name) for name in asdict(terms)}
    for name, value in asdict(terms).items():
        setattr(reward, name, value)
    check_fields(reward, checks_uniqueness=False)
    if before == asdict(terms):
        return reward
    reward.save(update_fields=list(before))
    step(reward, None, "limits", reward.state, actor, now)
    reward_changed(reward, now)
    return reward


@db_transaction.atomic
def stock_set(*, reward: Reward, stock: int | None, was: int | None, actor: str, now: datetime) -> Reward:
    """Set the stock of a gift, in pieces; None = without limit.

    `was` is the stock that whoever sets it had seen: pieces that went since then stay gone. Raises
    ValidationFailed for a stock below 0, and below what went meanwhile.
    """
    reward = locked_reward(reward)
    if stock is not None and reward.stock is not None and was is not None:
        stock += reward.stock - was
    if stock is not None and not 0 <= stock < 2**31:
        raise ValidationFailed.at("/stock", "out_of_range", "Too few: pieces went in the meantime.")
    if stock == reward.stock:
        return reward
    reward.stock = stock
    # The database raises the catalogue's number when this sells the gift out or brings it back.
    reward.save(update_fields=["stock"])
    text = "without limit" if stock is None else f"{stock} in stock"
    step(reward, None, "stock", reward.state, actor, now, text)
    return reward


@db_transaction.atomic
def promotional_price_set(
    *, reward: Reward, promotion: Promotion, points: int | None, now: datetime, actor: str = SYSTEM
) -> PromotionalPrice | None:
    """Let a gift cost other points for whom the promotion is for; None = its price again.

    Raises NotFound for a promotion of another programme, and ValidationFailed.
    """
    if promotion.programme_id != reward.programme_id:
        raise NotFound
    reward = locked_reward(reward)
    own = PromotionalPrice.objects.filter(reward=reward, promotion=promotion)
    price = None
    if points is None:
        own.delete()
    else:
        price = own.first() or PromotionalPrice(
            programme_id=reward.programme_id, reward=reward, promotion=promotion
        )
        price.points = points
        check_fields(price, checks_uniqueness=False)
        price.save()
    said = "its own price again" if points is None else f"{points} points"
    step(reward, None, "price", reward.state, actor, now, f"{promotion.code}: {said}")
    reward_changed(reward, now)
    return price
