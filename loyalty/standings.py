"""Standings between the database and the pure rules of `loyalty.tiers`: read, and booked into a call."""

from collections.abc import Mapping
from datetime import date, datetime
from zoneinfo import ZoneInfo

import msgspec
from uuid_utils.compat import uuid7

from loyalty.apply import Call
from loyalty.ledger import Account
from loyalty.models import Tier, TierRules
from loyalty.tiers import Change, Level, Progress, Scheme, Standing


class Stands(msgspec.Struct):
    """What is gathered of a member: the standing's row as an array, and qualifying points by day."""

    standing: Standing | None
    days: list[tuple[date, int]] | None

    def progress(self, scheme: Scheme) -> Progress:
        """The start of what is decided about the member's tier."""
        return Progress(scheme, self.standing or Standing(), dict(self.days or ()))


def scheme_of(programme_id: int) -> Scheme | None:
    """How the programme's tiers are reached; None if it has no tier rules."""
    rules = TierRules.objects.select_related("programme").filter(programme_id=programme_id).first()
    if rules is None:
        return None
    levels = Tier.objects.filter(programme_id=programme_id).order_by("rank")
    return Scheme(
        zone=ZoneInfo(rules.programme.time_zone),
        period=rules.period,
        length=rules.length,
        keeps_following=rules.keeps_following,
        levels=tuple(Level(*row) for row in levels.values_list("code", "name", "threshold", "labels")),
    )


def book(
    call: Call,
    account: Account,
    before: Standing,
    after: Progress,
    told: Mapping[str, object] | None = None,
) -> Progress:
    """Put what became of a standing into the call, with the news; returns `after` without its changes.

    The call must move the account too. `told` are more columns of the history rows: reason, actor, until.
    """
    scheme, standing = after.scheme, after.standing
    if standing != before:
        call.standings[account.id] = {
            "member_id": account.id,
            "programme_id": account.programme_id,
            "held": scheme.held(standing),
            "due_at": scheme.due_at(standing),
            **standing._asdict(),
        }
    for change in after.changes:
        row = {"id": uuid7(), "programme_id": account.programme_id, "member_id": account.id}
        extra = {"reason": "", "actor": "", "until": None, **(told or {})}
        call.add("tier_changes", {**row, **change._asdict(), "recorded_at": call.now, **extra})
        if change.before != change.after:
            call.tell(account, "tier.changed", news(change))
    return after._replace(changes=())


def count(call: Call, account: Account, known: Progress | None, day: date, points: int) -> None:
    """Do what was due about a tier, then count qualifying points of a day: they decide it from now on.

    Negative ones were taken back. Nothing happens where tiers are not earned (`known` None).
    """
    if known:
        book(call, account, known.standing, known.at(call.now).counting(day, points).at(call.now))


def news(change: Change) -> dict[str, str | int | datetime | None]:
    """What the outside is told of another tier."""
    return {
        "from": change.before or None,
        "to": change.after or None,
        "at": change.at,
        "why": change.why,
        "qualifying_points": change.qualifying,
    }
