"""The person is taken out of gift orders, for good."""

from datetime import datetime

from django.db import transaction as db_transaction

from members.models import Member
from rewards.erasure import MOVE, ORDER, under_way
from rewards.errors import OrdersUnderWay
from rewards.models import Move, Redemption
from rewards.services.deliveries import deliveries_erase
from rewards.services.moves import reservation_end


@db_transaction.atomic
def member_erase(*, member: Member, actor: str, now: datetime) -> None:
    """Delete where orders went, empty their texts and end reservations, whose points are gone already.

    Raises OrdersUnderWay. `actor` is `staff:<username>`. Part of `config.people.person_erase`.
    """
    if references := under_way(member):
        raise OrdersUnderWay(f"Under way: {', '.join(references)}.", orders=references)
    deliveries_erase(member=member)
    orders = Redemption.objects.filter(member=member)
    orders.update(**ORDER)
    Move.objects.filter(redemption__member=member).update(**MOVE)
    reserved = orders.filter(status=Redemption.Status.RESERVED).order_by("id")
    for reference in reserved.values_list("reference", flat=True):
        reservation_end(programme_id=member.programme_id, reference=reference, actor=actor, now=now)
