"""What staff do for a person over all apps: hand out what is held, erase it."""

from typing import Any, cast

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import OperationalError
from django.db import transaction as db_transaction
from django.forms.widgets import Media
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils import timezone
from django.views.decorators.http import require_POST
from unfold.widgets import UnfoldAdminTextInputWidget

from config.kernel.admin import TenantAdmin
from config.kernel.errors import RistourneError
from config.people import download, erasure_of, person_erase, unhurried
from members.models import Member
from rewards.selectors import orders_under_way

ERASE = "members.erase_member"


class EraseForm(forms.Form):
    """The member's number, typed to confirm."""

    number = forms.CharField(
        label="Number of the member",
        widget=UnfoldAdminTextInputWidget({"autocomplete": "off", "spellcheck": "false"}),
        help_text="Type it to confirm. Nothing brings the person back.",
    )

    def __init__(self, member: Member, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.member = member

    def clean_number(self) -> str:
        """Raises ValidationError for any other number."""
        number: str = self.cleaned_data["number"]
        if number != self.member.number:
            raise forms.ValidationError("This is not the number of the member.")
        return number


@admin.site.admin_view
@require_POST
def data_download_by_staff(request: HttpRequest, member_id: int) -> StreamingHttpResponse:
    """A member's document for who asked by letter, without codes; Http404 for members of other programmes."""
    office = cast(TenantAdmin, admin.site.get_model_admin(Member))
    member = office.row_to_change(request, str(member_id))
    office.log_change(request, member, "Downloaded the member's data.")
    return download(member, timezone.now(), shows_codes=False)


@admin.site.admin_view
def person_erase_by_staff(request: HttpRequest, member_id: int) -> HttpResponse:
    """What erasing removes and what stays and why; POST with the number erases, which the log keeps without a name.

    Http404 for members of other programmes; PermissionDenied without the permission to erase.
    """
    office = cast(TenantAdmin, admin.site.get_model_admin(Member))
    member = office.row_to_change(request, str(member_id))
    if not request.user.has_perm(ERASE):
        raise PermissionDenied
    form = EraseForm(member, request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            with db_transaction.atomic():
                actor = f"staff:{request.user.get_username()}"
                erased = person_erase(member=member, actor=actor, now=timezone.now())
                office.log_change(request, erased, "Erased the person.")
        except RistourneError as error:
            form.add_error(None, error.detail)
        except OperationalError:
            form.add_error(
                None, "Others are writing about this member right now: nothing was erased. Try again."
            )
        else:
            messages.success(request, "The person is erased.")
            return redirect("admin:members_member_change", erased.pk)
    with unhurried():
        fates = list(erasure_of(member))
    context = {
        **admin.site.each_context(request),
        "title": f"Erase member {member.number}",
        "opts": Member._meta,
        "original": member,
        "media": office.media + Media(css={"all": ["css/loyalty.css"]}),
        "form": form,
        "fates": fates,
        "orders": orders_under_way(member),
    }
    return TemplateResponse(request, "admin/members/erase.html", context, status=422 if form.errors else 200)
