"""What a row of a file of gifts comes to: nothing, a new gift, or a draft and other terms of one that is there."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from zoneinfo import ZoneInfo

from django.db.models import Prefetch

from config.kernel.errors import RistourneError, ValidationFailed
from config.kernel.models import check_fields
from members.models import Programme
from members.selectors import languages_of
from rewards.models import Picture, Reward, RewardVersion
from rewards.services.content import Content, Image, Names, check_content, cleaned, content_of
from rewards.services.gifts import (
    Terms,
    check_writable,
    reward_create,
    reward_revise,
    reward_update,
    stock_set,
)
from rewards.services.sheet import TERMS, Place, Wanted, read, written, written_terms

NEW, CHANGED, UNCHANGED, REFUSED = "new", "changed", "unchanged", "refused"
_NOTHING = Content(name={}, points=0)

Resolve = Callable[[str], "int | None"]
"""The picture an image's file name stands for; None for one that is not kept yet. Raises PictureRefused."""


@dataclass(frozen=True, slots=True)
class Known:
    """A gift and the version that a row is compared with: the open one, else the last one shown; None without."""

    reward: Reward
    version: RewardVersion | None

    @property
    def waiting(self) -> RewardVersion | None:
        """The version that is worked on or waits for a decision."""
        return self.version if self.version and self.version.state in RewardVersion.OPEN else None


def place_of(programme: Programme) -> Place:
    """How rows of the programme are written."""
    languages = sorted(languages_of(programme), key=lambda row: not row.is_default)
    return Place([row.code for row in languages], ZoneInfo(programme.time_zone))


def known_gifts(programme: Programme, codes: Iterable[str] | None = None) -> dict[str, Known]:
    """The programme's gifts by code, those with `codes` or all that are not retired."""
    versions = RewardVersion.objects.exclude(state=RewardVersion.State.RETIRED).order_by("-number")
    versions = versions.prefetch_related("pictures__picture")
    found = Reward.objects.filter(programme=programme).select_related("programme")
    if codes is None:
        found = found.exclude(state=Reward.State.RETIRED).order_by("code")
    else:
        found = found.filter(code__in=list(codes))
    found = found.prefetch_related(Prefetch("versions", versions, to_attr="kept"))
    return {row.code: Known(row, next(iter(row.kept), None)) for row in found}


@dataclass(frozen=True, slots=True)
class Change:
    """A row against what is there: `content` is None where it stays."""

    known: Known | None
    code: str
    wanted: Wanted
    content: Content | None

    @property
    def kind(self) -> str:
        """NEW, CHANGED or UNCHANGED."""
        if self.known is None:
            return NEW
        return CHANGED if self.content or self.has_terms or self.has_stock else UNCHANGED

    @property
    def has_terms(self) -> bool:
        return self.known is not None and self.wanted.terms != _terms(self.known.reward)

    @property
    def has_stock(self) -> bool:
        return self.wanted.stock != self.wanted.stock_was


def _terms(reward: Reward) -> Terms:
    return Terms(**{name: getattr(reward, name) for name in TERMS})


def change_of(cells: Mapping[str, str], known: Known | None, place: Place, resolve: Resolve) -> Change:
    """What a row wants changed. Raises ValidationFailed, and PictureRefused."""
    version = known.version if known else None
    now = content_of(version) if version else _NOTHING
    was = None
    if known:
        was = written(known.reward, version, place) if version else written_terms(known.reward)
    wanted = read(cells, was, place, now)
    if known and wanted.kind not in {"", known.reward.kind}:
        raise ValidationFailed.at("/kind", "fixed", "The kind of a gift does not change.")
    content = wanted.content
    is_pictured = wanted.images is not None
    if wanted.images is not None:
        kept = [(resolve(name), alt) for name, alt in wanted.images]
        # A picture that is not kept yet is another one than any the gift has.
        is_pictured = any(picture is None for picture, _ in kept)
        images = tuple(Image(picture, alt) for picture, alt in kept if picture is not None)
        content = replace(content, images=images)
    content = cleaned(content)
    is_same = version is not None and content == content_of(version) and not is_pictured
    return Change(known, cells["code"], wanted, None if is_same else content)


def check_change(programme: Programme, change: Change, names: Names, now: datetime) -> None:
    """Raises what applying the change would: ValidationFailed, and IllegalStep while a version waits."""
    known, wanted = change.known, change.wanted
    reward = known.reward if known else Reward(programme=programme, code=change.code, kind=wanted.kind)
    if change.content:
        if known:
            check_writable(reward, known.waiting)
        check_content(programme, change.content, names)
    if known is None or change.has_terms or change.has_stock:
        checked = Reward(
            programme=programme,
            code=reward.code,
            kind=reward.kind,
            stock=wanted.stock,
            changed_at=now,
            created_at=now,
            **asdict(wanted.terms),
        )
        check_fields(checked, checks_uniqueness=False)


def change_apply(programme: Programme, change: Change, actor: str, now: datetime) -> None:
    """Write the change: texts, price and images into a draft, limits and stock at once. Raises as the services."""
    wanted, known = change.wanted, change.known
    if known is None:
        reward_create(
            programme=programme,
            code=change.code,
            kind=wanted.kind,
            content=change.content or wanted.content,
            actor=actor,
            now=now,
            stock=wanted.stock,
            terms=wanted.terms,
        )
        return
    if change.content:
        reward_revise(reward=known.reward, content=change.content, actor=actor, now=now)
    if change.has_terms:
        reward_update(reward=known.reward, terms=wanted.terms, actor=actor, now=now)
    if change.has_stock:
        stock_set(reward=known.reward, stock=wanted.stock, was=wanted.stock_was, actor=actor, now=now)


def pictures_named(programme: Programme, names: Iterable[str]) -> dict[str, int]:
    """The programme's pictures by the name of their widest file, as an export writes it, of these names."""
    digests = {name.partition("-")[0] for name in names}
    if not digests:
        return {}
    found = Picture.objects.filter(programme=programme, digest__in=digests)
    return {files[0]["name"]: pk for pk, files in found.values_list("pk", "files")}


def told(error: RistourneError) -> str:
    """A refusal as a line: the columns and what is wrong with them."""
    named = [f"{one.pointer.strip('/')}: {one.detail}".removeprefix(": ") for one in error.errors]
    return " ".join(named) or error.detail or error.title
