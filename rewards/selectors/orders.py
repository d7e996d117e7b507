"""Gift orders as partners and their members see them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from config.kernel.errors import NotFound
from config.kernel.texts import chain_for, pick
from members.models import Member, Programme
from rewards import answers
from rewards.gather import known_order
from rewards.lifecycle import UNDONE, Status
from rewards.models import Redemption
from rewards.services.issuing import code_of
from rewards.shelf import shelf_of


def redemption_shown(programme_id: int, reference: str, now: datetime) -> dict[str, Any]:
    """A gift order as it is now, never with its voucher's code. NotFound."""
    context = known_order(programme_id=programme_id, reference=reference, now=now)
    if context is None:
        raise NotFound
    return answers.shown(context, now)


@dataclass(frozen=True, slots=True)
class OwnOrder:
    """A gift order as its member sees it: the API's body, the gift's name, the voucher's code while it lives, and
    whether sending the gift back gives its points back."""

    body: dict[str, Any]
    name: str
    code: str | None
    gives_back: bool


def order_of_member(programme: Programme, member: Member, reference: str, now: datetime) -> OwnOrder | None:
    """A member's own order; None for one that is not there or another's."""
    context = known_order(programme_id=programme.pk, reference=reference, now=now)
    if context is None or context.booked.row.member_id != member.pk:
        return None
    body = answers.shown(context, now)
    is_usable = bool(body["voucher"]) and body["voucher"]["status"] == "active"
    name = pick(context.gift.name or {}, languages_for(programme, member, now))[0] or body["gift"]
    return OwnOrder(
        body, name, code_of(context.booked) if is_usable else None, bool(context.gift.returns_points)
    )


def orders_of_member(
    programme: Programme, member: Member, now: datetime, *, begin: int, limit: int
) -> list[dict[str, Any]]:
    """At most `limit` of a member's gift orders after the first `begin`, the newest first.

    Each with reference, name, quantity, points, status and when it was reached.
    """
    languages = languages_for(programme, member, now)
    found = Redemption.objects.filter(programme=programme, member=member).select_related("reward", "version")
    return [
        {
            "reference": row.reference,
            "name": pick(row.version.name, languages)[0] or row.reward.code,
            "quantity": row.quantity,
            "points": row.points,
            "status": Status.LAPSED if _has_lapsed(row, now) else Status(row.status),
            "at": row.status_at,
        }
        for row in found[begin : begin + limit]
    ]


def order_since(programme: Programme, member: Member, gift: str, since: datetime) -> str:
    """The reference of the member's last order of a gift, if it was placed since then and stands; "" for none."""
    placed = Redemption.objects.filter(programme=programme, member=member, recorded_at__gte=since)
    mine = placed.filter(reward__code=gift).exclude(status__in=sorted(UNDONE)).order_by("-recorded_at")
    return mine.values_list("reference", flat=True).first() or ""


def _has_lapsed(row: Redemption, now: datetime) -> bool:
    return row.status == Status.RESERVED and row.reserved_until is not None and row.reserved_until <= now


def languages_for(programme: Programme, member: Member, now: datetime) -> Sequence[str]:
    """The languages to look for a text in, the member's first."""
    return chain_for(member.language, shelf_of(programme.pk, now).languages)
