"""What segments holds of one member."""

from collections.abc import Iterator

from django.db.models import QuerySet

from config.kernel.dossier import Page, Section, fields, pages
from members.models import Member
from segments.models import Membership, Pin

_SEGMENT = ("code", "name", "kind")


def sections(member: Member) -> Iterator[Section]:
    """Every membership with its dates and reasons, also of segments that members are not told of, and pins."""
    for name, rows in (
        ("memberships", Membership.objects.filter(member=member)),
        ("pins", Pin.objects.filter(member=member)),
    ):
        yield Section(name, _of_segments(rows))


def _of_segments(rows: QuerySet[Membership] | QuerySet[Pin]) -> Iterator[Page]:
    columns = fields(rows.model, "programme", "member", "segment")
    return pages(rows.values(*columns, *(f"segment__{name}" for name in _SEGMENT)), "id", shape=_shaped)


def _shaped(page: Page) -> Page:
    for row in page:
        del row["id"]
        row["segment"] = {name: row.pop(f"segment__{name}") for name in _SEGMENT}
    return page
