"""What becomes of what members holds of one member who is erased."""

from collections.abc import Iterator

from config.kernel.erasure import OPAQUE, Fate, Forgotten
from members.models import Activity, ConsentChange, Member, MemberSession

FORGOTTEN: Forgotten = {
    Member: {
        "number": OPAQUE,
        "first_name": "",
        "last_name": "",
        "email": "",
        "birth_date": None,
        "birth_date_changes": [],
        "language": "",
        "attributes": {},
        "consents": {},
        "metadata": {},
        "tier": "",
    }
}


def fates(member: Member) -> Iterator[Fate]:
    """What is held of the member here, and what erasing makes of it."""
    yield Fate(
        "Profile",
        1,
        "name, number, e-mail, birth date, language, attributes, consents, metadata, tier",
        "the days of enrolment and erasure: the ledger hangs on the row, and it shows that the person was erased",
    )
    yield Fate("What was said of consents", ConsentChange.objects.filter(member=member).count(), "all")
    sessions = MemberSession.objects.filter(member=member)
    yield Fate("Sessions", sessions.count(), "all; every device is signed out at once")
    activity = Activity.objects.filter(member=member)
    yield Fate("Days with sums", activity.count(), "nothing", "sums without a name, which reports add up")
