"""Whether a member may have a gift now, and what a piece costs them: decided on what was gathered for the order."""

from datetime import datetime

from config.kernel.errors import NotFound, ValidationFailed
from loyalty.selectors import promotions_open_to
from rewards.errors import GiftNotAvailable, LimitReached, OutOfStock
from rewards.gather import NewContext
from rewards.records import GiftRow


def available(context: NewContext, quantity: int) -> GiftRow:
    """The gift, if this member may have so many pieces of it now.

    NotFound, GiftNotAvailable (`reasons`), LimitReached, OutOfStock; ValidationFailed for several pieces of
    one code.
    """
    gift, person = context.gift, context.place.holding.person
    if gift is None or person is None:
        raise NotFound
    reasons = [] if gift.version_id and gift.state == "active" else ["not_live"]
    if gift.segments and context.segments.isdisjoint(gift.segments):
        reasons.append("segment")
    if gift.tiers and person.tier not in gift.tiers:
        reasons.append("tier")
    if reasons:
        raise GiftNotAvailable("This gift is not available to the member.", reasons=reasons)
    if gift.kind == "pool_voucher" and quantity > 1:
        raise ValidationFailed.at("/quantity", "one_at_a_time", "One code at a time.")
    _check_limits(context, gift, quantity)
    if gift.stock is not None and gift.stock < quantity:
        raise OutOfStock(f"{gift.stock} in stock.")
    if gift.kind == "pool_voucher" and not context.has_code:
        raise OutOfStock("No code is left.")
    return gift


def _check_limits(context: NewContext, gift: GiftRow, quantity: int) -> None:
    limits = (
        (gift.limit_per_member, context.ever, None),
        (gift.limit_per_period, context.lately, gift.period),
    )
    for limit, used, period in limits:
        if limit is not None and used + quantity > limit:
            raise LimitReached(
                f"At most {limit} to a member; {used} so far.", limit=limit, used=used, period=period
            )


def price(context: NewContext, gift: GiftRow, programme_id: int, now: datetime) -> tuple[int, str]:
    """The lowest price of a piece that is for this member, and the code of the promotion it comes from."""
    prices = [(gift.points or 0, "")]
    if gift.prices:
        open_now = promotions_open_to(
            programme_id,
            context.place.head.rules_version,
            context.place.holding,
            context.segments,
            now,
        )
        prices += [(points, code) for code, points in gift.prices if code in open_now]
    return min(prices)
