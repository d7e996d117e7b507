"""News for the outside, written in the database transaction of what it tells."""

from uuid import UUID

from django.db import models
from uuid_utils.compat import uuid7

from members.models.members import Member
from members.models.programmes import Programme


def new_event_id() -> UUID:
    """A UUID of version 7: unique, and in the order of time."""
    return uuid7()


class OutboxEvent(models.Model):
    """A piece of news; exists if and only if its transaction committed. Its body holds no personal data.

    No database constraint ties it to programme and member: it is written on the hottest path, and read and
    deleted only by deliveries.
    """

    id = models.UUIDField(primary_key=True, default=new_event_id)
    programme = models.ForeignKey(Programme, models.DO_NOTHING, db_constraint=False, db_index=False)
    member = models.ForeignKey(Member, models.DO_NOTHING, null=True, db_constraint=False, db_index=False)
    type = models.TextField()
    body = models.JSONField()
    recorded_at = models.DateTimeField(db_index=True)

    class Meta:
        ordering = ["recorded_at"]

    def __str__(self) -> str:
        return f"{self.type} {self.id}"
