"""The news of a member, for partners."""

from collections.abc import Mapping
from datetime import datetime

from members.models import Member, OutboxEvent


def tell(type_: str, member: Member, now: datetime, body: Mapping[str, object] | None = None) -> None:
    """Write the news, in the database transaction of what it tells; `body` holds no personal data."""
    OutboxEvent.objects.create(
        programme_id=member.programme_id, member_id=member.pk, type=type_, body=body or {}, recorded_at=now
    )
