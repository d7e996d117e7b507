"""What becomes of what segments holds of one member who is erased."""

from collections.abc import Iterator

from config.kernel.erasure import Fate
from members.models import Member
from segments.models import Membership, Pin, UploadRow


def fates(member: Member) -> Iterator[Fate]:
    """What is held of the member here, and what erasing makes of it."""
    yield Fate("Memberships of segments", Membership.objects.filter(member=member).count(), "all")
    yield Fate("Pins", Pin.objects.filter(member=member).count(), "all")
    in_files = UploadRow.objects.filter(upload__programme=member.programme_id, member=member.number)
    yield Fate(
        "Rows of files of members",
        in_files.count(),
        "number and reason",
        "that there was a row, which the file's counts are about",
    )
