"""Gift orders of the demo's members, at every stage, from points they earned; and who issues their vouchers."""

from datetime import datetime, timedelta

from loyalty.models import Account
from loyalty.services import Write
from members.models import Programme
from rewards.models import Redemption, RewardVersion
from rewards.services import (
    MoveCommand,
    RedemptionCommand,
    Status,
    redemption_move,
    redemption_order,
    reservations_lapse,
    voucher_issuer_set,
)

MEMBER_OF_THE_DOCUMENTATION = "10042"
STAFF, SHOP = "staff:choco", "partner:demo-shop"
PREPARED = (Status.IN_PREPARATION,)
SENT = (*PREPARED, Status.IN_DELIVERY)
ARRIVED = (*SENT, Status.DELIVERED)
PARCELS: tuple[tuple[str, tuple[Status, ...]], ...] = (
    ("cancelled", (Status.CANCELLED,)),
    ("back", (*SENT, Status.RETURNED)),
    ("asked-back", (*ARRIVED, Status.RETURN_REQUESTED)),
    ("prepared", PREPARED),
    ("sent", SENT),
    ("ordered", ()),
    ("arrived", ARRIVED),
)
"""What became of each parcel, step by step; first those whose points are for the next one again."""
Voucher = tuple[str, str, int, Status | None]
PASSING: tuple[Voucher, ...] = (("lapsed", "hold", 20, None), ("released", "hold", 0, Status.RELEASED))
LASTING: tuple[Voucher, ...] = (
    ("reserved", "hold", 0, None),
    ("voucher", "commit", 0, None),
    ("confirmed", "hold", 0, Status.EXCHANGED),
)
"""Vouchers by name: mode, how many minutes ago (an account's time never goes back), and the step after."""
NOTES = {Status.CANCELLED: "Ordered twice", Status.RETURNED: "Nobody at home, came back"}


def orders_create(programme: Programme, now: datetime, buyer: str | None = None) -> int:
    """Orders in every status, each by who has most points then, or all by `buyer`; how many.

    A programme with orders keeps them.
    """
    voucher_issuer_set(
        programme=programme,
        name=f"{programme.name} NV",
        address="Kouter 1, 9000 Gent",
        company_number="BE 0123.456.749",
        conditions={"fr": "Non remboursable en espèces.", "nl-BE": "Niet inwisselbaar voor geld.",
                    "en": "Not redeemable for cash."},
    )  # fmt: skip
    parcel, voucher = _cheapest(programme, "physical"), _cheapest(programme, "digital_voucher")
    if parcel is None or voucher is None or Redemption.objects.filter(programme=programme).exists():
        return 0
    made = _vouchers(programme, voucher, PASSING, now, buyer)
    for name, steps in PARCELS:
        if Status.RETURN_REQUESTED in steps and not parcel.is_returnable:
            continue
        member = _buyer(programme, parcel.points, buyer)
        if member is None:
            continue
        _order(programme, f"DEMO-{name}", member, parcel.reward.code, "commit", now)
        for to in steps:
            tracking = f"BE{100200300 + made}" if to is Status.IN_DELIVERY else ""
            command = MoveCommand(f"DEMO-{name}", to, STAFF, NOTES.get(to, ""), tracking)
            redemption_move(write=Write(programme.pk, now), command=command)
        made += 1
    return made + _vouchers(programme, voucher, LASTING, now, buyer)


def _vouchers(
    programme: Programme,
    voucher: RewardVersion,
    wanted: tuple[Voucher, ...],
    now: datetime,
    buyer: str | None,
) -> int:
    """Vouchers at once or reserved, as far as somebody can pay; how many."""
    made = 0
    for name, mode, ago, to in wanted:
        member = _buyer(programme, voucher.points, buyer)
        if member is None:
            continue
        _order(programme, f"DEMO-{name}", member, voucher.reward.code, mode, now - timedelta(minutes=ago))
        if to:
            command = MoveCommand(f"DEMO-{name}", to, SHOP)
            redemption_move(write=Write(programme.pk, now), command=command)
        made += 1
    reservations_lapse(now=now)
    return made


def _order(programme: Programme, reference: str, member: str, gift: str, mode: str, now: datetime) -> None:
    command = RedemptionCommand(reference, member, gift, SHOP, mode=mode)
    redemption_order(write=Write(programme.pk, now), command=command)


def _cheapest(programme: Programme, kind: str) -> RewardVersion | None:
    """The live version of a kind that is for everybody: one that may be returned if there is one, the cheapest."""
    live = RewardVersion.objects.filter(
        programme=programme, state="live", shown_until=None, segments=[], tiers=[]
    )
    shown = live.filter(reward__kind=kind, reward__state="active").exclude(reward__stock=0)
    return shown.select_related("reward").order_by("-is_returnable", "points").first()


def _buyer(programme: Programme, points: int | None, buyer: str | None) -> str | None:
    """The number of the member with most points, if that is as many as these; never the documentation's."""
    rich = Account.objects.filter(programme=programme, available__gte=points, member__status="active")
    if buyer:
        rich = rich.filter(member__number=buyer)
    others = rich.exclude(member__number=MEMBER_OF_THE_DOCUMENTATION)
    return others.order_by("-available", "pk").values_list("member__number", flat=True).first()
