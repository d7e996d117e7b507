"""Where the pages find a programme's colour and logo."""

from django import template
from django.urls import reverse

from members.look import digest
from members.models import MemberSession, Programme
from members.selectors import LanguageName, languages_offered

register = template.Library()


@register.filter
def look_address(programme: Programme | None) -> str:
    """The stylesheet of the programme's colour; "" without one."""
    if not programme or not programme.colour:
        return ""
    return reverse("member-look", args=[programme.code, digest(programme.colour)])


@register.filter
def logo_address(programme: Programme) -> str:
    """The programme's logo; "" without one."""
    return reverse("member-logo", args=[programme.logo["name"]]) if programme.logo else ""


@register.simple_tag
def languages(session: MemberSession | str | None) -> list[LanguageName]:
    """The languages in which this page can be read; a page without a session is a stranger's."""
    return languages_offered(session if isinstance(session, MemberSession) else None)
