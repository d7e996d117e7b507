"""Where gifts go is personal data: it is forgotten when it is no longer needed."""

from datetime import datetime, timedelta

from members.models import Member
from rewards.lifecycle import Status
from rewards.models import Delivery

KEPT = timedelta(days=90)
OVER = (Status.DELIVERED, Status.RETURNED, Status.CANCELLED, Status.RELEASED, Status.LAPSED)


def deliveries_forget(*, now: datetime) -> int:
    """Delete the delivery data of orders that were over 90 days ago; how many."""
    over = Delivery.objects.filter(redemption__status__in=OVER, redemption__status_at__lte=now - KEPT)
    return over.delete()[0]


def deliveries_erase(*, member: Member) -> int:
    """Delete the delivery data of all orders of a member; how many."""
    return Delivery.objects.filter(redemption__member=member).delete()[0]
