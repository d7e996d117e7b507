"""What partners read of the catalogue, written once per language: gifts and categories as JSON."""

import gzip
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from config.kernel.texts import chain, pick
from rewards.shelf import CategoryRow, Gift, Shelf

_encode = msgspec.json.Encoder().encode
texts_of = msgspec.json.Decoder(dict[str, str]).decode
_pictures = msgspec.json.Decoder(list[tuple[list[dict[str, Any]], dict[str, str]]]).decode
_MAX_FEEDS, _MAX_PAGES = 24, 512
_GZIP_ONCE, _GZIP_KEPT = 5, 9
"""zlib's levels for what is sent once, and for what is kept: that pays with every reading."""


@dataclass(slots=True)
class Feed:
    """A shelf in one language: `items` are its gifts as JSON, in the shelf's order."""

    shelf: Shelf
    language: str
    items: list[bytes]
    categories: list[dict[str, Any]]
    _kept: dict[Any, bytes] = field(default_factory=dict)

    def page(self, start: int, limit: int, cursor: str | None, *, zipped: bool) -> bytes:
        """A page of gifts from a place on, with the cursor of the next one."""
        if not zipped:
            return page_json(self.items[start : start + limit], cursor)
        return self._keep(
            (start, limit), lambda: squeezed(page_json(self.items[start : start + limit], cursor), _GZIP_KEPT)
        )

    def lines(self, *, zipped: bool) -> bytes:
        """All gifts, one on each line."""
        plain = self._keep("lines", lambda: lines_json(self.items))
        return self._keep("lines.gz", lambda: squeezed(plain, _GZIP_KEPT)) if zipped else plain

    def _keep(self, key: Any, make: Any) -> bytes:
        found = self._kept.get(key)
        if found is None:
            while len(self._kept) >= _MAX_PAGES:
                self._kept.pop(next(iter(self._kept)))
            found = self._kept[key] = make()
        return found


def feed_of(shelf: Shelf, language: str, media: str) -> Feed:
    """The shelf in a language; `media` is the address its pictures are under."""
    found = shelf.feeds.get((language, media))
    if found is None:
        while len(shelf.feeds) >= _MAX_FEEDS:
            shelf.feeds.pop(next(iter(shelf.feeds)))
        found = shelf.feeds[language, media] = _write(shelf, language, media)
    return found


def squeezed(body: bytes, level: int = _GZIP_ONCE) -> bytes:
    """gzip, the same bytes every time."""
    return gzip.compress(body, level, mtime=0)


def page_json(items: Iterable[bytes], cursor: str | None) -> bytes:
    """`{"items": [...], "next_cursor": ...}` of items that are JSON already."""
    return b'{"items":[' + b",".join(items) + b'],"next_cursor":' + _encode(cursor) + b"}"


def lines_json(items: Iterable[bytes]) -> bytes:
    """NDJSON of items that are JSON already."""
    return b"".join(item + b"\n" for item in items)


def with_member(item: bytes, for_member: object) -> bytes:
    """A gift's JSON, with what it is to a member."""
    return item[:-1] + b',"for_member":' + _encode(for_member) + b"}"


def with_price(item: bytes, normal: int, points: int) -> bytes:
    """A gift's JSON at a promotional price (points), beside the normal one it was written with."""
    # No text can hold these bytes, because JSON escapes its quotes; attributes, which could, come later.
    was = b'"points":%d,"points_before":null' % normal
    return item.replace(was, b'"points":%d,"points_before":%d' % (points, normal), 1)


def tombstone(gift: Gift) -> bytes:
    """A gift that is no longer shown."""
    return _encode({"code": gift.code, "deleted": True})


def _write(shelf: Shelf, language: str, media: str) -> Feed:
    languages = chain(language, shelf.languages)
    zone = ZoneInfo(shelf.zone)
    items = [_encode(gift_shown(gift, languages, zone, media, shelf.currency)) for gift in shelf.gifts]
    return Feed(shelf, language, items, categories_shown(shelf, languages, media))


def gift_shown(
    gift: Gift, languages: Sequence[str], zone: ZoneInfo, media: str, currency: str
) -> dict[str, Any]:
    """A gift as partners read it, in the first of these languages that has a text; cash is in `currency`."""
    wanted = languages[0] if languages else ""
    texts, fallen = {}, []
    for name in ("name", "description", "delivery_terms"):
        texts[name], language = pick(texts_of(getattr(gift, name)), languages)
        if texts[name] and language != wanted:
            fallen.append(name)
    return {
        "code": gift.code,
        "version": gift.number,
        "type": gift.kind,
        "name": texts["name"],
        "description": texts["description"],
        "brand": gift.brand or None,
        "categories": gift.categories,
        "images": [image_shown(*row, media, languages) for row in _pictures(gift.pictures or "[]")],
        "points": gift.points,
        "points_before": None,
        "cash": _money(gift.cash_amount, currency),
        "value": _money(gift.face_value, gift.face_currency),
        "attributes": msgspec.Raw(gift.attributes.encode()),
        "delivery": {
            "terms": texts["delivery_terms"],
            "voucher_days": gift.voucher_days,
            "has_balance": gift.has_balance,
            "returnable": gift.is_returnable,
        },
        "stock": "in_stock" if gift.in_stock else "out_of_stock",
        "limits": {
            "per_member": gift.limit_per_member,
            "per_period": gift.limit_per_period,
            "period": gift.period if gift.limit_per_period else None,
        },
        "live": {
            "from": _local(gift.live_from or gift.shown_from, zone),
            "until": _local(gift.live_until, zone),
        },
        "validated": {"at": _local(gift.validated_at, zone), "by": gift.validated_by},
        "updated_at": _local(gift.updated_at, zone),
        "_fallback": fallen,
    }


def image_shown(
    files: Sequence[dict[str, Any]], alt: dict[str, str], media: str, languages: Sequence[str]
) -> dict[str, Any]:
    """A picture: the address and size of its widest file, and of all of them."""
    sizes = [
        {"url": media + file["name"], "width": file["width"], "height": file["height"]} for file in files
    ]
    return {**sizes[0], "alt": pick(alt, languages)[0], "sizes": sizes}


def _money(value: Decimal | None, currency: str) -> dict[str, str] | None:
    """An amount without the zeros the column adds, with cents where there are any."""
    if value is None:
        return None
    whole, point, cents = f"{value.normalize():f}".partition(".")
    return {"amount": f"{whole}.{cents.ljust(2, '0')}" if point else whole, "currency": currency}


def _local(at: datetime | None, zone: ZoneInfo) -> str | None:
    return at.astimezone(zone).isoformat() if at else None


def categories_shown(shelf: Shelf, languages: Sequence[str], media: str) -> list[dict[str, Any]]:
    """All categories in the client's order; `active` ones are on, as all above them, and hold a gift."""
    held = gifts_by_category(shelf)
    on: dict[int | None, bool] = {None: True}
    codes = {category.id: category.code for category in shelf.categories}
    shown = []
    for category in shelf.categories:
        on[category.id] = category.is_active and on[category.parent_id]
        points = [gift.points for gift in held[category.id].values()]
        name, language = pick(category.name, languages)
        shown.append(
            {
                "code": category.code,
                "parent": codes.get(category.parent_id or 0),
                "name": name,
                "image": category.files and image_shown(category.files, category.name, media, languages),
                "active": on[category.id] and bool(points),
                "gift_count": len(points),
                "points_range": {"min": min(points), "max": max(points)} if points else None,
                "_fallback": ["name"] if language != (languages or [""])[0] else [],
            }
        )
    return shown


def gifts_by_category(shelf: Shelf) -> dict[int, dict[str, Gift]]:
    """The gifts in each category and below it, each once."""
    direct: dict[str, dict[str, Gift]] = {}
    for gift in shelf.gifts:
        for code in gift.categories:
            direct.setdefault(code, {})[gift.code] = gift
    held: dict[int, dict[str, Gift]] = {row.id: dict(direct.get(row.code, {})) for row in shelf.categories}
    for category in reversed(shelf.categories):
        if category.parent_id is not None:
            held[category.parent_id] |= held[category.id]
    return held


def below(categories: Sequence[CategoryRow], code: str) -> set[str]:
    """The code of a category and of all below it; empty for one that is not there."""
    ids = {row.id for row in categories if row.code == code}
    for row in categories:
        if row.parent_id in ids:
            ids.add(row.id)
    return {row.code for row in categories if row.id in ids}
