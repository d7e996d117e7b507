"""Gifts as rows of a spreadsheet: which columns there are, what they say, and what a row wants changed.

A cell that reads as it would be written now changes nothing, so a file that was exported changes nothing.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any
from zoneinfo import ZoneInfo

from config.kernel.errors import FieldError, ValidationFailed
from config.kernel.sheets import harmless
from rewards.models import Reward, RewardVersion
from rewards.services.content import MAX_IMAGES, Content, content_of
from rewards.services.gifts import Terms

TEXTS = ("name", "description", "delivery_terms")
LISTS = ("categories", "segments", "tiers")
AMOUNTS = ("cash_amount", "face_value")
INSTANTS = ("live_from", "live_until")
SWITCHES = ("has_balance", "is_returnable", "returns_points", "returns_stock")
TERMS = ("limit_per_member", "limit_per_period", "period")
_WIDEST_NUMBER = 10**10  # spreadsheets keep 15 digits: longer numbers go as text


@dataclass(frozen=True, slots=True)
class Place:
    """What rows of a programme are written and read with: its languages, the default first, and its clock."""

    languages: Sequence[str]
    zone: ZoneInfo

    def columns(self) -> list[str]:
        """All columns, in the order of a file."""
        texts = [f"{name}_{code}" for name in TEXTS for code in self.languages]
        alts = [f"alt_{code}" for code in self.languages]
        return [
            *("code", "kind", *texts, "brand", "supplier", "points", *AMOUNTS, "face_currency"),
            *(*LISTS, "stock", "stock_was", *TERMS, *INSTANTS, "voucher_days", *SWITCHES),
            *("attributes", "images", *alts),
        ]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a row wants a gift to be. `images` are file names with what they show, None = as they are."""

    kind: str
    content: Content
    terms: Terms
    stock: int | None
    stock_was: int | None
    images: tuple[tuple[str, dict[str, str]], ...] | None


def written(reward: Reward, version: RewardVersion, place: Place) -> dict[str, object]:
    """The cells of a gift and what a version of it says, by column. Its pictures are prefetched."""
    said = content_of(version)
    pictures = list(version.pictures.all())
    cells: dict[str, object] = {}
    for name in TEXTS:
        cells |= {f"{name}_{code}": getattr(said, name).get(code, "") for code in place.languages}
    cells |= {name: ", ".join(getattr(said, name)) for name in LISTS}
    cells |= {name: getattr(said, name) for name in (*AMOUNTS, "brand", "supplier", "face_currency")}
    cells |= {name: "yes" if getattr(said, name) else "no" for name in SWITCHES}
    cells |= {name: getattr(said, name) for name in ("points", "voucher_days")}
    for name in INSTANTS:
        at: datetime | None = getattr(said, name)
        cells[name] = at.astimezone(place.zone).isoformat() if at else ""
    cells["attributes"] = json.dumps(said.attributes, ensure_ascii=False) if said.attributes else ""
    cells["images"] = ", ".join(row.picture.files[0]["name"] for row in pictures)
    for code in place.languages:
        cells[f"alt_{code}"] = "\n".join(row.alt.get(code, "") for row in pictures)
    return written_terms(reward) | {name: _cell(value) for name, value in cells.items()}


def written_terms(reward: Reward) -> dict[str, object]:
    """The cells of what no version holds."""
    cells = {name: getattr(reward, name) for name in ("code", "kind", "stock", *TERMS)}
    return {name: _cell(value) for name, value in (cells | {"stock_was": reward.stock}).items()}


def _cell(value: object) -> object:
    if value is None:
        return ""
    if not isinstance(value, int | Decimal):
        return value
    text = f"{value.normalize():f}" if isinstance(value, Decimal) else str(value)
    if abs(int(value)) >= _WIDEST_NUMBER:
        return text
    # Without the zeros the column adds, and never with an exponent.
    return Decimal(text) if isinstance(value, Decimal) else value


def read(cells: Mapping[str, str], was: "Mapping[str, object] | None", place: Place, now: Content) -> Wanted:
    """What the cells of a row want of a gift that says `now`, written as `was` (None for a new one).

    Raises ValidationFailed with a pointer to every column that cannot be read.
    """
    reader = _Reader(cells, was or {}, place, list[FieldError]())
    content = reader.content(now)
    terms = Terms(
        limit_per_member=reader.number("limit_per_member"),
        limit_per_period=reader.number("limit_per_period"),
        period=reader.word("period") or Reward.Period.MONTH,
    )
    wanted = Wanted(
        kind=reader.word("kind"),
        content=content,
        terms=terms,
        stock=reader.number("stock"),
        stock_was=reader.number("stock_was"),
        images=reader.images(),
    )
    if reader.errors:
        raise ValidationFailed(errors=reader.errors)
    return wanted


def image_names(text: str) -> list[str]:
    """The file names in a cell."""
    return [name.strip() for name in text.replace(";", ",").split(",") if name.strip()]


def plain_cell(value: object) -> str:
    """A cell as reading gives it back, whatever kind of file it went through."""
    text = f"{value:f}" if isinstance(value, Decimal) else str(value)
    text = harmless(text.strip()).replace("\r\n", "\n").replace("\r", "\n")
    return text[1:] if text.startswith("'") else text


@dataclass(frozen=True, slots=True)
class _Reader:
    cells: Mapping[str, str]
    was: Mapping[str, object]
    place: Place
    errors: list[FieldError]

    def is_changed(self, name: str) -> bool:
        """Whether the row has the column and says something else in it."""
        said = self.cells.get(name.lower())
        return said is not None and plain_cell(said) != plain_cell(self.was.get(name, ""))

    def word(self, name: str) -> str:
        return self.cells.get(name.lower(), str(self.was.get(name, "")))

    def wrong(self, name: str, detail: str) -> None:
        self.errors.append(FieldError(f"/{name}", "invalid", detail))

    def number(self, name: str) -> int | None:
        text = self.word(name)
        if not text:
            return None
        if not (text.isascii() and text.isdecimal() and len(text) <= 16):
            self.wrong(name, "A whole number.")
            return None
        return int(text)

    def content(self, now: Content) -> Content:
        """The content, changed where cells say something else."""
        changes: dict[str, Any] = {name: self._texts(name, getattr(now, name)) for name in TEXTS}
        kinds: list[tuple[Sequence[str], Any]] = [
            (LISTS, self._codes),
            (AMOUNTS, self._amount),
            (SWITCHES, self._switch),
            (INSTANTS, self._instant),
            (("brand", "supplier", "face_currency"), self.word),
            (("points",), lambda name: self.number(name) or 0),
            (("voucher_days",), self.number),
            (("attributes",), self._attributes),
        ]
        for names, parse in kinds:
            changes |= {name: parse(name) for name in names if self.is_changed(name)}
        return replace(now, **changes)

    def _texts(self, name: str, now: Mapping[str, str]) -> dict[str, str]:
        said = {
            code: self.cells[f"{name}_{code}".lower()]
            for code in self.place.languages
            if self.is_changed(f"{name}_{code}")
        }
        return {code: text for code, text in {**now, **said}.items() if text}

    def _codes(self, name: str) -> tuple[str, ...]:
        codes = self.word(name).replace(";", ",").split(",")
        return tuple(dict.fromkeys(code.strip() for code in codes if code.strip()))

    def _amount(self, name: str) -> Decimal | None:
        text = self.word(name)
        try:
            found = Decimal(text.replace(",", ".")) if text else None
        except InvalidOperation:
            found = Decimal("NaN")
        if found is not None and not found.is_finite():
            self.wrong(name, "An amount, such as 25.00.")
            return None
        return found

    def _switch(self, name: str) -> bool:
        text = self.word(name).lower()
        if text not in {"yes", "no", "true", "false", "1", "0", ""}:
            self.wrong(name, "yes or no.")
        return text in {"yes", "true", "1"} or (not text and name.startswith("returns_"))

    def _instant(self, name: str) -> datetime | None:
        text = self.word(name)
        try:
            found = datetime.fromisoformat(text) if text else None
        except ValueError:
            self.wrong(name, "A date and a time, e.g. 2026-11-23T10:15, on the programme's clock.")
            return None
        return found.replace(tzinfo=self.place.zone) if found and found.tzinfo is None else found

    def _attributes(self, name: str) -> dict[str, Any]:
        text = self.word(name)
        try:
            found = json.loads(text) if text else {}
        except (ValueError, RecursionError):
            found = None
        if not isinstance(found, dict):
            self.wrong(name, 'JSON, such as {"weight": 250}.')
            return {}
        return found

    def images(self) -> tuple[tuple[str, dict[str, str]], ...] | None:
        """The names of the images and what they show, when one of that says something else."""
        columns = ["images", *(f"alt_{code}" for code in self.place.languages)]
        if not any(self.is_changed(name) for name in columns):
            return None
        names = image_names(self.word("images"))
        if len(names) > MAX_IMAGES:
            self.wrong("images", f"At most {MAX_IMAGES} images.")
        alts = {code: self.word(f"alt_{code}").split("\n") for code in self.place.languages}
        for code, said in alts.items():
            if len(said) > max(len(names), 1):
                self.wrong(f"alt_{code}", "More lines than images: one line for each image.")
        return tuple(
            (name, {code: said[index] for code, said in alts.items() if index < len(said) and said[index]})
            for index, name in enumerate(names)
        )
