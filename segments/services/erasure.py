"""The person is taken out of segments, for good."""

from django.db import transaction as db_transaction

from members.models import Member
from segments.models import Membership, Pin, UploadRow


@db_transaction.atomic
def member_erase(*, member: Member, number: str) -> None:
    """Delete memberships and pins of an erased member, whose `number` was this one, and the number in files.

    Part of `config.people.person_erase`.
    """
    Membership.objects.filter(member=member).delete()
    Pin.objects.filter(member=member).delete()
    in_files = UploadRow.objects.filter(upload__programme=member.programme_id, member=number)
    in_files.update(member=member.number, reason="")
