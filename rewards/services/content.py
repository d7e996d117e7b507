"""What a version says: its content as a value, and what may be wrong with it."""

from collections.abc import Callable, Collection, Iterator, Mapping, Set
from dataclasses import dataclass, field, fields, replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db.models import QuerySet

from config.kernel.errors import FieldError, ValidationFailed
from config.kernel.flat import flat_errors
from config.kernel.texts import Texts, clean_html, stripped, text_errors
from loyalty.models import Tier
from members.models import Programme
from members.selectors import languages_of
from rewards.models import Category, Picture, RewardVersion, VersionPicture
from segments.selectors import segments_of

NAME_LENGTH, TEXT_LENGTH, ALT_LENGTH, MAX_IMAGES = 200, 20_000, 300, 10


@dataclass(frozen=True, slots=True)
class Image:
    """A picture of the programme by its id, and what it shows as `{language: text}`."""

    picture: int
    alt: Texts = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """All of a version that the client validates; fields as RewardVersion explains them."""

    name: Texts
    points: int
    description: Texts = field(default_factory=dict)
    delivery_terms: Texts = field(default_factory=dict)
    brand: str = ""
    supplier: str = ""
    cash_amount: Decimal | None = None
    face_value: Decimal | None = None
    face_currency: str = ""
    attributes: Mapping[str, Any] = field(default_factory=dict)
    segments: tuple[str, ...] = ()
    tiers: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    live_from: datetime | None = None
    live_until: datetime | None = None
    voucher_days: int | None = None
    has_balance: bool = False
    is_returnable: bool = False
    returns_points: bool = True
    returns_stock: bool = True
    images: tuple[Image, ...] = ()

    def columns(self) -> dict[str, Any]:
        """The columns of the version; its images are rows of their own."""
        found = {name: getattr(self, name) for name in COLUMNS}
        return found | {name: list(found[name]) for name in ("segments", "tiers", "categories")}


COLUMNS = tuple(column.name for column in fields(Content) if column.name != "images")


def content_of(version: RewardVersion) -> Content:
    """What a version says."""
    said = {name: getattr(version, name) for name in COLUMNS}
    said |= {name: tuple(said[name]) for name in ("segments", "tiers", "categories")}
    images = tuple(Image(row.picture_id, row.alt) for row in version.pictures.all())
    return Content(**said, images=images)


def cleaned(content: Content) -> Content:
    """Texts without surrounding blanks and without languages that say nothing; safe descriptions."""
    safe = {language: clean_html(text) for language, text in content.description.items()}
    return replace(
        content,
        name=stripped(content.name),
        description=stripped(safe),
        delivery_terms=stripped(content.delivery_terms),
        images=tuple(Image(image.picture, stripped(image.alt)) for image in content.images),
    )


@dataclass(frozen=True, slots=True)
class Names:
    """What contents of a programme may name: its languages, codes it has, and its pictures by id."""

    languages: Set[str]
    segments: Set[str]
    tiers: Set[str]
    categories: Set[str]
    pictures: Set[int]


def names_of(programme: Programme, content: Content | None = None) -> Names:
    """The names of a programme: all, for many contents, or those that one content asks for."""

    def found(rows: "QuerySet[Any]", key: str, wanted: Callable[[Content], Collection[object]]) -> set[Any]:
        if content is not None:
            asked = wanted(content)
            rows = rows.filter(**{f"{key}__in": asked}) if asked else rows.none()
        return set(rows.values_list(key, flat=True))

    own = {"programme": programme}
    return Names(
        languages={language.code for language in languages_of(programme)},
        segments=found(segments_of(programme), "code", lambda said: said.segments),
        tiers=found(Tier.objects.filter(**own), "code", lambda said: said.tiers),
        categories=found(Category.objects.filter(**own), "code", lambda said: said.categories),
        pictures=found(Picture.objects.filter(**own), "pk", lambda said: [x.picture for x in said.images]),
    )


def check_content(programme: Programme, content: Content, names: Names | None = None) -> None:
    """Raises ValidationFailed with a pointer to every field that cannot be. Whoever checks many brings `names`."""
    names = names or names_of(programme, content)
    errors = [
        *_text_errors(content, names.languages),
        *_code_errors(names, content),
        *_amount_errors(programme, content),
        *_image_errors(names, content),
        *flat_errors("/attributes", content.attributes),
    ]
    if content.live_from and content.live_until and content.live_until <= content.live_from:
        errors.append(FieldError("/live_until", "before_start", "It must end after it starts."))
    if errors:
        raise ValidationFailed(errors=errors)


def _text_errors(content: Content, languages: Set[str]) -> Iterator[FieldError]:
    lengths = {"name": NAME_LENGTH, "description": TEXT_LENGTH, "delivery_terms": TEXT_LENGTH}
    for name, length in lengths.items():
        yield from text_errors(f"/{name}", getattr(content, name), languages, length)
    for name in ("brand", "supplier"):
        if len(getattr(content, name)) > 100:
            yield FieldError(f"/{name}", "too_long", "At most 100 characters.")
    if not content.name:
        yield FieldError("/name", "missing", "A gift needs a name.")


def _code_errors(names: Names, content: Content) -> Iterator[FieldError]:
    for name in ("segments", "tiers", "categories"):
        for code in sorted(set(getattr(content, name)) - getattr(names, name)):
            yield FieldError(f"/{name}", "unknown", f"The programme has no {code}.")


def _amount_errors(programme: Programme, content: Content) -> Iterator[FieldError]:
    if not 1 <= content.points <= 2**53:
        yield FieldError("/points", "out_of_range", "From 1 to 2^53 points.")
    if (content.face_value is None) != (not content.face_currency):
        yield FieldError("/face_value", "incomplete", "A value needs a currency, and a currency a value.")
    for name in ("cash_amount", "face_value"):
        value = getattr(content, name)
        if value is None:
            continue
        if not 0 < value < 10**15:
            yield FieldError(f"/{name}", "out_of_range", "More than 0.")
        elif value != round(value, programme.currency_digits if name == "cash_amount" else 3):
            yield FieldError(f"/{name}", "too_precise", "More decimals than the currency has.")


def _image_errors(names: Names, content: Content) -> Iterator[FieldError]:
    if len(content.images) > MAX_IMAGES:
        yield FieldError("/images", "too_many", f"At most {MAX_IMAGES} images.")
    if not {image.picture for image in content.images} <= names.pictures:
        yield FieldError("/images", "unknown", "The programme has no such picture.")
    for number, image in enumerate(content.images):
        yield from text_errors(f"/images/{number}/alt", image.alt, names.languages, ALT_LENGTH)


def write_images(version: RewardVersion, content: Content) -> None:
    """Let the version have exactly these images, in this order."""
    version.pictures.all().delete()
    VersionPicture.objects.bulk_create(
        VersionPicture(
            programme_id=version.programme_id,
            version=version,
            picture_id=image.picture,
            position=position,
            alt=dict(image.alt),
        )
        for position, image in enumerate(content.images)
    )
