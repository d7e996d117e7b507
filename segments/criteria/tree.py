"""The tree: JSON in, conditions out, every fault with its JSON pointer (RFC 6901)."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple

from segments.criteria.fields import FIELDS, STATUSES, Kind

MAX_DEPTH = 6
MAX_CONDITIONS = 50
MAX_VALUES = 100
MAX_TEXT = 200
MAX_DAYS = 3660
MAX_YEARS = 150

_NUMBER = re.compile(r"-?[0-9]{1,15}(\.[0-9]{1,4})?\Z")


class Fault(NamedTuple):
    """What is wrong at a JSON pointer: a stable word and a sentence."""

    pointer: str
    code: str
    detail: str


class CriteriaInvalid(ValueError):
    """The tree does not say who is meant; `faults` says where."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__("; ".join(f"{fault.pointer}: {fault.detail}" for fault in faults))
        self.faults = tuple(faults)


@dataclass(frozen=True, slots=True)
class Leaf:
    """One condition. `value` is of the operator's kind: None, str, tuple of str, Decimal, int or date."""

    field: str
    op: str
    value: Any = None
    name: str = ""
    days: int | None = None
    first_day: date | None = None
    last_day: date | None = None


@dataclass(frozen=True, slots=True)
class Group:
    """All (`is_all`) or any of the items hold."""

    is_all: bool
    items: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class Not:
    """The item does not hold."""

    item: "Node"


Node = Leaf | Group | Not


def leaves(node: Node) -> list[Leaf]:
    """The conditions of a tree, in their order."""
    if isinstance(node, Leaf):
        return [node]
    if isinstance(node, Not):
        return leaves(node.item)
    return [leaf for item in node.items for leaf in leaves(item)]


def parse(tree: object) -> Node:
    """The conditions that a JSON tree says. Raises CriteriaInvalid with all faults found."""
    reader = _Reader()
    node = reader.node("", tree, 1)
    if reader.conditions > MAX_CONDITIONS:
        reader.fault("", "too_many", f"At most {MAX_CONDITIONS} conditions.")
    if node is None or reader.faults:
        raise CriteriaInvalid(reader.faults)
    return node


class _Reader:
    def __init__(self) -> None:
        self.faults: list[Fault] = []
        self.conditions = 0

    def fault(self, pointer: str, code: str, detail: str) -> Any:
        """Note what is wrong; returns None, which stands for what could not be read."""
        self.faults.append(Fault(pointer, code, detail))

    def node(self, at: str, tree: object, depth: int) -> Node | None:
        if depth > MAX_DEPTH:
            return self.fault(at, "too_deep", f"Groups stand at most {MAX_DEPTH} deep.")
        if not isinstance(tree, dict):
            return self.fault(at, "wrong_type", "An object: all, any, not, or a condition with a field.")
        if "field" in tree:
            self.conditions += 1
            return self._leaf(at, tree)
        if len(tree) != 1 or not tree.keys() <= {"all", "any", "not"}:
            return self.fault(at, "unknown", "Exactly one of all, any and not, or a condition with a field.")
        ((join, inside),) = tree.items()
        if join == "not":
            item = self.node(f"{at}/not", inside, depth + 1)
            return None if item is None else Not(item)
        return self._group(f"{at}/{join}", inside, depth, is_all=join == "all")

    def _group(self, at: str, inside: object, depth: int, *, is_all: bool) -> Group | None:
        if not isinstance(inside, list) or not inside:
            return self.fault(at, "empty", "A list of at least one condition.")
        if len(inside) > MAX_CONDITIONS:
            return self.fault(at, "too_many", f"At most {MAX_CONDITIONS} conditions.")
        items = [self.node(f"{at}/{index}", item, depth + 1) for index, item in enumerate(inside)]
        return Group(is_all, tuple(item for item in items if item is not None))

    def _leaf(self, at: str, tree: dict[str, Any]) -> Leaf | None:
        name, op = tree["field"], tree.get("op")
        field = FIELDS.get(name) if isinstance(name, str) else None
        if field is None:
            return self.fault(f"{at}/field", "unknown", f"One of {', '.join(FIELDS)}.")
        kind = field.operators.get(op) if isinstance(op, str) else None
        if kind is None or not isinstance(op, str):
            return self.fault(f"{at}/op", "unknown", f"One of {', '.join(field.operators)}.")
        keys = {"field", "op"} | ({"value"} if kind is not Kind.NOTHING else set())
        keys |= {"name"} if field.has_name else set()
        keys |= {"days", "first_day", "last_day"} if field.has_period else set()
        for key in tree.keys() - keys:
            self.fault(f"{at}/{_escaped(key)}", "unknown", "This condition has no such part.")
        return Leaf(
            name,
            op,
            self._value(f"{at}/value", kind, tree.get("value")),
            (self._text(f"{at}/name", tree.get("name")) or "") if field.has_name else "",
            *(self._period(at, tree) if field.has_period else ()),
        )

    def _period(self, at: str, tree: dict[str, Any]) -> tuple[int | None, date | None, date | None]:
        days, first, last = (tree.get(key) for key in ("days", "first_day", "last_day"))
        if days is not None and not first is last is None:
            self.fault(f"{at}/days", "ambiguous", "Either the last days, or first_day and last_day.")
        if (first is None) is not (last is None):
            self.fault(f"{at}/{'last_day' if last is None else 'first_day'}", "required", "A period has two.")
        period = (
            None if days is None else self._whole(f"{at}/days", days, 1, MAX_DAYS),
            None if first is None else self._date(f"{at}/first_day", first),
            None if last is None else self._date(f"{at}/last_day", last),
        )
        if period[1] and period[2] and period[1] > period[2]:
            self.fault(f"{at}/last_day", "order", "The last day comes before the first.")
        return period

    def _value(self, at: str, kind: Kind, value: object) -> Any:
        if kind is Kind.NOTHING:
            return None
        if kind is Kind.TEXT:
            return self._text(at, value)
        if kind in {Kind.TEXTS, Kind.STATUSES}:
            return self._texts(at, value, only=STATUSES if kind is Kind.STATUSES else ())
        if kind is Kind.NUMBER:
            return self._number(at, value)
        if kind is Kind.DATE:
            return self._date(at, value)
        most = {Kind.YEARS: MAX_YEARS, Kind.DAYS: MAX_DAYS}.get(kind, 2**53)
        return self._whole(at, value, 0, most)

    def _text(self, at: str, value: object) -> str | None:
        if not isinstance(value, str) or not 0 < len(value) <= MAX_TEXT or not value.isprintable():
            return self.fault(at, "invalid", f"A text of 1 to {MAX_TEXT} characters on one line.")
        return value

    def _texts(self, at: str, value: object, *, only: Sequence[str]) -> tuple[str | None, ...]:
        if not isinstance(value, list) or not 0 < len(value) <= MAX_VALUES:
            self.fault(at, "invalid", f"A list of 1 to {MAX_VALUES} texts.")
            return ()
        texts = tuple(self._text(f"{at}/{index}", item) for index, item in enumerate(value))
        if only and not set(texts) <= set(only):
            self.fault(at, "unknown", f"Of {', '.join(only)}.")
        return texts

    def _number(self, at: str, value: object) -> Decimal | None:
        text = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
        if not isinstance(text, str) or not _NUMBER.match(text):
            return self.fault(at, "invalid", 'A number as text with at most 4 decimals, e.g. "200.00".')
        return Decimal(text)

    def _whole(self, at: str, value: object, least: int, most: int) -> int | None:
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
            return self.fault(at, "invalid", f"A whole number from {least} to {most}.")
        return value

    def _date(self, at: str, value: object) -> date | None:
        try:
            if isinstance(value, str) and len(value) == len("2026-11-23"):
                day = date.fromisoformat(value)
                if day.year >= 1900:
                    return day
        except ValueError:
            pass
        return self.fault(at, "invalid", "A day from 1900 on, e.g. 2026-11-23.")


def _escaped(key: object) -> str:
    return str(key).replace("~", "~0").replace("/", "~1")
