"""What the pages of loyalty share: whose programme a page is of, and pages that only show."""

from collections.abc import Mapping
from typing import Any, cast

from django.contrib.auth.models import User
from django.db.models import OuterRef, Q, QuerySet, Subquery
from django.forms import Media
from django.http import HttpRequest, HttpResponse
from unfold.paginator import InfinitePaginator

from config.kernel import admin as kernel
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


class OfMemberAdmin(ShownAdmin):
    """Rows of one member each, found by their reference or the member's number."""

    search_fields = ["reference__exact"]
    search_help_text = "Reference or member number"

    def get_search_results(
        self, request: HttpRequest, queryset: "QuerySet[Any]", search_term: str
    ) -> "tuple[QuerySet[Any], bool]":
        term = search_term.strip()
        if not term:
            return queryset, False
        members = own_members(request, term).values("pk")
        return queryset.filter(Q(reference=term) | Q(account_id__in=members)), False


class OfOneProgrammeAdmin(kernel.OfOneProgrammeAdmin, LoyaltyAdmin):
    """Forms that speak of one programme, its clock and its tiers."""

    def own_programmes(self, request: HttpRequest) -> "QuerySet[Programme]":
        return own_programmes(request)


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
