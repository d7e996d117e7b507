"""The tree as one query: the programme first, one pass over its activity, every value a parameter."""

from calendar import isleap
from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from segments.criteria.tree import Group, Leaf, Node, Not, leaves

_SIGNS = {"more_than": ">", "at_least": ">=", "equals": "=", "at_most": "<=", "less_than": "<"}


class Query(NamedTuple):
    """SQL that selects the `id` of the members meant, with `%(name)s` parameters."""

    sql: str
    params: dict[str, Any]


def query(node: Node, *, programme_id: int, now: datetime, zone: ZoneInfo) -> Query:
    """The members of the programme for whom the tree holds at `now`; days are those of `zone`.

    Sums of activity come from one grouped pass over the programme's rows, whatever the number of members
    and conditions; the parameter names `programme` and `c0`, `c1`, ... are taken.
    """
    writer = _Writer(programme_id, now.astimezone(zone).date(), zone)
    condition = writer.node(node)
    if not any(leaf.field == "status" for leaf in leaves(node)):
        condition = f"m.status = {writer.param('active')} AND {condition}"
    else:
        condition = f"m.status <> {writer.param('erased')} AND {condition}"
    sql = f"SELECT m.id FROM members_member m{writer.activity()} WHERE m.programme_id = %(programme)s AND {condition}"
    return Query(sql, writer.params)


class _Writer:
    def __init__(self, programme_id: int, today: date, zone: ZoneInfo) -> None:
        self.params: dict[str, Any] = {"programme": programme_id}
        self.today, self.zone = today, zone
        self.sums: dict[str, str] = {}  # expression -> its column
        self.oldest: list[date | None] = []  # None: all time

    def param(self, value: object) -> str:
        name = f"c{len(self.params) - 1}"
        self.params[name] = value
        return f"%({name})s"

    def node(self, node: Node) -> str:
        """A condition that is true or false, never unknown."""
        if isinstance(node, Not):
            return f"NOT {self.node(node.item)}"
        if isinstance(node, Group):
            return "(" + (" AND " if node.is_all else " OR ").join(map(self.node, node.items)) + ")"
        return f"(({getattr(self, f'_{node.field}', self._summed)(node)}) IS TRUE)"

    def activity(self) -> str:
        """The join with what members did, grouped once; nothing when no condition asks."""
        if not self.sums:
            return ""
        since = ""
        known = [day for day in self.oldest if day is not None]
        if len(known) == len(self.oldest):
            since = f" AND a.day >= {self.param(min(known))}"
        columns = ", ".join(f"{expression} AS {column}" for expression, column in self.sums.items())
        return (
            f" LEFT JOIN (SELECT a.member_id, {columns} FROM members_activity a"
            f" WHERE a.programme_id = %(programme)s{since} GROUP BY a.member_id) d ON d.member_id = m.id"
        )

    def _column(self, expression: str, oldest: date | None) -> str:
        self.oldest.append(oldest)
        return "d." + self.sums.setdefault(expression, f"s{len(self.sums)}")

    def _summed(self, leaf: Leaf) -> str:
        first, last = leaf.first_day, leaf.last_day
        if leaf.days is not None:
            first, last = self.today - timedelta(days=leaf.days - 1), self.today
        expression = f"SUM(a.{leaf.field})"
        if first is not None:
            expression += f" FILTER (WHERE a.day BETWEEN {self.param(first)} AND {self.param(last)})"
        column = self._column(expression, first)
        return f"COALESCE({column}, 0) {_SIGNS[leaf.op]} {self.param(leaf.value)}"

    def _last_transaction(self, leaf: Leaf) -> str:
        since = None if leaf.value is None else self.today - timedelta(days=leaf.value)
        oldest = since if leaf.op == "within_days" else None
        column = self._column("MAX(a.day) FILTER (WHERE a.transactions > 0)", oldest)
        if leaf.op == "never":
            return f"{column} IS NULL"
        return f"{column} {'>=' if leaf.op == 'within_days' else '<'} {self.param(since)}"

    def _tier(self, leaf: Leaf) -> str:
        return "m.tier = ''" if leaf.op == "none" else self._one_of("m.tier", leaf.value)

    def _language(self, leaf: Leaf) -> str:
        return self._one_of("m.language", leaf.value)

    def _status(self, leaf: Leaf) -> str:
        return self._one_of("m.status", leaf.value)

    def _one_of(self, column: str, values: Sequence[str]) -> str:
        return f"{column} = ANY({self.param(list(values))}::text[])"

    def _enrolled(self, leaf: Leaf) -> str:
        day = leaf.value
        if leaf.op == "within_days":
            day = self.today - timedelta(days=leaf.value)
        instant = datetime.combine(day, time(), self.zone)
        return f"m.enrolled_at {'<' if leaf.op == 'before' else '>='} {self.param(instant)}"

    def _age(self, leaf: Leaf) -> str:
        """Older than N = born on or before the day that turns N + 1 today; no age is computed per row."""
        years = leaf.value
        reached = f"m.birth_date <= {self.param(turning(years, self.today))}"
        passed = f"m.birth_date <= {self.param(turning(years + 1, self.today))}"
        return {
            "at_least": reached,
            "more_than": passed,
            "less_than": f"NOT {reached}",
            "at_most": f"NOT {passed}",
            "equals": f"{reached} AND NOT {passed}",
        }[leaf.op]

    def _attribute(self, leaf: Leaf) -> str:
        name = self.param(leaf.name)
        text = f"(m.attributes ->> {name}::text)"
        if leaf.op == "exists":
            return f"{text} IS NOT NULL"
        if leaf.op == "equals":
            return f"{text} = {self.param(leaf.value)}"
        if leaf.op == "in":
            return self._one_of(text, leaf.value)
        # CASE keeps the cast away from texts, in whatever order the planner looks at conditions.
        number = f"CASE WHEN jsonb_typeof(m.attributes -> {name}::text) = 'number' THEN {text}::numeric END"
        return f"{number} {_SIGNS[leaf.op]} {self.param(leaf.value)}"


def turning(years: int, today: date) -> date:
    """The latest birth date of who is `years` old today; 29 February counts as the 28th in other years."""
    year = today.year - years
    if (today.month, today.day) == (2, 29) and not isleap(year):
        return date(year, 2, 28)
    if (today.month, today.day) == (2, 28) and isleap(year) and not isleap(today.year):
        return date(year, 2, 29)
    return today.replace(year=year)
