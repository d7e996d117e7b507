"""A member's movements of a period on paper, in the member's language and the programme's time."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.utils import timezone, translation
from django.utils.translation import gettext as _

from loyalty.selectors import Filters, balance_shown
from members.models import Member, Programme
from members.selectors import language_for
from rewards.letterhead import letterhead_of
from rewards.pages import words
from rewards.selectors import Told, languages_for, movements_told
from rewards.statement import Line, Sheet, statement_pages
from rewards.templatetags.my_points import day, points, signed


@dataclass(frozen=True, slots=True)
class Period:
    """Days of the programme, both inclusive; None = from the beginning, or until today."""

    first: date | None = None
    last: date | None = None

    def filters(self, zone: ZoneInfo) -> Filters:
        """The movements that occurred then."""
        since = _start(self.first, zone) if self.first else None
        until = _start(self.last + timedelta(days=1), zone) if self.last else None
        return Filters(since=since, until=until)


def statement_of(programme: Programme, member: Member, period: Period, now: datetime) -> bytes:
    """A PDF of the member's movements, oldest first, each with the balance after it. NotFound."""
    zone = ZoneInfo(programme.time_zone)
    told = list(movements_told(programme, member.number, period.filters(zone), now))[::-1]
    balance = balance_shown(programme, member.number, now)
    with translation.override(language_for(member.language)), timezone.override(zone):
        sheet = _sheet(programme, member, period, now, told, balance)
        lines = _lines(told, languages_for(programme, member, now))
        return statement_pages(sheet, lines, letterhead_of(programme))


def _sheet(
    programme: Programme,
    member: Member,
    period: Period,
    now: datetime,
    told: list[Told],
    balance: dict[str, int],
) -> Sheet:
    gained = sum(movement.points for movement, _order in told if movement.points > 0)
    lost = sum(movement.points for movement, _order in told if movement.points < 0)
    totals = [
        (_("Received in this period"), signed(gained)),
        (_("Spent or taken back in this period"), signed(lost)),
    ]
    figures = [(_("To spend today"), "available"), (_("Not yet available"), "pending"),
               (_("Reserved"), "held"), (_("To be paid back"), "debt")]  # fmt: skip
    totals += [(name, points(balance[key])) for name, key in figures if balance[key] or key == "available"]
    return Sheet(
        language=translation.get_language() or "en",
        title=_("Statement of points"),
        head=_head(programme, member, period, now),
        columns=(_("Day"), _("What happened"), _("Points"), _("Balance")),
        totals=totals,
        empty=_("Nothing happened in this period."),
        page=_("Page {}"),
    )


def _head(programme: Programme, member: Member, period: Period, now: datetime) -> list[str]:
    name = f"{member.first_name} {member.last_name}".strip()
    zone = ZoneInfo(programme.time_zone)
    first = day(_start(period.first, zone) if period.first else member.enrolled_at)
    last = day(_start(period.last, zone) if period.last else now)
    who = _("Member %(number)s") % {"number": member.number}
    return [
        programme.name,
        f"{who}, {name}" if name else who,
        _("From %(first)s to %(last)s") % {"first": first, "last": last},
        _("Made on %(day)s") % {"day": day(now)},
    ]


def _start(when: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(when, time.min, zone)


def _lines(told: list[Told], languages: Sequence[str]) -> Iterator[Line]:
    for movement, order in told:
        yield Line(
            day=day(movement.occurred_at),
            what=words.title(movement, order, languages),
            note="" if words.is_plain(movement, order) else words.status(movement, order),
            points=signed(movement.points),
            balance=points(movement.balance_after),
        )
