"""What the pages of the catalogue share: whose programme a page is of, and who acts."""

from typing import Any, cast

from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.forms import Media
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.html import format_html

from config.kernel.admin import TenantAdmin
from members.models import Programme
from members.selectors import programmes_of_staff
from rewards.models import Picture
from rewards.services.pictures import FOLDER


def actor_of(request: HttpRequest) -> str:
    """How the steps of a gift name the user."""
    return f"staff:{request.user.get_username()}"


def own_programmes(request: HttpRequest) -> "QuerySet[Programme]":
    """The programmes the user works for; all of them for a superuser."""
    return programmes_of_staff(cast(User, request.user))


def picture_url(picture: Picture, *, smallest: bool = True) -> str:
    """The address of a file of a picture."""
    return f"/media/{FOLDER}/{picture.files[-1 if smallest else 0]['name']}"


def thumbnail(picture: Picture | None) -> str:
    """A small image for lists."""
    if picture is None:
        return format_html('<span class="{}"></span>', "gift-thumbnail")
    return format_html('<img class="gift-thumbnail" src="{}" alt="" loading="lazy">', picture_url(picture))


class CatalogueAdmin(TenantAdmin):
    """Forms that speak of one programme and its languages: adding asks first which (`?programme=`)."""

    @property
    def media(self) -> Media:
        return super().media + Media(css={"all": ["css/loyalty.css", "css/rewards.css"]})

    def programme_of(self, request: HttpRequest, row: Any = None) -> Programme | None:
        """The row's programme, or the one asked for; the only one when the user has but one."""
        if row is not None:
            return cast(Programme, row.programme)
        own = own_programmes(request)
        asked = request.GET.get("programme", "")
        if asked.isdecimal():
            return own.filter(pk=int(asked)).first()
        first = own[:2]
        return first[0] if len(first) == 1 else None

    def add_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if self.has_add_permission(request) and self.programme_of(request) is None:
            return self.choose_programme(request, f"Add {self.opts.verbose_name}: for which programme?")
        return super().add_view(request, *args, **kwargs)

    def choose_programme(self, request: HttpRequest, title: str) -> HttpResponse:
        """Ask which programme; the answer is the same page with `?programme=`."""
        context = {
            **self.admin_site.each_context(request),
            "title": title,
            "opts": self.opts,
            "media": self.media,
            "programmes": own_programmes(request),
        }
        return TemplateResponse(request, "admin/loyalty/choose_programme.html", context)
