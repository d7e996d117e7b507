"""Two versions of a gift side by side: what of a field changed, text by text and word by word."""

import difflib
import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from config.kernel.texts import plain
from rewards.models import RewardVersion

LABELS = {
    "points": "Points",
    "cash_amount": "Paid on top",
    "brand": "Brand",
    "supplier": "Supplier",
    "categories": "Categories",
    "tiers": "Only for tiers",
    "segments": "Only for segments",
    "live_from": "Live from",
    "live_until": "Live until",
    "face_value": "Value",
    "face_currency": "Currency of the value",
    "voucher_days": "Voucher valid for days",
    "has_balance": "Used in parts",
    "is_returnable": "May be returned",
    "returns_points": "A return gives points back",
    "returns_stock": "A return goes back into stock",
    "attributes": "Attributes",
}
TEXTS = {"name": "Name", "description": "Description", "delivery_terms": "Delivery terms"}


class Piece(NamedTuple):
    """Words that are the same in both, only before (`del`), or only after (`ins`)."""

    kind: str
    text: str


class Difference(NamedTuple):
    """A field: its label, and what it says before and after, in pieces."""

    label: str
    before: Sequence[Piece]
    after: Sequence[Piece]
    is_changed: bool


def differences(before: RewardVersion | None, after: RewardVersion, zone: ZoneInfo) -> list[Difference]:
    """All fields that say something in one of the versions, changed ones marked."""
    found = list[Difference]()
    for name, label in TEXTS.items():
        old, new = _texts(before, name), _texts(after, name)
        found += [
            _compared(f"{label} ({language})", old.get(language, ""), new.get(language, ""))
            for language in dict.fromkeys([*new, *old])
        ]
    found += [
        _compared(label, _said(before, name, zone), _said(after, name, zone))
        for name, label in LABELS.items()
    ]
    return [one for one in found if one.before or one.after]


def _texts(version: RewardVersion | None, name: str) -> dict[str, str]:
    texts: dict[str, str] = getattr(version, name) if version else {}
    if name != "description":
        return texts
    return {language: plain(re.sub(r"</(p|li|h3|h4)>", "\n", text)) for language, text in texts.items()}


def _said(version: RewardVersion | None, name: str, zone: ZoneInfo) -> str:
    value: Any = getattr(version, name) if version else None
    if value is None or value in ("", [], {}):
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return f"{value.astimezone(zone):%-d %b %Y %H:%M}"
    if isinstance(value, list):
        return ", ".join(value)
    if isinstance(value, dict):
        return ", ".join(f"{key}: {said}" for key, said in sorted(value.items()))
    return f"{value.normalize():f}" if hasattr(value, "normalize") else str(value)


def _compared(label: str, before: str, after: str) -> Difference:
    old, new = re.findall(r"\s+|\S+", before), re.findall(r"\s+|\S+", after)
    left, right = list[Piece](), list[Piece]()
    for tag, a, b, c, d in difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        kind = "same" if tag == "equal" else "del"
        if b > a:
            left.append(Piece(kind, "".join(old[a:b])))
        if d > c:
            right.append(Piece("same" if tag == "equal" else "ins", "".join(new[c:d])))
    return Difference(label, left, right, before != after)
