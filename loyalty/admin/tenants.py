"""What the pages of loyalty share: whose programme a page is of, and pages that only show."""

from collections.abc import Mapping
from typing import Any, cast

from django.contrib.auth.models import User
from django.db.models import OuterRef, QuerySet, Subquery
from django.forms import Media
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from unfold.paginator import InfinitePaginator

from config.kernel.admin import TenantAdmin
from members.models import Member, Programme
from members.selectors import programmes_of_staff


def own_programmes(request: HttpRequest) -> "QuerySet[Programme]":
    """The programmes the user works for; all of them for a superuser."""
    return programmes_of_staff(cast(User, request.user))


class LoyaltyAdmin(TenantAdmin):
    """Pages with tables of figures."""

    @property
    def media(self) -> Media:
        return super().media + Media(css={"all": ["css/loyalty.css"]})


class ShownAdmin(LoyaltyAdmin):
    """Rows that services write: staff look at them. Lists are paged without counting all rows.

    `detail_context` gives what the detail template shows.
    """

    paginator = InfinitePaginator
    show_full_result_count = False
    list_per_page = 50
    actions: Any = None

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def detail_context(self, request: HttpRequest, row: Any) -> dict[str, Any]:
        """What the detail page shows of the row."""
        return {}

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        return []

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        row = kwargs.get("obj")
        shown = self.detail_context(request, row) if row else {}
        return super().render_change_form(request, context | shown, *args, **kwargs)


class OfOneProgrammeAdmin(LoyaltyAdmin):
    """Forms that speak of one programme, its clock and its tiers: adding asks first which (`?programme=`)."""

    def programme_of(self, request: HttpRequest, row: Any = None) -> Programme | None:
        """The row's programme, or the one asked for; the only one when the user has but one."""
        if row is not None:
            return row.programme
        own = own_programmes(request)
        asked = request.GET.get("programme", "")
        if asked.isdecimal():
            return own.filter(pk=int(asked)).first()
        first = own[:2]
        return first[0] if len(first) == 1 else None

    def add_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if self.has_add_permission(request) and self.programme_of(request) is None:
            return self._choose(request)
        return super().add_view(request, *args, **kwargs)

    def _choose(self, request: HttpRequest) -> HttpResponse:
        context = {
            **self.admin_site.each_context(request),
            "title": f"Add {self.opts.verbose_name}: for which programme?",
            "opts": self.opts,
            "media": self.media,
            "programmes": own_programmes(request),
        }
        return TemplateResponse(request, "admin/loyalty/choose_programme.html", context)


def with_member_number(rows: "QuerySet[Any]") -> "QuerySet[Any]":
    """Rows that name an account by its id, with the `number` of its member."""
    member = Member.objects.filter(pk=OuterRef("account_id"))
    return rows.annotate(number=Subquery(member.values("number")[:1]))


def own_members(request: HttpRequest, number: str) -> "QuerySet[Member]":
    """Members with exactly this number in the user's programmes."""
    return Member.objects.filter(number=number, programme__in=own_programmes(request))


def row_number(row: Any) -> str:
    """The member number of an annotated row."""
    return str(row.number or "")


def state_label(state: str, kinds: Mapping[str, str]) -> tuple[str, str]:
    """A state with the kind of its label (unfold's info, success, warning, danger), for templates."""
    return kinds[state], state
