"""The form of criteria: rows and groups as people edit them, from and to the JSON tree.

A group's `join` is all, any, none (not any) or not_all. Every part of the form is named after its place, e.g.
`n-0-1.value`; what is typed stays as typed until the tree is checked.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from dataclasses import field as made_by
from typing import Any, Protocol

from segments.criteria import FIELDS, Kind
from segments.criteria.fields import STATUSES
from segments.criteria.tree import MAX_DEPTH

JOINS = {"all": "all of these", "any": "any of these", "none": "none of these", "not_all": "not all of these"}
PERIODS = {"ever": "ever", "days": "in the last … days", "window": "between two days"}
OPERATORS = {
    "more_than": "more than",
    "at_least": "at least",
    "equals": "is exactly",
    "at_most": "at most",
    "less_than": "less than",
    "in": "is one of",
    "none": "is not set",
    "exists": "is set",
    "within_days": "at most … days ago",
    "more_than_days": "more than … days ago",
    "never": "never",
    "before": "before",
    "since": "on or after",
}
_PARTS = ("field", "op", "value", "name", "period", "days", "first_day", "last_day")
_INTEGERS = {Kind.WHOLE, Kind.YEARS, Kind.DAYS}
_LISTS = {Kind.TEXTS, Kind.STATUSES}


class Posted(Protocol):
    """What a form sent (Django's QueryDict)."""

    def get(self, key: str, default: str, /) -> str: ...
    def getlist(self, key: str, /) -> list[str]: ...
    def __contains__(self, key: object, /) -> bool: ...


@dataclass
class Row:
    """One condition as typed."""

    field: str = "spend"
    op: str = "more_than"
    value: str = ""
    name: str = ""
    period: str = "ever"
    days: str = ""
    first_day: str = ""
    last_day: str = ""
    path: str = ""
    faults: list[str] = made_by(default_factory=list)
    is_group = False

    def __post_init__(self) -> None:
        if self.field not in FIELDS:
            self.field = "spend"
        if self.op not in FIELDS[self.field].operators:
            self.op = next(iter(FIELDS[self.field].operators))
        if self.asks.operators[self.op] is Kind.STATUSES and self.value not in self.statuses:
            self.value = STATUSES[0]

    @property
    def kind(self) -> str:
        """What is typed for the operator's value."""
        return FIELDS[self.field].operators[self.op].value

    @property
    def asks(self) -> Any:
        """The field: whether it has a name and a period."""
        return FIELDS[self.field]

    @property
    def fields(self) -> list[tuple[str, str]]:
        """The fields to choose from."""
        return [(code, item.label) for code, item in FIELDS.items()]

    @property
    def statuses(self) -> list[str]:
        """The statuses to choose from; both are a list of their own."""
        return [*STATUSES, ", ".join(STATUSES)]

    @property
    def operators(self) -> list[tuple[str, str]]:
        """The operators to choose from."""
        return [(op, OPERATORS[op]) for op in FIELDS[self.field].operators]

    def tree(self) -> dict[str, Any]:
        """The condition as JSON; what cannot be right stays as typed, for the check to tell."""
        kind = FIELDS[self.field].operators[self.op]
        made: dict[str, Any] = {"field": self.field, "op": self.op}
        if kind is not Kind.NOTHING:
            made["value"] = _typed(kind, self.value.strip())
        if self.asks.has_name:
            made["name"] = self.name.strip()
        if self.asks.has_period and self.period == "days":
            made["days"] = _typed(Kind.DAYS, self.days.strip())
        if self.asks.has_period and self.period == "window":
            made |= {"first_day": self.first_day.strip(), "last_day": self.last_day.strip()}
        return made


@dataclass
class Group:
    """Conditions and groups, joined."""

    join: str = "all"
    items: list["Row | Group"] = made_by(default_factory=list)
    path: str = ""
    faults: list[str] = made_by(default_factory=list)
    is_group = True

    def tree(self) -> dict[str, Any]:
        """The group as JSON."""
        inside = [item.tree() for item in self.items]
        if self.join == "none":
            return {"not": {"any": inside}}
        return {"not": {"all": inside}} if self.join == "not_all" else {self.join: inside}

    def numbered(self, path: str = "n") -> "Group":
        """The same, with every part named after its place."""
        self.path = path
        for index, item in enumerate(self.items):
            item.path = f"{path}-{index}"
            if isinstance(item, Group):
                item.numbered(item.path)
        return self

    @property
    def may_hold_groups(self) -> bool:
        """Whether a group inside would still be within the depth of a tree, where `not` counts too."""
        return self.path.count("-") + 1 < MAX_DEPTH // 2


def _typed(kind: Kind, text: str) -> Any:
    if kind in _LISTS:
        return [word.strip() for word in text.split(",") if word.strip()]
    if kind in _INTEGERS and text.isascii() and text.isdecimal() and len(text) <= 16:
        return int(text)
    return text.replace(",", ".") if kind is Kind.NUMBER else text


def draft_of(tree: Mapping[str, Any] | None) -> Group:
    """The form of a valid tree; of none, a group with one condition."""
    if tree is None:
        return Group(items=[Row()]).numbered()
    made = _drafted(tree)
    return (made if isinstance(made, Group) else Group(items=[made])).numbered()


def _drafted(tree: Mapping[str, Any]) -> Row | Group:
    if "field" in tree:
        return _row(tree)
    if "not" not in tree:
        ((join, items),) = tree.items()
        return Group(join, [_drafted(item) for item in items])
    inside = _drafted(tree["not"])
    if isinstance(inside, Row):
        return Group("none", [inside])
    opposite = {"any": "none", "all": "not_all", "none": "any", "not_all": "all"}
    return Group(opposite[inside.join], inside.items)


def _row(tree: Mapping[str, Any]) -> Row:
    value = tree.get("value", "")
    period = "days" if "days" in tree else "window" if "first_day" in tree else "ever"
    typed: dict[str, Any] = {key: str(tree[key]) for key in _PARTS if key in tree}
    typed["value"] = ", ".join(value) if isinstance(value, list) else str(value)
    return Row(**typed, period=period)


def draft_read(posted: Posted) -> Group:
    """The form as it was sent."""
    return _group_read(posted, "n", 1).numbered()


def _group_read(posted: Posted, path: str, depth: int) -> Group:
    join = posted.get(f"{path}.join", "all")
    items: list[Row | Group] = []
    for place in posted.getlist(f"{path}.items"):
        inside = f"{path}-{place}"
        if f"{inside}.join" in posted and depth < MAX_DEPTH:
            items.append(_group_read(posted, inside, depth + 1))
        elif f"{inside}.field" in posted:
            typed: dict[str, Any] = {p: posted.get(f"{inside}.{p}", getattr(Row, p)) for p in _PARTS}
            items.append(Row(**typed))
    return Group(join if join in JOINS else "all", items)


def draft_change(draft: Group, action: str, path: str) -> str:
    """Add a condition (`add`) or a group (`group`) to the group at a path, or `remove` what is there.

    Returns the path to look at next; unknown paths change nothing.
    """
    for parent, index in _places(draft):
        item = parent.items[index] if index is not None else parent
        if item.path != path:
            continue
        if action == "remove" and index is not None:
            del parent.items[index]
            draft.numbered()
            return parent.path
        if action in {"add", "group"} and isinstance(item, Group):
            item.items.append(Row() if action == "add" else Group("any", [Row()]))
            draft.numbered()
            return item.items[-1].path
    return path


def _places(group: Group) -> Iterator[tuple[Group, int | None]]:
    yield group, None
    for index, item in enumerate(group.items):
        yield group, index
        if isinstance(item, Group):
            yield from (place for place in _places(item) if place[1] is not None)


def draft_blame(draft: Group, faults: list[tuple[str, str]]) -> None:
    """Put each fault (JSON pointer and sentence) at the row or group it is about."""
    for pointer, detail in faults:
        item: Row | Group = draft
        for step in pointer.split("/"):
            if isinstance(item, Group) and step.isdecimal() and int(step) < len(item.items):
                item = item.items[int(step)]
        item.faults.append(detail)
