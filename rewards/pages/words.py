"""What happened, in a member's own language: movements, the steps of a trace, what did not apply."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.dates import WEEKDAYS
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from config.kernel.errors import RistourneError
from config.kernel.texts import called
from loyalty.selectors import Movement
from rewards.history import OrderShown
from rewards.templatetags.my_points import exact, points

STATUSES: Mapping[str, Any] = {
    "posted": gettext_lazy("booked"),
    "pending": gettext_lazy("not yet available"),
    "expired": gettext_lazy("expired"),
    "partially_reversed": gettext_lazy("partly returned"),
    "reversed": gettext_lazy("returned"),
    "limit_reached": gettext_lazy("limit reached"),
    "in_review": gettext_lazy("being looked at"),
    "reserved": gettext_lazy("reserved"),
    "released": gettext_lazy("given up"),
    "lapsed": gettext_lazy("reservation ended"),
    "exchanged": gettext_lazy("ordered"),
    "cancelled": gettext_lazy("cancelled"),
    "in_preparation": gettext_lazy("in preparation"),
    "in_delivery": gettext_lazy("on its way"),
    "delivered": gettext_lazy("delivered"),
    "return_requested": gettext_lazy("return asked for"),
    "returned": gettext_lazy("returned"),
}
KINDS: Mapping[str, Any] = {
    "earn": gettext_lazy("Purchases"),
    "event": gettext_lazy("Rewards for taking part"),
    "reversal": gettext_lazy("Returns"),
    "redemption": gettext_lazy("Gifts"),
    "redemption_cancelled": gettext_lazy("Cancelled gifts"),
    "redemption_returned": gettext_lazy("Returned gifts"),
    "adjustment": gettext_lazy("Corrections"),
    "expiry": gettext_lazy("Expired points"),
    "give_back": gettext_lazy("Points given back"),
}
_TITLES: Mapping[str, Any] = {
    "earn": gettext_lazy("Purchase"),
    "expiry": gettext_lazy("Points expired"),
    "give_back": gettext_lazy("Expired points given back"),
    "redemption": gettext_lazy("Gift"),
    "redemption_cancelled": gettext_lazy("Gift cancelled"),
    "redemption_returned": gettext_lazy("Gift returned"),
}
REASONS: Mapping[str, Any] = {
    "outside_window": gettext_lazy("It did not run on that day."),
    "outside_schedule": gettext_lazy("It does not run on this weekday or at this hour."),
    "other_channel": gettext_lazy("It is for purchases made elsewhere."),
    "other_store": gettext_lazy("It is for other shops."),
    "members_only": gettext_lazy("It is for members."),
    "excluded_segment": gettext_lazy("It is for other members."),
    "not_in_segment": gettext_lazy("It is for other members."),
    "other_tier": gettext_lazy("It is for another level."),
    "not_first_transaction": gettext_lazy("It is for the first purchase."),
    "not_birthday": gettext_lazy("It is for the days after your birthday."),
    "no_matching_line": gettext_lazy("You bought nothing it is about."),
    "below_minimum_amount": gettext_lazy("You bought too little of what it is about."),
    "below_minimum_quantity": gettext_lazy("You bought too little of what it is about."),
    "lost_exclusivity": gettext_lazy("Another offer of its kind gave you more."),
}
"""Why an offer did not apply, by the engine's code."""
_CHANNELS: Mapping[str, Any] = {"web": gettext_lazy("online"), "store": gettext_lazy("in the shop")}
_LIMITS: Mapping[tuple[str, str], Any] = {
    ("transaction", "points"): gettext_lazy("points per purchase, at most: %(count)s"),
    ("day", "points"): gettext_lazy("points left for today: %(count)s"),
    ("day", "uses"): gettext_lazy("times left for today: %(count)s"),
    ("month", "points"): gettext_lazy("points left this month: %(count)s"),
    ("month", "uses"): gettext_lazy("times left this month: %(count)s"),
    ("total", "points"): gettext_lazy("points left for you: %(count)s"),
    ("total", "uses"): gettext_lazy("times left for you: %(count)s"),
}
REFUSALS: Mapping[str, Any] = {
    "insufficient_points": gettext_lazy("You have not enough points for it."),
    "out_of_stock": gettext_lazy("It has just been sold out."),
    "limit_reached": gettext_lazy("You had as many of it as one member may have."),
    "price_changed": gettext_lazy("It costs something else now. Look again before you order it."),
    "gift_not_available": gettext_lazy("It is not offered to you any more."),
    "reservation_lapsed": gettext_lazy("Your reservation has ended; its points are yours again."),
    "illegal_transition": gettext_lazy("The order has moved on; this is no longer possible."),
    "reference_conflict": gettext_lazy("This order was placed before. Look at your orders."),
}
"""Why something could not be done, by the code of the refusal."""
OFFER_REASONS: Mapping[str, Any] = {
    "tier": gettext_lazy("For members of another level."),
    "segment": gettext_lazy("For other members."),
    "member": gettext_lazy("Not for you right now."),
    "limit": gettext_lazy("You had as many of it as one member may have."),
    "stock": gettext_lazy("Sold out for the moment."),
}
"""Why a member cannot have a gift, but for missing points, which have a sentence of their own."""


@dataclass(frozen=True, slots=True)
class Names:
    """How codes are called: promotions, tiers, and those segments that members are shown."""

    promotions: Mapping[str, str]
    segments: Mapping[str, str]
    tiers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Step:
    """A step of a trace: what, how ("44.90 × 0.5"), why, and exact points as a decimal text."""

    title: str
    formula: str
    why: str
    points: str


def title(movement: Movement, order: OrderShown | None, languages: Sequence[str]) -> str:
    """What a movement was; `languages` are where to look for the name of an event or a gift."""
    event = called(movement.event or "", movement.event_labels or {}, languages)
    if movement.kind == "event":
        return event or _("Thank you for taking part")
    if movement.kind == "reversal" and event:
        return _("Taken back: %(event)s") % {"event": event}
    if movement.kind == "reversal":
        return _("Return of purchase %(reference)s") % {"reference": movement.reverses}
    if movement.kind == "adjustment":
        return _("Correction: %(reason)s") % {"reason": movement.reason}
    text = str(_TITLES[movement.kind])
    if order is None:
        return text
    return _("%(what)s: %(name)s") % {"what": text, "name": called(order.gift, order.names, languages)}


def status(movement: Movement, order: OrderShown | None) -> str:
    """Where a movement stands, or its gift order."""
    found = order.status if order else movement.status
    return str(STATUSES.get(found, found))


def is_plain(movement: Movement, order: OrderShown | None) -> bool:
    """Whether it is booked and that is all there is to say."""
    return order is None and movement.status == "posted"


def refusal(error: RistourneError) -> str:
    """Why it could not be done."""
    return str(REFUSALS.get(error.code) or _("That did not work. Please try again."))


def steps(trace: list[Mapping[str, Any]], names: Names) -> list[Step]:
    """A trace as a member reads it; a rounding of nothing is left out."""
    return [
        Step(_title(step, names), step.get("formula", ""), _why(step, names), step["points"])
        for step in trace
        if step["step"] != "rounding" or step["points"].strip("-0.")
    ]


def _title(step: Mapping[str, Any], names: Names) -> str:
    if step["step"] == "base":
        return _("Points for what you paid")
    if step["step"] == "tier":
        return _("Your level: %(name)s") % {"name": names.tiers.get(step["rule"], step["rule"])}
    if step["step"] == "rounding":
        return _("Rounded to whole points")
    return names.promotions.get(step["rule"], str(step["rule"]))


def because(reasons: Iterable[str], names: Names) -> str:
    """Why a promotion is for the member; "" for one that is for everybody."""
    return "; ".join(dict.fromkeys(_because(reason, names) for reason in reasons if reason != "everyone"))


def asks(rule: Mapping[str, Any], currency: str) -> list[str]:
    """What a promotion asks of a purchase: how much, on which days, at which hours, where."""
    found = []
    if rule["minimum_amount"]:
        found.append(_("from %(amount)s") % {"amount": f"{exact(rule['minimum_amount'])} {currency}"})
    if rule["minimum_quantity"]:
        found.append(_("from %(count)s pieces") % {"count": exact(rule["minimum_quantity"])})
    if rule["weekdays"]:
        found.append(", ".join(str(WEEKDAYS[day - 1]) for day in sorted(rule["weekdays"])))
    if rule["hours"]:
        found.append(_("from %(from)s to %(until)s") % rule["hours"])
    if rule["channels"]:
        found.append(", ".join(str(_CHANNELS.get(channel, channel)) for channel in rule["channels"]))
    if rule["stores"]:
        found.append(_("in the shops %(names)s") % {"names": ", ".join(rule["stores"])})
    return found


def limits(left: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """What is left of a promotion's caps for the member."""
    return [
        str(_LIMITS[scope, unit]) % {"count": exact(str(count))}
        for scope, rooms in left.items()
        for unit, count in rooms.items()
        if (scope, unit) in _LIMITS
    ]


def _why(step: Mapping[str, Any], names: Names) -> str:
    words = [_because(reason, names) for reason in step.get("because", ())]
    if "capped_by" in step:
        words.append(_("limited: it would have been %(points)s") % {"points": exact(step["wanted"])})
    return "; ".join(dict.fromkeys(words))


def _because(reason: str, names: Names) -> str:
    kind, _colon, code = reason.partition(":")
    if kind == "segment" and code in names.segments:
        return _("because you are in %(name)s") % {"name": names.segments[code]}
    if kind == "tier":
        return _("because your level is %(name)s") % {"name": names.tiers.get(code, code)}
    if kind == "first_transaction":
        return _("because it was your first purchase")
    if kind == "birthday":
        return _("because it was your birthday")
    return _("because you were chosen for it")


def refusals(refused: list[Mapping[str, str]], names: Names) -> list[tuple[str, str]]:
    """What did not apply as (offer, why not) pairs; offers for other members are left out."""
    hidden = {"excluded_segment", "not_in_segment", "outside_window", "members_only"}
    return [
        (names.promotions.get(item["rule"], item["rule"]), str(REASONS.get(item["code"], "")))
        for item in refused
        if item["code"] not in hidden
    ]


def nearly(items: list[Mapping[str, Any]], names: Names, currency: str) -> list[str]:
    """What was nearly reached, one sentence each."""
    return [_nearly(item, names, currency) for item in items]


def _nearly(item: Mapping[str, Any], names: Names, currency: str) -> str:
    missing = item["missing"]
    what = (
        f"{exact(missing['amount'])} {currency}"
        if "amount" in missing
        else _("%(count)s pieces") % {"count": exact(missing["quantity"])}
    )
    gain = ngettext("%(points)s point", "%(points)s points", item["would_add"]) % {
        "points": points(item["would_add"])
    }
    return _("%(what)s more, and %(offer)s would have added %(gain)s.") % {
        "what": what,
        "offer": names.promotions.get(item["rule"], item["rule"]),
        "gain": gain,
    }
