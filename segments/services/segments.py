"""Segments and the criteria of dynamic ones."""

from datetime import datetime

from django.db import IntegrityError
from django.db import transaction as db_transaction

from config.kernel.errors import FieldError, ValidationFailed
from config.kernel.models import check_fields
from config.kernel.texts import LABEL_LENGTH, Texts, stripped, text_errors
from members.models import Programme
from members.selectors import languages_of
from segments.criteria import CriteriaInvalid, Node, parse
from segments.errors import SegmentExists, SegmentIsStatic
from segments.models import DESCRIPTION_MAX_LENGTH, Refresh, Segment
from segments.services.refreshing import refresh_request
from segments.services.telling import check_active


def segment_create(
    *,
    programme: Programme,
    code: str,
    name: str,
    kind: str = Segment.Kind.STATIC,
    is_shown_to_members: bool = False,
) -> Segment:
    """Create a segment; who is in a dynamic one is said afterwards, by `criteria_save`.

    Raises ValidationFailed, and SegmentExists for a code that is taken.
    """
    segment = Segment(
        programme=programme, code=code, name=name, kind=kind, is_shown_to_members=is_shown_to_members
    )
    check_fields(segment, checks_uniqueness=False)
    try:
        with db_transaction.atomic():
            segment.save(force_insert=True)
    except IntegrityError:
        raise SegmentExists from None
    return segment


def segment_update(
    *,
    segment: Segment,
    name: str,
    is_shown_to_members: bool,
    labels: Texts | None = None,
    descriptions: Texts | None = None,
) -> Segment:
    """Rename a segment, show it to its members, name it for them and say why they are in it (None: as before).

    Raises ValidationFailed.
    """
    segment.name = name
    segment.is_shown_to_members = is_shown_to_members
    if labels is not None:
        segment.labels = stripped(labels)
    if descriptions is not None:
        segment.descriptions = stripped(descriptions)
    languages = {language.code for language in languages_of(segment.programme)}
    errors = [
        *text_errors("/labels", segment.labels, languages, LABEL_LENGTH),
        *text_errors("/descriptions", segment.descriptions, languages, DESCRIPTION_MAX_LENGTH),
    ]
    if errors:
        raise ValidationFailed(errors=errors)
    check_fields(segment, checks_uniqueness=False)
    segment.save(update_fields=["name", "is_shown_to_members", "labels", "descriptions"])
    return segment


def criteria_read(tree: object) -> Node:
    """The conditions that a JSON tree says. Raises ValidationFailed with a pointer for each fault."""
    try:
        return parse(tree)
    except CriteriaInvalid as error:
        raise ValidationFailed(errors=[FieldError(*fault) for fault in error.faults]) from None


@db_transaction.atomic
def criteria_save(*, segment: Segment, criteria: object, now: datetime, by: str = "") -> Refresh:
    """Say who is in a dynamic segment, and ask for its refresh; the history keeps what was said before.

    Raises ValidationFailed, SegmentIsStatic and ProgrammeNotActive.
    """
    check_active(segment)
    if not segment.is_dynamic:
        raise SegmentIsStatic
    criteria_read(criteria)
    segment.criteria = criteria
    segment.save(update_fields=["criteria"])
    return refresh_request(segment=segment, now=now, by=by)
