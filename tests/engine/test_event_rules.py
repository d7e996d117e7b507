"""What an event is worth, pure: exact points, limits that count events, cooldowns, schemas that stay quick."""

import time
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from loyalty.engine.ruleset import Terms
from loyalty.errors import RuleRefused
from loyalty.events.deciding import Counted, Decision, DeviceCounted, decide, next_bucket, trace
from loyalty.events.rules import Cooldown, EventRule
from loyalty.events.schema import MAX_ATTRIBUTES_BYTES, is_quick_pattern, schema_errors, validator

BRUSSELS = ZoneInfo("Europe/Brussels")
NOON = datetime(2026, 11, 23, 11, tzinfo=UTC)
SCORE = {"type": "object", "properties": {"score": {"type": "number"}}, "required": ["score"]}
AMOUNTS = st.decimals(min_value=0, max_value=10**6, places=4)
RATES = st.decimals(min_value="0.0001", max_value=1000, places=4)
INSTANTS = st.timedeltas(timedelta(), timedelta(days=730)).map(
    lambda passed: datetime(2026, 1, 1, tzinfo=UTC) + passed
)


def terms(rounding: str = "floor") -> Terms:
    return Terms.compile(
        {
            "kind": "terms", "currency": "EUR", "digits": 2, "time_zone": BRUSSELS.key, "earn_rate": "1",
            "rounding": rounding, "delay_days": 0, "lifetime": None, "tiers": {},
        }
    )  # fmt: skip


def decision(
    rule: EventRule,
    counted: Counted = Counted(),  # noqa: B008
    device: DeviceCounted = DeviceCounted(),  # noqa: B008
    at: datetime = NOON,
    rounding: str = "floor",
    limit: int | None = None,
    **attributes: Any,
) -> Decision:
    return decide(
        rule,
        occurred_at=at,
        attributes=attributes,
        counted=counted,
        on_device=device,
        terms=terms(rounding),
        approval_limit=limit,
    )


@given(
    amount=AMOUNTS, rate=RATES, rounding=st.sampled_from(["floor", "half_up", "ceil"]), as_float=st.booleans()
)
def test_points_are_the_exact_product_rounded_once(
    amount: Any, rate: Any, rounding: str, as_float: bool
) -> None:
    """Also from a JSON number, which travels as a double: up to 14 digits it says what was sent."""
    rule = EventRule(attribute="score", rate=str(rate), schema=SCORE)
    rule.check()
    exact = Fraction(amount) * Fraction(rate)
    floor = exact.numerator // exact.denominator
    expected = {
        "floor": floor,
        "ceil": floor + (exact > floor),
        "half_up": floor + (exact - floor >= Fraction(1, 2)),
    }[rounding]
    value = float(amount) if as_float else str(amount)
    made = decision(rule, rounding=rounding, score=value)
    assert (made.status, made.points, made.wanted) == ("posted", expected, expected)
    steps = trace(rule, "any", {"score": value}, terms(rounding), None, waits=False)
    assert sum(Fraction(step["points"]) for step in steps) == expected


@given(caps=st.dictionaries(st.sampled_from(["total", "month", "week", "day"]), st.integers(1, 4)),
       counted=st.tuples(*[st.integers(0, 5)] * 4))  # fmt: skip
def test_a_cap_is_reached_exactly_when_so_many_count(caps: dict[str, int], counted: tuple[int, ...]) -> None:
    known = Counted(*counted)
    full = {scope for scope, most in caps.items() if getattr(known, scope) >= most}
    made = decision(EventRule(points=50, caps=caps), counted=known)
    assert (made.status == "limit_reached") is bool(full)
    assert made.points == (0 if full else 50)
    if full:
        assert made.limit is not None
        # The one that lasts longest: its order is total, month, week, day except that a week may outlast a month.
        untils = {scope: next_bucket(scope, NOON.date(), BRUSSELS) for scope in full}
        never = [scope for scope, until in untils.items() if until is None]
        last = never[0] if never else max(untils, key=lambda scope: untils[scope] or NOON)
        assert made.limit.until == untils[last]


@given(at=INSTANTS)
@example(at=datetime(2026, 10, 24, 23, 30, tzinfo=UTC))
@example(at=datetime(2026, 3, 28, 23, 30, tzinfo=UTC))
@example(at=datetime(2026, 12, 31, 23, 30, tzinfo=UTC))
def test_a_limit_ends_where_the_next_bucket_begins(at: datetime) -> None:
    day = at.astimezone(BRUSSELS).date()
    for scope in ("day", "week", "month"):
        ends = next_bucket(scope, day, BRUSSELS)
        assert ends is not None
        assert ends > at
        before, after = ((ends + timedelta(seconds=x)).astimezone(BRUSSELS) for x in (-1, 0))
        bucket = {
            "day": lambda x: x.date(),
            "week": lambda x: x.isocalendar()[:2],
            "month": lambda x: (x.year, x.month),
        }[scope]
        assert bucket(before) == bucket(at.astimezone(BRUSSELS)) != bucket(after)
    assert next_bucket("total", day, BRUSSELS) is None


@given(first=INSTANTS, gap=st.timedeltas(timedelta(), timedelta(days=5)), amount=st.integers(1, 72),
       unit=st.sampled_from(["minutes", "hours", "days"]))  # fmt: skip
def test_a_cooldown_is_the_same_whichever_event_is_booked_first(
    first: datetime, gap: timedelta, amount: int, unit: str
) -> None:
    rule = EventRule(points=1, cooldown=Cooldown(amount, unit))
    second = first + gap
    later = decision(rule, counted=Counted(total=1, before=first), at=second)
    if gap:
        earlier = decision(rule, counted=Counted(total=1, after=second), at=first)
        assert earlier.status == later.status
    if unit != "days":
        assert (later.status == "limit_reached") is (gap < timedelta(**{unit: amount}))
    if later.limit:
        assert later.limit.until is not None
        assert decision(rule, counted=Counted(total=1, before=first), at=later.limit.until).status == "posted"


def test_devices_review_and_the_approval_limit() -> None:
    rule = EventRule(points=50, device_caps={"day": 1, "total": 3})
    assert decision(rule, device=DeviceCounted(total=1, day=0)).status == "posted"
    assert decision(rule, device=DeviceCounted(total=1, day=1)).limit.name == "device_day"  # type: ignore[union-attr]
    assert decision(rule, device=DeviceCounted(total=3, day=1)).limit.name == "device_total"  # type: ignore[union-attr]
    assert decision(EventRule(points=50, review=True)).status == "in_review"
    assert decision(EventRule(points=50), limit=49).status == "in_review"
    assert decision(EventRule(points=50), limit=50).status == "posted"
    capped = EventRule(points=50, review=True, caps={"total": 1})
    assert decision(capped, counted=Counted(total=1)).status == "limit_reached"


@pytest.mark.parametrize(
    "rule",
    [
        EventRule(),
        EventRule(points=0),
        EventRule(points=-5),
        EventRule(points=2**53 + 1),
        EventRule(points=1, attribute="score", schema=SCORE),
        EventRule(attribute="other", schema=SCORE),
        *(
            EventRule(attribute="score", schema=SCORE, rate=x)
            for x in ("0", "-1", "NaN", "1e999999", "x", "0.00001")
        ),
        EventRule(points=1, caps={"year": 1}),
        EventRule(points=1, caps={"day": 0}),
        EventRule(points=1, cooldown=Cooldown(1, "weeks")),
        EventRule(points=1, cooldown=Cooldown(10**9, "days")),
        EventRule(points=1, starts_at=NOON, ends_at=NOON),
    ],
)
def test_rules_that_cannot_be(rule: EventRule) -> None:
    with pytest.raises(RuleRefused):
        rule.check()


def test_a_rule_survives_its_part() -> None:
    rule = EventRule(
        attribute="score", rate="1.5", schema=SCORE, caps={"week": 2}, cooldown=Cooldown(7, "days"),
        device_caps={"day": 1}, starts_at=NOON, ends_at=NOON + timedelta(days=1), segments=("a", "b"), review=True,
    )  # fmt: skip
    assert EventRule.from_part(rule.part("any")) == rule


# --- Schemas -------------------------------------------------------------------------------------------

DEEP: dict[str, Any] = {"type": "string"}
for _ in range(10):
    DEEP = {"type": "object", "properties": {"a": DEEP}}


@pytest.mark.parametrize(
    ("schema", "code"),
    [
        ([], "wrong_type"),
        ({"type": "array"}, "not_an_object"),
        ({"type": "object", "$ref": "https://example.com/schema"}, "unsupported_keyword"),
        ({"type": "object", "$defs": {}}, "unsupported_keyword"),
        ({"type": "object", "properties": {"a": {"$dynamicRef": "#a"}}}, "unsupported_keyword"),
        ({"type": "object", "patternProperties": {"(a+)+$": {}}}, "unsupported_keyword"),
        ({"type": "object", "properties": {"a": {"pattern": "^(a+)+$"}}}, "unsafe_pattern"),
        ({"type": "object", "properties": {"a": {"anyOf": [{"pattern": "a*a*a*b"}]}}}, "unsafe_pattern"),
        ({"type": "object", "properties": {"a": {"format": "regex"}}}, "unsupported_format"),
        ({"type": "object", "properties": {"a": {"type": "colour"}}}, "invalid_schema"),
        ({"type": "object", "properties": {"a": {"items": 3}}}, "wrong_type"),
        ({"type": "object", "description": "x" * 9000}, "too_large"),
        (DEEP, "too_deep"),
    ],
)
def test_schemas_that_are_not_taken(schema: Any, code: str) -> None:
    assert [error.code for error in schema_errors(schema, "/schema")][:1] == [code]


QUICK = r"^[A-Z]{2}-?[0-9]{4,8}$"
PATTERNS = st.lists(
    st.tuples(
        st.sampled_from(["a", "b", ".", "[ab]", r"\w", r"\d"]),
        st.sampled_from(["", "?", "*", "+", "{1,9}", "{3}"]),
    ),
    min_size=1,
    max_size=8,
).map(lambda pieces: "^" + "".join(atom + times for atom, times in pieces) + "$")


@given(pattern=PATTERNS)
@example(pattern=QUICK)
def test_a_pattern_that_is_taken_never_takes_long(pattern: str) -> None:
    if not is_quick_pattern(pattern):
        return
    schema = {"type": "object", "properties": {"a": {"type": "string", "pattern": pattern}}}
    assert schema_errors(schema, "/schema") == []
    check = validator(schema)
    started = time.process_time()
    check.is_valid({"a": "a" * (MAX_ATTRIBUTES_BYTES - 20) + "!"})
    assert time.process_time() - started < 1


def test_useful_patterns_are_taken() -> None:
    assert all(is_quick_pattern(x) for x in (QUICK, r"^\d+$", "^[a-z]+$", "^SPRING-[0-9]{1,6}$", "^https?$"))
