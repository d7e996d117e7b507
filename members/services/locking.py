"""Members one at a time: who writes of a member locks the row first, and no other row with it."""

from config.kernel.errors import NotFound
from members.models import Member


def member_locked(*, member: Member) -> Member:
    """The member as stored, with its programme, changed by nobody else until the database transaction ends.

    The programme's row stays free: everybody's rows refer to it. Raises NotFound for who was erased meanwhile.
    """
    rows = Member.objects.select_for_update(of=("self",), no_key=True).select_related("programme")
    stored = rows.filter(pk=member.pk).exclude(status=Member.Status.ERASED).first()
    if stored is None:
        raise NotFound
    return stored
