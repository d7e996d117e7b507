"""Programmes, their languages and staff, and members by number."""

from datetime import datetime
from zoneinfo import ZoneInfo

from django.conf import settings
from django.contrib.auth.models import User
from django.db.models import QuerySet, Sum

from config.kernel.catalogues import own_variant
from config.kernel.errors import NotFound
from members.models import Activity, Member, Partner, Programme, ProgrammeLanguage
from members.selectors.callers import Caller


def programme_of(caller: Caller) -> Programme:
    """The programme the caller belongs to."""
    return Programme.objects.get(pk=caller.programme_id)


def programmes_of_staff(user: User) -> QuerySet[Programme]:
    """The programmes a staff user works for; all of them for a superuser."""
    if user.is_superuser:
        return Programme.objects.all()
    return Programme.objects.filter(staff_memberships__user=user)


def languages_of(programme: Programme) -> list[ProgrammeLanguage]:
    """The programme's languages in its order."""
    return list(programme.languages.all())


def default_language(programme: Programme) -> str:
    """The code of the language that is used where none is asked for; "" while the programme has none."""
    return programme.languages.filter(is_default=True).values_list("code", flat=True).first() or ""


def member_by_number(programme: Programme, number: str) -> Member:
    """The programme's member with this number. Raises NotFound, whoever else may have it."""
    try:
        return Member.objects.get(programme=programme, number=number)
    except Member.DoesNotExist:
        raise NotFound from None


def earned_since(member: Member, since: datetime) -> int:
    """Points the member earned on the programme days from that of `since` on."""
    day = since.astimezone(ZoneInfo(member.programme.time_zone)).date()
    found = Activity.objects.filter(member=member, day__gte=day).aggregate(points=Sum("earned"))
    return found["points"] or 0


def language_for(language: str) -> str:
    """The language of our own texts that comes nearest to a member's, else the installation's default."""
    return own_variant(language) or settings.LANGUAGE_CODE


def partner_names(programme: Programme) -> dict[int, str]:
    """Names of the programme's partners by id, for rows that say which one sent them."""
    return dict(Partner.objects.filter(programme=programme).values_list("pk", "name"))
