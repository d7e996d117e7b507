"""One person over all apps: all that is held of a member as one document, and its erasure.

The rights of access, to data portability and to erasure: GDPR art. 15, 20 and 17. Each app has its say, in import
order.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from itertools import chain
from typing import Any

import msgspec
from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db import connection
from django.db import transaction as db_transaction
from django.http import HttpRequest, StreamingHttpResponse

import loyalty.selectors
import loyalty.services
import members.selectors
import members.services
import rewards.selectors
import rewards.services
import segments.selectors
import segments.services
from config.kernel.api.throttle import count_call
from config.kernel.dossier import Page, Row, Section
from config.kernel.erasure import Fate
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
        return download(self.member, self.now, shows_codes=True)


def download(member: Member, now: datetime, *, shows_codes: bool) -> StreamingHttpResponse:
    """The member's document as a file that nobody keeps on the way."""
    return StreamingHttpResponse(
        member_document(member, now, shows_codes=shows_codes),
        content_type="application/json",
        headers={
            "Content-Disposition": f'attachment; filename="data-{member.number}.json"',
            "Cache-Control": "private, no-store",
        },
    )


def erasure_of(member: Member) -> Iterator[Fate]:
    """What erasing the person makes of all that is held, app by app."""
    for app in (members, segments, loyalty, rewards):
        yield from app.selectors.erasure_of(member)


@contextmanager
def unhurried() -> Iterator[None]:
    """A database transaction with a minute for each statement: keys, news and files have no index by member."""
    with db_transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL statement_timeout = '60s'")
        yield


@unhurried()
def person_erase(*, member: Member, actor: str, now: datetime) -> Member:
    """Erase a person from all apps, for good, or not at all; returns the row that is left.

    Points are forfeited, the number is free again, the ledger still verifies; docs/rules.md says what stays and
    why. `actor` is `staff:<username>`. Raises OrdersUnderWay, and NotFound for who is erased already.
    """
    number = member.number
    loyalty.services.account_lock(member=member, now=now)
    erased = members.services.member_erase(member=member, now=now)
    segments.services.member_erase(member=erased, number=number)
    loyalty.services.member_erase(member=erased, actor=actor, now=now)
    rewards.services.member_erase(member=erased, actor=actor, now=now)
    log = LogEntry.objects.filter(
        content_type=ContentType.objects.get_for_model(Member), object_id=str(erased.pk)
    )
    log.update(object_repr=erased.number)
    return erased
