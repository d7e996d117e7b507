"""What the pages of the catalogue share: whose programme a page is of, and who acts."""

from typing import cast

from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.forms import Media
from django.http import HttpRequest
from django.utils.html import format_html

from config.kernel.admin import OfOneProgrammeAdmin
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


class CatalogueAdmin(OfOneProgrammeAdmin):
    """Pages of gifts, pictures and files: of one programme and in its languages."""

    @property
    def media(self) -> Media:
        return super().media + Media(css={"all": ["css/loyalty.css", "css/rewards.css"]})

    def own_programmes(self, request: HttpRequest) -> "QuerySet[Programme]":
        return own_programmes(request)
