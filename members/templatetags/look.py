"""Where the pages find a programme's colour and logo; codes as words."""

from django import template
from django.urls import reverse

from members.look import digest
from members.models import Programme

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


@register.filter
def words(code: str) -> str:
    """A code of a partner as words."""
    return code.replace("_", " ").replace("-", " ")
