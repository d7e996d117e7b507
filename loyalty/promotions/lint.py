"""What is odd about a promotion before anybody gets it. Pure: `loyalty.promotions.lint_facts` gathers what is known.

Errors keep it from being published, warnings are told.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from loyalty.engine.ruleset import Links, ProductSet, Promotion

OVERLAP_PERCENT = 300
"""Extra points beyond this share of the base points are worth a warning when several promotions add up."""
LONGEST_PACE = timedelta(days=365)

Part = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Finding:
    """What is odd: `level` is error or warning, `field` the form's field it is about ("" = none)."""

    level: str
    code: str
    field: str
    text: str


@dataclass(frozen=True, slots=True)
class Pace:
    """What the promotion gave or would have given a day, and what of its budget is used (exact points, uses)."""

    points: Decimal
    uses: Decimal
    points_used: Decimal = Decimal(0)
    uses_used: int = 0


@dataclass(frozen=True, slots=True)
class Overlap:
    """Receipts that got it and others too: how many of how many, extra points in % of their base, which others."""

    receipts: int
    looked_at: int
    percent: int
    codes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Known:
    """What a programme knows at `now`. Sets that are None were not looked at."""

    now: datetime
    zone: ZoneInfo
    delay_days: int = 0
    earn_rate: Decimal = Decimal(1)
    tiers: frozenset[str] = frozenset()
    channels: frozenset[str] | None = None
    stores: frozenset[str] | None = None
    segment_sizes: Mapping[str, int] = field(default_factory=dict)
    unknown_products: tuple[str, ...] = ()
    has_known_product: bool = True
    pace: Pace | None = None
    overlap: Overlap | None = None
    others: tuple[Promotion, ...] = ()


def findings(
    part: Part, products: Part | None, links: Mapping[str, Iterable[str]], known: Known
) -> list[Finding]:
    """All that is odd about a promotion part with its product set and the segments under include, exclude."""
    promotion = Promotion.compile(part, ProductSet.compile(products) if products else None, _NO_LINKS)
    found = [finding for check in _CHECKS for finding in check(part, promotion, known)]
    found += [*_segments(links, known), *_products(products, known)]
    return sorted(found, key=lambda finding: finding.level)


def _window(part: Part, promotion: Promotion, known: Known) -> Iterator[Finding]:
    start, end = promotion.start, promotion.end
    if start and end and end <= start:
        yield Finding("error", "ends_before_start", "ends_at", "It would end before it starts.")
        return
    if end and end <= known.now:
        yield Finding("error", "is_over", "ends_at", "Its end has passed, so it would never run.")
        return
    first = max(start, known.now) if start else known.now
    if end and end < first + timedelta(days=known.delay_days):
        text = f"It ends before the first points it gives become available, {known.delay_days} days later."
        yield Finding("warning", "ends_before_activation", "ends_at", text)


def _schedule(part: Part, promotion: Promotion, known: Known) -> Iterator[Finding]:
    if promotion.schedule and not _ever_runs(promotion, known):
        text = "None of these weekdays and hours lies in its window, so it would never run."
        yield Finding("error", "never_in_window", "weekdays", text)


def _ever_runs(promotion: Promotion, known: Known) -> bool:
    """Whether the schedule covers an instant of the window: its first one, or the start of a day's hours."""
    schedule, start = promotion.schedule, promotion.start or known.now
    if schedule is None or promotion.end is None or promotion.end - start > timedelta(days=8):
        return True
    minutes = schedule.start or 0
    days = (start.astimezone(known.zone).date() + timedelta(days=count) for count in range(10))
    begins = (_local(day, minutes, known.zone) for day in days)
    instants = [start, *(at for at in begins if start <= at < promotion.end)]
    return any(schedule.covers(at, known.zone) for at in instants)


def _local(day: date, minutes: int, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(minutes // 60, minutes % 60), zone).astimezone(UTC)


def _conditions(part: Part, promotion: Promotion, known: Known) -> Iterator[Finding]:
    unknown = sorted(promotion.tiers - known.tiers)
    if unknown and not promotion.tiers & known.tiers:
        yield Finding("error", "unknown_tier", "tiers", f"There is no tier {', '.join(unknown)}.")
    for name, seen in (("channels", known.channels), ("stores", known.stores)):
        asked: frozenset[str] = getattr(promotion, name)
        if never := sorted(asked - seen) if seen else []:
            which = "None of the last receipts was" if len(never) == len(asked) else "No recent receipt was"
            text = f"{which} from {name[:-1]} {', '.join(never)}."
            yield Finding("warning", f"unseen_{name[:-1]}", name, text)


def _caps(part: Part, promotion: Promotion, known: Known) -> Iterator[Finding]:
    for scope, cap in part["caps"].items():
        for unit in ("points", "uses"):
            if unit in cap and not Decimal(cap[unit]):
                text = "With a limit of 0 it would never give anything."
                yield Finding("error", "never_gives", f"cap_{scope}_{unit}", text)
    least, tightest = _least_award(part, known), _tightest(part)
    if least is not None and tightest is not None and least > tightest[1]:
        text = (
            f"At its minimum it gives {_plain(least)} points already, above its limit of {_plain(tightest[1])}: "
            "every receipt would be cut."
        )
        yield Finding("warning", "minimum_above_cap", f"cap_{tightest[0]}_points", text)


def _least_award(part: Part, known: Known) -> Decimal | None:
    """What the smallest receipt that reaches the minimum gets; None where no minimum says."""
    value = Decimal(part["effect"]["value"])
    amount, quantity = Decimal(part["minimum_amount"] or 0), Decimal(part["minimum_quantity"] or 0)
    least = {
        "fixed": value,
        "rate": value * amount,
        "multiplier": (value - 1) * known.earn_rate * amount,
        "per_item": value * (quantity // 1),
    }[part["effect"]["type"]]
    return least or None


def _tightest(part: Part) -> tuple[str, Decimal] | None:
    caps = [(scope, Decimal(cap["points"])) for scope, cap in part["caps"].items() if "points" in cap]
    caps = [(scope, points) for scope, points in caps if points]
    return min(caps, key=lambda cap: cap[1]) if caps else None


def _budget(part: Part, promotion: Promotion, known: Known) -> Iterator[Finding]:
    budget, pace = part["caps"].get("budget", {}), known.pace
    if pace is None:
        return
    for unit, a_day, used in (
        ("points", pace.points, pace.points_used),
        ("uses", pace.uses, Decimal(pace.uses_used)),
    ):
        if unit not in budget or a_day <= 0:
            continue
        start = max(promotion.start or known.now, known.now)
        days = int(max(Decimal(budget[unit]) - used, Decimal(0)) / a_day)
        if days > LONGEST_PACE.days:
            continue
        empty = start + timedelta(days=days)
        if promotion.end is None or empty < promotion.end:
            day = f"{empty.astimezone(known.zone):%-d %b %Y}"
            text = f"At the pace of the last month its budget is used up on {day}."
            yield Finding("warning", "budget_runs_out", f"cap_budget_{unit}", text)


def _adds_up(part: Part, promotion: Promotion, known: Known) -> Iterator[Finding]:
    overlap = known.overlap
    if overlap is not None:
        if overlap.percent > OVERLAP_PERCENT:
            text = (
                f"On {overlap.receipts} of the last {overlap.looked_at} receipts it adds up with "
                f"{', '.join(overlap.codes)} to {overlap.percent} % of the base points."
            )
            yield Finding("warning", "adds_up", "value", text)
        return
    others = [other for other in known.others if _meet(promotion, other) and _percent(other, known)]
    percents = [_percent(other, known) for other in [promotion, *others]]
    if others and sum(percents) > OVERLAP_PERCENT:
        codes = ", ".join(other.code for other in others[:5])
        text = f"With {codes} it may add up to {_plain(sum(percents, Decimal(0)))} % of the base points."
        yield Finding("warning", "adds_up", "value", text)


def _meet(one: Promotion, other: Promotion) -> bool:
    """Whether two promotions can apply to one line: windows and product sets have something in common, and
    they are not of one exclusivity group."""
    if one.code == other.code or (one.group and one.group == other.group):
        return False
    if (one.end and other.start and one.end <= other.start) or (
        other.end and one.start and other.end <= one.start
    ):
        return False
    if one.products is None or other.products is None:
        return True
    return any(mine & theirs for mine, theirs in zip(one.products, other.products, strict=True))


def _percent(promotion: Promotion, known: Known) -> Decimal:
    """What a promotion adds in % of the base points; 0 where it does not depend on money."""
    value = Decimal(promotion.value) / 10_000
    if promotion.effect == "multiplier":
        return (value - 1) * 100
    return value / known.earn_rate * 100 if promotion.effect == "rate" and known.earn_rate else Decimal(0)


def _segments(links: Mapping[str, Iterable[str]], known: Known) -> Iterator[Finding]:
    include = list(links.get("include", ()))
    empty = [code for code in include if not known.segment_sizes.get(code)]
    if not empty:
        return
    if len(empty) == len(include):
        text = f"Nobody is in {', '.join(empty)} now, so nobody would get it."
    else:
        text = f"Nobody is in {', '.join(empty)} now."
    yield Finding("warning", "empty_segment", "include_segments", text)


def _products(products: Part | None, known: Known) -> Iterator[Finding]:
    if products is None:
        return
    if not any(products[name] for name in ("skus", "categories", "brands")):
        yield Finding("error", "no_product", "skus", "The product set is empty, so no line would match.")
    elif not known.has_known_product:
        text = "No product of the programme's list is in the product set."
        yield Finding("warning", "no_known_product", "skus", text)
    elif known.unknown_products:
        listed = ", ".join(known.unknown_products[:5])
        more = len(known.unknown_products) - 5
        rest = f" and {more} more" if more > 0 else ""
        text = f"Not in the programme's product list: {listed}{rest}."
        yield Finding("warning", "unknown_products", "skus", text)


def _plain(value: Decimal) -> str:
    return f"{value:f}".rstrip("0").rstrip(".") if "." in f"{value:f}" else f"{value:f}"


_NO_LINKS = Links()
_CHECKS: tuple[Callable[[Part, Promotion, Known], Iterator[Finding]], ...] = (
    _window,
    _schedule,
    _conditions,
    _caps,
    _budget,
    _adds_up,
)
