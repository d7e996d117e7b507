"""Criteria: what is refused and where, what the query means, and how it is said."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from config.kernel.sql import rows
from members.models import Activity, Member, Programme
from segments.criteria import CriteriaInvalid, parse, query, summary
from segments.criteria.sql import turning
from tests.factories import MemberFactory, ProgrammeFactory
from tests.segments import reference

BRUSSELS = ZoneInfo("Europe/Brussels")
NOW = datetime(2026, 2, 28, 23, 30, tzinfo=UTC)  # 1 March in Brussels
TODAY = date(2026, 3, 1)
SPENT = {"field": "spend", "op": "more_than", "value": "200.00", "days": 90}


def faults(tree: object) -> list[tuple[str, str]]:
    with pytest.raises(CriteriaInvalid) as caught:
        parse(tree)
    return [(fault.pointer, fault.code) for fault in caught.value.faults]


@pytest.mark.parametrize(
    ("tree", "pointer", "code"),
    [
        (None, "", "wrong_type"),
        ([], "", "wrong_type"),
        ({}, "", "unknown"),
        ({"all": []}, "/all", "empty"),
        ({"all": {}}, "/all", "empty"),
        ({"all": [SPENT], "any": [SPENT]}, "", "unknown"),
        ({"all": [SPENT, 7]}, "/all/1", "wrong_type"),
        ({"not": [SPENT]}, "/not", "wrong_type"),
        ({"field": "shoe_size", "op": "equals"}, "/field", "unknown"),
        ({"field": ["age"], "op": "equals"}, "/field", "unknown"),
        ({"field": "age", "op": "like", "value": 1}, "/op", "unknown"),
        ({"field": "age", "op": "equals"}, "/value", "invalid"),
        ({"field": "age", "op": "equals", "value": "18"}, "/value", "invalid"),
        ({"field": "age", "op": "equals", "value": True}, "/value", "invalid"),
        ({"field": "age", "op": "equals", "value": 151}, "/value", "invalid"),
        ({"field": "age", "op": "equals", "value": 18, "days": 3}, "/days", "unknown"),
        ({"field": "age", "op": "equals", "value": 18, "a/b~": 3}, "/a~1b~0", "unknown"),
        ({"field": "tier", "op": "in", "value": []}, "/value", "invalid"),
        ({"field": "tier", "op": "in", "value": ["GOLD", 1]}, "/value/1", "invalid"),
        ({"field": "tier", "op": "none", "value": "x"}, "/value", "unknown"),
        ({"field": "status", "op": "in", "value": ["gone"]}, "/value", "unknown"),
        ({"field": "enrolled", "op": "before", "value": "2026-02-30"}, "/value", "invalid"),
        ({"field": "enrolled", "op": "before", "value": "20260201"}, "/value", "invalid"),
        ({"field": "enrolled", "op": "before", "value": "0001-01-01"}, "/value", "invalid"),
        ({"field": "enrolled", "op": "within_days", "value": 10**6}, "/value", "invalid"),
        (SPENT | {"value": 1.5}, "/value", "invalid"),
        (SPENT | {"value": "1e5"}, "/value", "invalid"),
        (SPENT | {"value": "NaN"}, "/value", "invalid"),
        (SPENT | {"days": 0}, "/days", "invalid"),
        (SPENT | {"first_day": "2026-01-01"}, "/days", "ambiguous"),
        (SPENT | {"days": None, "first_day": "2026-01-01"}, "/last_day", "required"),
        (SPENT | {"days": None, "first_day": "2026-01-02", "last_day": "2026-01-01"}, "/last_day", "order"),
        ({"field": "attribute", "op": "exists"}, "/name", "invalid"),
        ({"field": "attribute", "op": "exists", "name": "a\0"}, "/name", "invalid"),
        ({"field": "attribute", "op": "equals", "name": "city", "value": 5}, "/value", "invalid"),
    ],
)
def test_what_is_refused(tree: object, pointer: str, code: str) -> None:
    assert (pointer, code) in faults(tree)


def test_all_faults_are_told_at_once() -> None:
    tree = {"any": [{"field": "x"}, {"not": {"field": "age", "op": "equals", "value": -1}}]}
    assert faults(tree) == [("/any/0/field", "unknown"), ("/any/1/not/value", "invalid")]


def test_size_and_depth_have_ends() -> None:
    deep: dict[str, Any] = SPENT
    for _ in range(6):
        deep = {"not": deep}
    assert [code for _, code in faults(deep)] == ["too_deep"]
    assert ("", "too_many") in faults({"all": [{"any": [SPENT] * 30}, {"any": [SPENT] * 30}]})
    assert ("/all", "too_many") in faults({"all": [SPENT] * 51})


def test_it_is_said_in_words() -> None:
    tree = {
        "all": [
            SPENT,
            {"any": [{"field": "tier", "op": "in", "value": ["GOLD"]}, {"field": "tier", "op": "none"}]},
            {"not": {"field": "last_transaction", "op": "within_days", "value": 30}},
        ]
    }
    assert summary(parse(tree), currency="EUR") == (
        "spent more than 200.00 EUR in the last 90 days and (has tier GOLD or has no tier)"
        " and not (made a transaction at most 30 days ago)"
    )


def test_values_never_become_sql() -> None:
    nasty = "x'; DROP TABLE members_member; --"
    tree = {"all": [{"field": "attribute", "name": nasty, "op": "equals", "value": nasty}]}
    made = query(parse(tree), programme_id=1, now=NOW, zone=BRUSSELS)
    assert "DROP" not in made.sql
    assert nasty in made.params.values()


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(
    born=st.dates(date(1900, 1, 1), date(2030, 12, 31)), today=st.dates(date(2020, 1, 1), date(2032, 12, 31))
)
def test_turning_is_the_youngest_of_an_age(born: date, today: date) -> None:
    years = reference.age(born, today)
    if 0 <= years <= 150:
        assert born <= turning(years, today)
        assert born > turning(years + 1, today)


# --- The query means what the reference means -----------------------------------------------------------

words = st.sampled_from(["fr", "nl-BE", "en", "GOLD", "SILVER", "5", "true", "1.50", "é"])
days = st.dates(TODAY - timedelta(days=40), TODAY + timedelta(days=1))
numbers = st.decimals(-50, 300, places=2).map(str)
small = st.integers(0, 40)


def leaf(field: str, op: str, **parts: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({"field": st.just(field), "op": st.just(op), **parts})


@st.composite
def sums(draw: st.DrawFn) -> dict[str, Any]:
    name = draw(st.sampled_from(["spend", "transactions", "earned", "burned"]))
    value = draw(numbers if name == "spend" else small)
    tree = {"field": name, "op": draw(st.sampled_from(list(reference.COMPARE))), "value": value}
    period = draw(st.sampled_from(["", "days", "window"]))
    if period == "days":
        tree["days"] = draw(st.integers(1, 40))
    elif period == "window":
        first, last = sorted([draw(days), draw(days)])
        tree |= {"first_day": first.isoformat(), "last_day": last.isoformat()}
    return tree


names = st.sampled_from(["city", "score", "vip"])
conditions = st.one_of(
    sums(),
    leaf("last_transaction", "never"),
    *(leaf("last_transaction", op, value=small) for op in ("more_than_days", "within_days")),
    leaf("tier", "none"),
    *(leaf(name, "in", value=st.lists(words, min_size=1, max_size=3)) for name in ("tier", "language")),
    leaf("status", "in", value=st.lists(st.sampled_from(["active", "closed"]), min_size=1)),
    *(leaf("age", op, value=st.integers(0, 60)) for op in reference.COMPARE),
    leaf("enrolled", "within_days", value=small),
    *(leaf("enrolled", op, value=days.map(date.isoformat)) for op in ("before", "since")),
    leaf("attribute", "exists", name=names),
    leaf("attribute", "equals", name=names, value=words),
    leaf("attribute", "in", name=names, value=st.lists(words, min_size=1, max_size=3)),
    *(leaf("attribute", op, name=names, value=numbers) for op in reference.COMPARE if op != "equals"),
)
trees = st.recursive(
    conditions,
    lambda inner: st.one_of(
        st.builds(
            lambda join, items: {join: items},
            st.sampled_from(["all", "any"]),
            st.lists(inner, min_size=1, max_size=3),
        ),
        st.builds(lambda item: {"not": item}, inner),
    ),
    max_leaves=5,
).filter(lambda tree: depth(tree) <= 6)


def depth(tree: dict[str, Any]) -> int:
    if "field" in tree:
        return 1
    inside = [tree["not"]] if "not" in tree else tree.get("all") or tree["any"]
    return 1 + max(map(depth, inside))


people = st.builds(
    reference.Person,
    birth_date=st.none()
    | st.dates(date(1966, 1, 1), TODAY)
    | st.just(date(2004, 2, 29))
    | st.just(date(2008, 3, 1)),
    language=st.sampled_from(["", "fr", "nl-BE", "en"]),
    tier=st.sampled_from(["", "GOLD", "SILVER"]),
    status=st.sampled_from(["active", "active", "closed"]),
    enrolled_at=st.integers(0, 40 * 24).map(lambda hours: NOW - timedelta(hours=hours)),
    attributes=st.dictionaries(
        names,
        st.none() | st.booleans() | words | st.integers(-5, 9) | st.sampled_from([1.5, 7.25]),
        max_size=3,
    ),
    activity=st.dictionaries(
        days,
        st.tuples(
            st.integers(-1, 3), st.decimals(-50, 200, places=2), st.integers(0, 30), st.integers(0, 30)
        ),
        max_size=4,
    ),
)


def enrolled(programme: Programme, person: reference.Person) -> Member:
    fields = {name: value for name, value in vars(person).items() if name != "activity"}
    member = MemberFactory(programme=programme, **fields)
    Activity.objects.bulk_create(
        Activity(programme=programme, member=member, day=day, transactions=t, spend=s, earned=e, burned=b)
        for day, (t, s, e, b) in person.activity.items()
    )
    return member


@pytest.mark.django_db
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(crowd=st.lists(people, min_size=1, max_size=6), asked=st.lists(trees, min_size=1, max_size=8))
def test_the_query_means_what_the_reference_means(
    crowd: list[reference.Person], asked: list[dict[str, Any]]
) -> None:
    programme = ProgrammeFactory(time_zone=BRUSSELS.key)
    members = [(enrolled(programme, person), person) for person in crowd]
    stranger = ProgrammeFactory(time_zone=BRUSSELS.key)
    for person in crowd[:1]:
        enrolled(stranger, person)
    for tree in asked:
        made = query(parse(tree), programme_id=programme.pk, now=NOW, zone=BRUSSELS)
        found = sorted(pk for (pk,) in rows(made.sql, made.params, prepare=False))
        assert found == sorted(
            member.pk for member, person in members if reference.means(tree, person, NOW, BRUSSELS)
        ), tree


@pytest.mark.django_db
def test_the_day_is_the_programmes() -> None:
    """23:30 in London is the next day in Brussels: whoever turns 18 then is 18 there."""
    programme = ProgrammeFactory()
    MemberFactory(programme=programme, birth_date=date(2008, 3, 1))
    tree = parse({"field": "age", "op": "at_least", "value": 18})
    for zone, count in ((BRUSSELS, 1), (ZoneInfo("Europe/London"), 0)):
        made = query(tree, programme_id=programme.pk, now=NOW, zone=zone)
        assert len(rows(made.sql, made.params)) == count


def test_amounts_stay_exact() -> None:
    made = query(parse(SPENT | {"value": "0.1000"}), programme_id=1, now=NOW, zone=BRUSSELS)
    assert Decimal("0.1000") in made.params.values()
