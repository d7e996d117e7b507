"""The person is taken out of members, for good; the row that points hang on stays."""

from datetime import datetime

from django.db import transaction as db_transaction
from django.db.models import F

from config.kernel.errors import NotFound
from members.erasure import FORGOTTEN
from members.models import ConsentChange, Member, MemberSession, OutboxEvent, SignInRequest
from members.services.telling import tell


@db_transaction.atomic
def member_erase(*, member: Member, now: datetime) -> Member:
    """Empty the profile and delete consents, sessions, sign-in requests and news; returns what is left.

    The number is free again. Raises NotFound for one who is erased already. Part of `config.people.person_erase`,
    which calls it with the account locked: who writes points locks that before the member.
    """
    # Before the member is locked: the job that answers a request locks the two in this order.
    if member.email:
        asked = SignInRequest.objects.filter(programme_id=member.programme_id, email__iexact=member.email)
        asked.delete()
    rows = Member.objects.filter(pk=member.pk)
    if not rows.select_for_update().exclude(status=Member.Status.ERASED).exists():
        raise NotFound
    for model in (ConsentChange, MemberSession, OutboxEvent):
        model.objects.filter(member_id=member.pk).delete()
    rows.update(
        **FORGOTTEN[Member],
        status=Member.Status.ERASED,
        erased_at=now,
        identity_version=F("identity_version") + 1,
    )
    tell("member.erased", member, now)
    return rows.select_related("programme").get()
