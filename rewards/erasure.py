"""What becomes of what rewards holds of one member who is erased."""

from collections.abc import Iterator

from config.kernel.erasure import NO_HASH, NO_SALT, OPAQUE, Fate, Forgotten
from members.models import Member
from rewards.lifecycle import Status
from rewards.models import Delivery, Move, Redemption, Voucher, VoucherUse

UNDER_WAY = (Status.EXCHANGED, Status.IN_PREPARATION, Status.IN_DELIVERY, Status.RETURN_REQUESTED)
"""Orders that somebody still has to do something for: until they are over, nobody is erased."""
ORDER = {"reference": OPAQUE, "tracking": "", "content": NO_HASH, "salt": NO_SALT, "metadata": {}}
MOVE = {"note": "", "tracking": ""}
FORGOTTEN: Forgotten = {Redemption: ORDER, Move: MOVE}


def under_way(member: Member) -> list[str]:
    """References of the member's orders that are under way, the oldest first."""
    orders = Redemption.objects.filter(member=member, status__in=UNDER_WAY).order_by("id")
    return list(orders.values_list("reference", flat=True))


def fates(member: Member) -> Iterator[Fate]:
    """What is held of the member here, and what erasing makes of it."""
    orders = Redemption.objects.filter(member=member)
    yield Fate(
        "Gift orders",
        orders.count(),
        "references, tracking numbers, metadata; reservations are released",
        "which gift, when, for how many points: entries are explained by it",
    )
    moves = Move.objects.filter(redemption__member=member)
    yield Fate("Steps of orders", moves.count(), "notes and tracking numbers", "which step, when")
    yield Fate("Where orders went", Delivery.objects.filter(redemption__member=member).count(), "all")
    vouchers = Voucher.objects.filter(redemption__member=member)
    yield Fate(
        "Vouchers",
        vouchers.count(),
        "nothing",
        "they were paid for: whoever holds the code may use it, and no code is kept",
    )
    uses = VoucherUse.objects.filter(voucher__redemption__member=member)
    yield Fate(
        "Uses of vouchers",
        uses.count(),
        "nothing",
        "the partner's receipt of whoever brought the code, so that none is charged twice",
    )
