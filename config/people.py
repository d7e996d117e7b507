"""One person over all apps: all that is held of a member as one document, for the member and for staff.

The right of access and to data portability: GDPR art. 15 and 20. Each app offers what it holds, in import order.
"""

from collections.abc import Iterator
from datetime import datetime
from itertools import chain
from typing import Any, cast

import msgspec
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, StreamingHttpResponse
from django.utils import timezone

import loyalty.selectors
import members.selectors
import rewards.selectors
import segments.selectors
from config.kernel.admin import TenantAdmin
from config.kernel.api.throttle import count_call
from config.kernel.dossier import Page, Row, Section
from config.kernel.pages import MemberPage
from config.kernel.rates import Rate
from members.models import Member

DOWNLOADS = Rate(5, 3600)
"""Downloads of one member: it is the most that a page asks of the database."""
FORMAT = "ristourne-member-1"

_encode = msgspec.json.Encoder(decimal_format="string").encode


def member_document(member: Member, now: datetime, *, shows_codes: bool) -> Iterator[bytes]:
    """All that is held of the member as one JSON object, in pieces of a page of rows, instants in UTC.

    A page is read when it is asked for: what is written meanwhile may be in one section and not yet in another.
    `shows_codes` is for the member alone: codes of vouchers that can be used.
    """
    lead = b"{"
    for section in _sections(member, now, shows_codes=shows_codes):
        yield lead + _encode(section.name) + b":"
        yield from _content(section.content)
        lead = b","
    yield b"}\n"


def _sections(member: Member, now: datetime, *, shows_codes: bool) -> Iterator[Section]:
    programme = member.programme
    about = {"format": FORMAT, "made_at": now, "programme": {
        name: getattr(programme, name) for name in ("code", "name", "currency", "time_zone")
    }}  # fmt: skip
    return chain(
        [Section("about", about)],
        members.selectors.dossier_of(member),
        segments.selectors.dossier_of(member),
        loyalty.selectors.dossier_of(member, now),
        rewards.selectors.dossier_of(member, now, shows_codes=shows_codes),
    )


def _content(content: Row | Iterator[Page] | None) -> Iterator[bytes]:
    if content is None or isinstance(content, dict):
        yield _encode(content)
        return
    lead = b"["
    for page in content:
        yield lead + b",".join(map(_encode, page))
        lead = b","
    yield b"[]" if lead == b"[" else b"]"


class DataDownload(MemberPage):
    """The member's own document."""

    template_name = "members/data_again.html"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        allowance = count_call(f"data:{self.member.pk}", DOWNLOADS)
        if allowance.remaining < 0:
            later = {"Retry-After": str(allowance.reset)}
            return self.render_to_response(self.get_context_data(), status=429, headers=later)
        return _download(self.member, self.now, shows_codes=True)


@admin.site.admin_view
def data_download_by_staff(request: HttpRequest, member_id: int) -> StreamingHttpResponse:
    """A member's document for who asked by letter, without codes; Http404 for members of other programmes."""
    office = cast(TenantAdmin, admin.site.get_model_admin(Member))
    member = office.own_row(request, str(member_id))
    if not office.has_change_permission(request, member):
        raise PermissionDenied
    office.log_change(request, member, "Downloaded the member's data.")
    return _download(member, timezone.now(), shows_codes=False)


def _download(member: Member, now: datetime, *, shows_codes: bool) -> StreamingHttpResponse:
    return StreamingHttpResponse(
        member_document(member, now, shows_codes=shows_codes),
        content_type="application/json",
        headers={
            "Content-Disposition": f'attachment; filename="data-{member.number}.json"',
            "Cache-Control": "private, no-store",
        },
    )
